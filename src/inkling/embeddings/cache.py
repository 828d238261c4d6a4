"""The embedding cache: vectors by content hash, encoder fingerprint and view; text vectors by text and
fingerprint.

Thumbnails depend on the content alone and are kept once. Every `put` is one transaction.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from inkling.embeddings import database, upkeep
from inkling.embeddings.upkeep import CacheInfo
from inkling.types import EncoderIdentity

FILE_NAME = "embeddings.sqlite3"

_DAY = 86_400.0
_MOST_PARAMETERS = 500
_T = TypeVar("_T")


@dataclass(frozen=True)
class CachedImage:
    """What is kept of one image: its vectors (d,) and (f,) float32, and a small JPEG."""

    embedding: NDArray[np.float32]
    feature: NDArray[np.float32] | None
    thumbnail: bytes


def default_folder() -> Path:
    """The folder named in ``INKLING_CACHE``, or the user's cache folder."""
    named = os.environ.get("INKLING_CACHE")
    if named:
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("inkling")


class EmbeddingCache:
    """A SQLite file of vectors that several threads and processes may share.

    The file is opened at the first call. Damage found at any time sets the file aside and begins a new one,
    with a warning in the log.

    Parameters
    ----------
    folder
        Where the file lies; `default_folder` if None.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.path: Path | None = (default_folder() if folder is None else Path(folder)) / FILE_NAME
        self._connection: sqlite3.Connection | None = None
        self._inode: int | None = None
        self._lock = threading.RLock()

    @classmethod
    def temporary(cls) -> EmbeddingCache:
        """A cache for one run, kept in memory and spilt to a temporary file where it grows large."""
        cache = cls(Path())
        cache.path = None
        return cache

    def __enter__(self) -> EmbeddingCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def get_images(
        self, encoder: EncoderIdentity, content_hashes: Iterable[str], *, view: int = 0
    ) -> dict[str, CachedImage]:
        """Those of the images that are known, by content hash.

        Raises
        ------
        CacheError
            If the cache cannot be read.
        """
        wanted = list(dict.fromkeys(content_hashes))
        return self._run(lambda connection: _select_images(connection, encoder, wanted, view))

    def put_images(
        self, encoder: EncoderIdentity, images: Mapping[str, CachedImage], *, view: int = 0
    ) -> None:
        """Keep images by content hash, all or none.

        Raises
        ------
        CacheError
            If the cache cannot be written, such as on a full disk.
        """
        self._run(lambda connection: _insert_images(connection, encoder, images, view))

    def get_texts(self, encoder: EncoderIdentity, texts: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Unit vectors (d,) of those of the texts that are known."""
        wanted = list(dict.fromkeys(texts))
        return self._run(lambda connection: _select_texts(connection, encoder, wanted))

    def put_texts(self, encoder: EncoderIdentity, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep vectors of texts, all or none."""
        self._run(lambda connection: _insert_texts(connection, encoder, vectors))

    def info(self) -> CacheInfo:
        """What the cache holds, in total and for each encoder."""
        return self._run(lambda connection: upkeep.count(connection, self._file()))

    def prune(
        self,
        *,
        older_than_days: float | None = None,
        max_bytes: int | None = None,
        encoder: str | None = None,
    ) -> int:
        """Remove entries, and give their space back to the disk.

        Parameters
        ----------
        older_than_days
            Remove what was last used longer ago than this; use is noted once a day.
        max_bytes
            Then remove what was used longest ago, until vectors and thumbnails together take no more than
            this.
        encoder
            Name or fingerprint: limits apply to this encoder's entries alone; without a limit, all of them
            go.

        Returns
        -------
        int
            Number of images and texts removed.

        Raises
        ------
        InputError
            If neither limit nor encoder is given, or nothing in the cache is of that encoder.
        CacheError
            If the cache cannot be written.
        """
        limits = upkeep.Limits(older_than_days, max_bytes, encoder)
        return self._run(lambda connection: upkeep.prune(connection, limits))

    def clear(self) -> int:
        """Remove everything; returns the number of images and texts removed."""
        return self._run(upkeep.clear)

    def _file(self) -> Path:
        return Path() if self.path is None else self.path

    def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        with self._lock:
            try:
                with database.explained(self.path):
                    return work(self._open())
            except sqlite3.Error as damage:
                self._mend(damage)
            try:
                with database.explained(self.path):
                    return work(self._open())
            except sqlite3.Error as damage:
                raise database.cannot_use(self.path, damage) from damage

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = database.connect(self.path)
            self._inode = None if self.path is None else self.path.stat().st_ino
        return self._connection

    def _mend(self, damage: sqlite3.Error) -> None:
        self.close()
        if self.path is None:
            return
        try:
            # Another process may have set the same file aside already; its new one is sound.
            if self.path.exists() and self.path.stat().st_ino == self._inode:
                database.set_aside(self.path, damage)
        except OSError as error:
            raise database.cannot_use(self.path, error) from damage


def _select_images(
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


def _insert_images(
    connection: sqlite3.Connection, encoder: EncoderIdentity, images: Mapping[str, CachedImage], view: int
) -> None:
    now = time.time()
    with database.transaction(connection):
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
            "INSERT OR IGNORE INTO thumbnails (content_hash, jpeg) VALUES (?, ?)",
            [(content_hash, image.thumbnail) for content_hash, image in images.items()],
        )


def _select_texts(
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


def _insert_texts(
    connection: sqlite3.Connection, encoder: EncoderIdentity, vectors: Mapping[str, NDArray[np.float32]]
) -> None:
    now = time.time()
    with database.transaction(connection):
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
            with database.transaction(connection):
                connection.executemany(f"UPDATE {table} SET used = ? WHERE id = ?", stale)


def _parts(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[at : at + _MOST_PARAMETERS] for at in range(0, len(values), _MOST_PARAMETERS))


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _vector(blob: bytes) -> NDArray[np.float32]:
    return np.frombuffer(blob, dtype="<f4").astype(np.float32, copy=False)


def _blob(vector: NDArray[np.float32] | None) -> bytes | None:
    return None if vector is None else vector.astype("<f4").tobytes()
