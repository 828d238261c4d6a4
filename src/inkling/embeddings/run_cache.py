"""The embedding cache as one run sees it: it never fails, and knows what the run made even without a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from inkling.embeddings.cache import EmbeddingCache, warn_without_cache
from inkling.embeddings.entries import CachedImage
from inkling.errors import CacheError
from inkling.types import EncoderIdentity

_T = TypeVar("_T")


class RunCache:
    """Reads from the user's cache and from what this run made; writes to the user's cache while that works.

    Where the user's cache cannot be used (full disk, no permission, a network folder without locks) the run
    goes on, says so once, and keeps its vectors in a temporary cache instead.

    Parameters
    ----------
    cache
        The user's cache, or None for a run without one.
    encoder
        Whose vectors.
    """

    def __init__(self, cache: EmbeddingCache | None, encoder: EncoderIdentity) -> None:
        self._readable = cache
        self._writable = cache
        self._temporary: EmbeddingCache | None = None
        self._encoder = encoder

    def close(self) -> None:
        """Drop the temporary cache; the user's stays open."""
        if self._temporary is not None:
            self._temporary.close()

    def get_images(self, content_hashes: Iterable[str], *, view: int) -> dict[str, CachedImage]:
        """Images that are known, by content hash."""
        hashes = list(content_hashes)
        return self._read(lambda cache: cache.get_images(self._encoder, hashes, view=view))

    def put_images(self, images: Mapping[str, CachedImage], *, view: int) -> None:
        """Keep images; they are committed when this returns."""
        self._write(lambda cache: cache.put_images(self._encoder, images, view=view))

    def get_texts(self, texts: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Vectors of the texts that are known."""
        wanted = list(texts)
        return self._read(lambda cache: cache.get_texts(self._encoder, wanted))

    def put_texts(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep vectors of texts."""
        self._write(lambda cache: cache.put_texts(self._encoder, vectors))

    def _read(self, look_up: Callable[[EmbeddingCache], dict[str, _T]]) -> dict[str, _T]:
        found: dict[str, _T] = {}
        if self._readable is not None:
            try:
                found = look_up(self._readable)
            except CacheError as error:
                warn_without_cache(error)
                self._readable = self._writable = None
        if self._temporary is not None:
            with suppress(CacheError):
                found |= look_up(self._temporary)
        return found

    def _write(self, keep: Callable[[EmbeddingCache], None]) -> None:
        if self._writable is not None:
            try:
                keep(self._writable)
                return
            except CacheError as error:
                warn_without_cache(error)
                self._writable = None
        if self._temporary is None:
            self._temporary = EmbeddingCache.temporary()
        # Without room even for temporary files, repeated images are encoded again: slower, never wrong.
        with suppress(CacheError):
            keep(self._temporary)
