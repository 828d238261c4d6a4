"""Looking into the embedding cache and keeping it small."""

from __future__ import annotations

import math
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from inkling.embeddings.database import transaction
from inkling.errors import InputError
from inkling.wording import excerpt, quoted

_DAY = 86_400.0

# Bytes of each entry. A thumbnail counts for every entry that shows it, so a limit is kept with something to
# spare.
_ENTRIES = """
    SELECT 'images' AS kind, images.id AS id, encoder, used,
        length(embedding) + coalesce(length(feature), 0) + coalesce(length(jpeg), 0) AS bytes
    FROM images LEFT JOIN thumbnails USING (content_hash)
    UNION ALL
    SELECT 'texts', id, encoder, used, length(vector) + length(text) FROM texts
"""


@dataclass(frozen=True)
class EncoderUsage:
    """What one encoder takes in the cache; `bytes` counts its vectors."""

    name: str
    fingerprint: str
    images: int
    texts: int
    bytes: int


@dataclass(frozen=True)
class CacheInfo:
    """What the cache holds; `bytes` is the size of its file, `thumbnail_bytes` the part of the pictures."""

    path: Path
    bytes: int
    thumbnails: int
    thumbnail_bytes: int
    encoders: tuple[EncoderUsage, ...]


@dataclass(frozen=True)
class Limits:
    """What `prune` keeps; see `EmbeddingCache.prune`."""

    older_than_days: float | None
    max_bytes: int | None
    encoder: str | None


def count(connection: sqlite3.Connection) -> CacheInfo:
    """Entries and bytes, in total and for each encoder, the largest first."""
    rows = connection.execute(
        "SELECT name, fingerprint,"
        " (SELECT count(*) FROM images WHERE encoder = encoders.id),"
        " (SELECT count(*) FROM texts WHERE encoder = encoders.id),"
        " (SELECT total(length(embedding) + coalesce(length(feature), 0)) FROM images"
        " WHERE encoder = encoders.id)"
        " + (SELECT total(length(vector)) FROM texts WHERE encoder = encoders.id) AS bytes"
        " FROM encoders ORDER BY bytes DESC, name"
    ).fetchall()
    usage = tuple(EncoderUsage(name, key, images, texts, int(size)) for name, key, images, texts, size in rows)
    thumbnails, thumbnail_bytes = connection.execute("SELECT count(*), total(length(jpeg)) FROM thumbnails").fetchone()
    return CacheInfo(_path(connection), _file_bytes(connection), thumbnails, int(thumbnail_bytes), usage)


def prune(connection: sqlite3.Connection, limits: Limits) -> int:
    """Remove what is beyond the limits; returns the number of images and texts removed."""
    if limits == Limits(None, None, None):
        raise InputError(
            "There is nothing to prune by.",
            remedy="Give an age in days, a size, or an encoder; clear removes everything.",
        )
    _check(limits)
    with transaction(connection):
        connection.execute(f"CREATE TEMP TABLE doomed AS {_ENTRIES} LIMIT 0")
        _choose(connection, limits)
        removed = sum(
            connection.execute(
                f"DELETE FROM {kind} WHERE id IN (SELECT id FROM doomed WHERE kind = ?)", (kind,)
            ).rowcount
            for kind in ("images", "texts")
        )
        connection.execute("DROP TABLE doomed")
        _remove_orphans(connection)
    _give_back(connection)
    return removed


def _check(limits: Limits) -> None:
    for name, number in (("age in days", limits.older_than_days), ("size in bytes", limits.max_bytes)):
        if number is not None and not (isinstance(number, int | float) and 0 <= number < math.inf):
            raise InputError(
                f"The {name} must be a number, 0 or more, got {quoted(number)}.",
                remedy="Entries beyond it are removed; 0 removes all.",
            )


def clear(connection: sqlite3.Connection) -> int:
    """Remove everything; returns the number of images and texts removed."""
    with transaction(connection):
        removed = sum(connection.execute(f"DELETE FROM {kind}").rowcount for kind in ("images", "texts"))
        _remove_orphans(connection)
    _give_back(connection)
    return removed


def _choose(connection: sqlite3.Connection, limits: Limits) -> None:
    """Fill the table of doomed entries."""
    numbers = _encoder_numbers(connection, limits.encoder)
    mine = f"encoder IN ({', '.join(map(str, numbers))})"
    if limits.older_than_days is None and limits.max_bytes is None:
        connection.execute(f"INSERT INTO doomed SELECT * FROM ({_ENTRIES}) WHERE {mine}")
    if limits.older_than_days is not None:
        connection.execute(
            f"INSERT INTO doomed SELECT * FROM ({_ENTRIES}) WHERE {mine} AND used < ?",
            (time.time() - limits.older_than_days * _DAY,),
        )
    if limits.max_bytes is not None:
        connection.execute(
            "INSERT INTO doomed SELECT kind, id, encoder, used, bytes FROM ("
            " SELECT *, sum(bytes) OVER (ORDER BY used DESC, kind, id DESC) AS so_far"
            f" FROM ({_ENTRIES}) WHERE {mine}) WHERE so_far > ?",
            (limits.max_bytes,),
        )


def _encoder_numbers(connection: sqlite3.Connection, encoder: str | None) -> list[int]:
    rows = connection.execute("SELECT id, name, fingerprint FROM encoders ORDER BY name").fetchall()
    numbers = [number for number, *names in rows if encoder is None or encoder in names]
    if encoder is not None and not numbers:
        known = ", ".join(f"{name} ({fingerprint})" for _, name, fingerprint in rows)
        raise InputError(
            f"Nothing in the cache is of an encoder named '{excerpt(encoder)}'.",
            remedy=f"Its encoders are: {known}." if known else "The cache is empty.",
        )
    return numbers


def _remove_orphans(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM thumbnails WHERE content_hash NOT IN (SELECT content_hash FROM images)")
    connection.execute(
        "DELETE FROM encoders WHERE id NOT IN (SELECT encoder FROM images UNION SELECT encoder FROM texts)"
    )


def _give_back(connection: sqlite3.Connection) -> None:
    # As a script, since the driver takes one step of a plain statement, and each step frees one page.
    connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);")


def _file_bytes(connection: sqlite3.Connection) -> int:
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(pages * size)


def _path(connection: sqlite3.Connection) -> Path:
    return Path(connection.execute("PRAGMA database_list").fetchone()[2])
