"""Rows of the embedding cache: reading and writing vectors within one connection."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkling.embeddings.database import transaction
from inkling.types import EncoderIdentity

_DAY = 86_400.0
_MOST_PARAMETERS = 500


@dataclass(frozen=True)
class CachedImage:
    """What is kept of one image: its vectors (d,) and (f,) float32, and a small JPEG."""

    embedding: NDArray[np.float32]
    feature: NDArray[np.float32] | None
    thumbnail: bytes


def select_images(
    connection: sqlite3.Connection, encoder: EncoderIdentity, hashes: Sequence[str], view: int
) -> dict[str, CachedImage]:
    found: dict[str, CachedImage] = {}
    for part in _parts(hashes):
        rows = connection.execute(
            "SELECT content_hash, embedding, feature, jpeg, images.id, used FROM images"
            " JOIN encoders ON encoders.id = encoder LEFT JOIN thumbnails USING (content_hash)"
            f" WHERE fingerprint = ? AND view = ? AND content_hash IN ({_marks(part)})",
            (encoder.fingerprint, view, *part),
        ).fetchall()
        for content_hash, embedding, feature, jpeg, _, _ in rows:
            found[content_hash] = CachedImage(
                _vector(embedding), None if feature is None else _vector(feature), jpeg or b""
            )
        _note_use(connection, "images", [(row[4], row[5]) for row in rows])
    return found


def insert_images(
    connection: sqlite3.Connection, encoder: EncoderIdentity, images: Mapping[str, CachedImage], view: int
) -> None:
    now = time.time()
    with transaction(connection):
        number = _encoder_number(connection, encoder)
        connection.executemany(
            "INSERT OR REPLACE INTO images (encoder, view, content_hash, embedding, feature, used)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (number, view, content_hash, _blob(image.embedding), _blob(image.feature), now)
                for content_hash, image in images.items()
            ],
        )
        connection.executemany(
            "INSERT INTO thumbnails (content_hash, jpeg) VALUES (?, ?) ON CONFLICT (content_hash) DO NOTHING",
            [(content_hash, image.thumbnail) for content_hash, image in images.items()],
        )


def select_texts(
    connection: sqlite3.Connection, encoder: EncoderIdentity, texts: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    found: dict[str, NDArray[np.float32]] = {}
    for part in _parts(texts):
        rows = connection.execute(
            "SELECT text, vector, texts.id, used FROM texts JOIN encoders ON encoders.id = encoder"
            f" WHERE fingerprint = ? AND text IN ({_marks(part)})",
            (encoder.fingerprint, *part),
        ).fetchall()
        found.update((text, _vector(vector)) for text, vector, _, _ in rows)
        _note_use(connection, "texts", [(row[2], row[3]) for row in rows])
    return found


def insert_texts(
    connection: sqlite3.Connection, encoder: EncoderIdentity, vectors: Mapping[str, NDArray[np.float32]]
) -> None:
    now = time.time()
    with transaction(connection):
        number = _encoder_number(connection, encoder)
        connection.executemany(
            "INSERT OR REPLACE INTO texts (encoder, text, vector, used) VALUES (?, ?, ?, ?)",
            [(number, text, _blob(vector), now) for text, vector in vectors.items()],
        )


def _encoder_number(connection: sqlite3.Connection, encoder: EncoderIdentity) -> int:
    connection.execute(
        "INSERT OR IGNORE INTO encoders (fingerprint, name) VALUES (?, ?)",
        (encoder.fingerprint, encoder.name),
    )
    row = connection.execute("SELECT id FROM encoders WHERE fingerprint = ?", (encoder.fingerprint,))
    return int(row.fetchone()[0])


def _note_use(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[int, float]]) -> None:
    """Once a day at most, so that a warm run writes nothing."""
    now = time.time()
    stale = [(now, number) for number, used in rows if used < now - _DAY]
    # A cache that can be read but not written still serves.
    with suppress(sqlite3.OperationalError):
        if stale:
            with transaction(connection):
                connection.executemany(f"UPDATE {table} SET used = ? WHERE id = ?", stale)


def _parts(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[at : at + _MOST_PARAMETERS] for at in range(0, len(values), _MOST_PARAMETERS))


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _vector(blob: bytes) -> NDArray[np.float32]:
    return np.frombuffer(blob, dtype="<f4").astype(np.float32, copy=False)


def _blob(vector: NDArray[np.float32] | None) -> bytes | None:
    return None if vector is None else vector.astype("<f4").tobytes()
