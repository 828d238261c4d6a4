"""The embedding cache: image vectors by content hash, encoder and view, text vectors by text and encoder.

Thumbnails depend on the content alone and are kept once. Every `put` is one transaction.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from inkling.embeddings import entries, upkeep
from inkling.embeddings.database import Database
from inkling.embeddings.entries import CachedImage
from inkling.embeddings.upkeep import CacheInfo
from inkling.errors import CacheError
from inkling.types import EncoderIdentity

FILE_NAME = "embeddings.sqlite3"
_log = logging.getLogger(__name__)


def default_folder() -> Path:
    """The folder named in ``INKLING_CACHE``, or the user's cache folder.

    Raises
    ------
    CacheError
        If there is no home folder that it could be in.
    """
    named = os.environ.get("INKLING_CACHE")
    try:
        if named:
            return Path(named).expanduser()
        from platformdirs import user_cache_path

        return user_cache_path("inkling").expanduser()
    except RuntimeError:
        raise CacheError(
            "There is no home folder for the embedding cache.",
            remedy="Set HOME, or name a folder in the environment variable INKLING_CACHE.",
        ) from None


@contextmanager
def opened_cache(where: bool | str | Path) -> Iterator[EmbeddingCache | None]:
    """The user's cache for True, a cache in a folder, or None for False; closed at the end.

    Where there is no folder that the user's cache could be in, there is none, which the log says.
    """
    cache = None
    if where is not False:
        try:
            cache = EmbeddingCache(None if where is True else Path(where))
        except CacheError as error:
            warn_without_cache(error)
    with nullcontext() if cache is None else cache:
        yield cache


def warn_without_cache(error: CacheError) -> None:
    """Say in the log that a run goes on without the user's cache, and why. A process says the same thing once."""
    warn_once(f"{error.message} This run goes on without keeping new vectors. {error.remedy or ''}".rstrip())


@cache
def warn_once(text: str) -> None:
    """Put a warning into the log, unless this process has said the same before."""
    _log.warning("%s", text)


class EmbeddingCache:
    """A SQLite file of vectors that several threads and processes may share.

    The file is opened at the first call. Damage found at any time sets the file aside and begins a new one,
    with a warning in the log.

    Parameters
    ----------
    folder
        Where the file lies; `default_folder` if None.

    Raises
    ------
    CacheError
        If no folder is given and there is no home folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._database = Database((default_folder() if folder is None else Path(folder)) / FILE_NAME)

    @classmethod
    def temporary(cls) -> EmbeddingCache:
        """A cache for one run, kept in memory and spilt to a temporary file where it grows large."""
        cache = cls.__new__(cls)
        cache._database = Database(None)
        return cache

    def __enter__(self) -> EmbeddingCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        self._database.close()

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
        return self._database.run(lambda connection: entries.select_images(connection, encoder, wanted, view))

    def put_images(self, encoder: EncoderIdentity, images: Mapping[str, CachedImage], *, view: int = 0) -> None:
        """Keep images by content hash, all or none.

        Raises
        ------
        CacheError
            If the cache cannot be written, such as on a full disk.
        """
        if images:
            self._database.run(lambda connection: entries.insert_images(connection, encoder, images, view))

    def get_texts(self, encoder: EncoderIdentity, texts: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Unit vectors (d,) of those of the texts that are known."""
        wanted = list(dict.fromkeys(texts))
        return self._database.run(lambda connection: entries.select_texts(connection, encoder, wanted))

    def put_texts(self, encoder: EncoderIdentity, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep vectors of texts, all or none."""
        self._database.run(lambda connection: entries.insert_texts(connection, encoder, vectors))

    def info(self) -> CacheInfo:
        """What the cache holds, in total and for each encoder."""
        return self._database.run(upkeep.count)

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
        return self._database.run(lambda connection: upkeep.prune(connection, limits))

    def clear(self) -> int:
        """Remove everything, files that were set aside included; returns the number of images and texts."""
        removed = self._database.run(upkeep.clear)
        self._database.remove_set_aside()
        return removed
