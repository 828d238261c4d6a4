"""Rows of the embedding cache: reading and writing vectors within one connection."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkling.embeddings.database import transaction
from inkling.types import EncoderIdentity
from inkling.wording import counted

_log = logging.getLogger(__name__)

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
            vector = _direction(embedding, encoder.dimension)
            beside = _vector(feature, encoder.feature_dimension)
            if vector is not None and (beside is None) == (encoder.feature_dimension == 0):
                found[content_hash] = CachedImage(vector, beside, jpeg or b"")
        _warn_of_damage(len(rows) - sum(row[0] in found for row in rows))
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
        vectors = {text: _direction(blob, encoder.dimension) for text, blob, _, _ in rows}
        sound = {text: vector for text, vector in vectors.items() if vector is not None}
        _warn_of_damage(len(vectors) - len(sound))
        found |= sound
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


def _direction(blob: bytes, dimension: int) -> NDArray[np.float32] | None:
    """A vector of some length above zero, or None where the row is damaged."""
    vector = _vector(blob, dimension)
    return vector if vector is not None and vector.any() else None


def _vector(blob: bytes | None, dimension: int) -> NDArray[np.float32] | None:
    """Finite numbers, as many as the encoder gives; None where the row holds something else, or nothing."""
    if blob is None or len(blob) != 4 * dimension or not dimension:
        return None
    vector = np.frombuffer(blob, dtype="<f4").astype(np.float32, copy=False)
    return vector if np.isfinite(vector).all() else None


def _warn_of_damage(n_rows: int) -> None:
    """What is left out of an answer is encoded anew, and takes the damaged row's place."""
    if n_rows:
        _log.warning("%s in the embedding cache can't be used, and will be made anew.", counted(n_rows, "vector"))


def _blob(vector: NDArray[np.float32] | None) -> bytes | None:
    return None if vector is None else vector.astype("<f4").tobytes()
