"""A run goes on whatever happens to the cache, and says so once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import embed_images, embed_texts
from inkling.errors import CacheError
from inkling.types import ImageRecord
from tests.embeddings.samples import entry
from tests.fakes import FakeEncoder
from tests.images.pictures import encoded, photo


def test_unusable_folder(pictures: list[ImageRecord], tmp_path: Path, said: Callable[[], list[str]]) -> None:
    (tmp_path / "file").write_bytes(b"")
    expected = embed_images(pictures, FakeEncoder(), cache=None)
    with EmbeddingCache(tmp_path / "file" / "cache") as cache:
        embedded = embed_images(pictures, FakeEncoder(), cache=cache, batch_size=4)
    assert np.array_equal(embedded.embeddings, expected.embeddings)
    (warning,) = said()
    assert "goes on" in warning


def test_texts_with_an_unusable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with EmbeddingCache(tmp_path / "file" / "cache") as cache:
        assert embed_texts(["a", "b"], FakeEncoder(), cache=cache).shape == (2, 49)


def test_full_disk_loses_nothing(small_disk: Path, tmp_path: Path, said: Callable[[], list[str]]) -> None:
    records = []
    for number in range(400):
        path = tmp_path / f"{number}.png"
        path.write_bytes(encoded(photo(number, size=(64, 64)), "PNG"))
        records.append(ImageRecord(str(path)))
    expected = embed_images(records, FakeEncoder(), cache=None)
    with EmbeddingCache(small_disk) as cache:
        # The same images once more: what the disk could not take is remembered for the run.
        embedded = embed_images(records + records, FakeEncoder(), cache=cache)
    assert np.array_equal(embedded.embeddings, np.tile(expected.embeddings, (2, 1)))
    assert embedded.n_encoded == 400
    assert ["full" in warning for warning in said()] == [True]
    with EmbeddingCache(small_disk) as cache:
        again = embed_images(records, FakeEncoder(), cache=cache)
    assert 0 < again.n_encoded < 400
    assert np.array_equal(again.embeddings, expected.embeddings)


def test_full_disk_is_explained(small_disk: Path) -> None:
    entries = {str(number): replace(entry(number), thumbnail=bytes(100_000)) for number in range(20)}
    with EmbeddingCache(small_disk) as cache:
        with pytest.raises(CacheError, match="Free some space"):
            cache.put_images(FakeEncoder().identity, entries)
        assert cache.get_images(FakeEncoder().identity, entries) == {}


def test_read_only_disk(small_disk: Path, pictures: list[ImageRecord], said: Callable[[], list[str]]) -> None:
    with EmbeddingCache(small_disk) as cache:
        embed_images(pictures, FakeEncoder(), cache=cache)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with EmbeddingCache(small_disk) as cache:
        embedded = embed_images(pictures, FakeEncoder(), cache=cache)
    assert len(embedded.records) == len(pictures)
    assert embedded.n_encoded == 0
    assert said() == []
