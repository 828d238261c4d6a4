"""A cache that may be read and not written serves, and stays as it is to the last byte."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inkling.embeddings.cache import FILE_NAME, EmbeddingCache
from inkling.embeddings.embed import embed_images
from inkling.errors import CacheError
from inkling.images.sources import find_images
from tests.colours import write_colours
from tests.embeddings.samples import entry
from tests.fakes import FakeEncoder

ENCODER = FakeEncoder().identity


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """What makes a folder read-only: for the superuser, whom permissions don't bind, on a disk that is."""
    mounted: list[Path] = []

    def locked(folder: Path) -> Path:
        if os.geteuid():
            (folder / FILE_NAME).chmod(0o400)
            folder.chmod(0o500)
            return folder
        place = tmp_path / "mounted"
        place.mkdir()
        for how in (["--bind", str(folder)], ["-o", "remount,ro,bind"]):
            if subprocess.run(["mount", *how, str(place)], capture_output=True, check=False).returncode:
                pytest.skip("nothing may be mounted here")
            mounted.append(place)
        return place

    yield locked
    for place in dict.fromkeys(mounted):
        subprocess.run(["umount", str(place)], check=True)


def filled(folder: Path) -> Path:
    with EmbeddingCache(folder) as cache:
        cache.put_images(ENCODER, {"1": entry(1)})
    return folder


def test_it_is_read_and_nothing_is_written(tmp_path: Path, lock: Callable[[Path], Path]) -> None:
    folder = lock(filled(tmp_path / "cache"))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with EmbeddingCache(folder) as cache:
        assert cache.get_images(ENCODER, ["1", "2"]).keys() == {"1"}
        assert cache.info().encoders[0].images == 1
        for write in (
            cache.clear,
            lambda: cache.put_images(ENCODER, {"2": entry(2)}),
            lambda: cache.prune(max_bytes=0),
        ):
            with pytest.raises(CacheError, match="is read-only") as told:
                write()
            assert "INKLING_CACHE" in str(told.value)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_run_uses_it_and_says_once_what_it_does_not_keep(
    tmp_path: Path, lock: Callable[[Path], Path], said: Callable[[], list[str]]
) -> None:
    pictures = find_images(write_colours(tmp_path / "pictures")).records
    with EmbeddingCache(tmp_path / "cache") as cache:
        known = embed_images(pictures[:4], FakeEncoder(), cache=cache)
    folder = lock(tmp_path / "cache")
    with EmbeddingCache(folder) as cache:
        encoder = FakeEncoder()
        again = embed_images(pictures[:4], encoder, cache=cache)
        assert (again.embeddings == known.embeddings).all()
        assert encoder.n_encoded == 0
        assert said() == []
        for _ in range(2):
            embed_images(pictures, FakeEncoder(), cache=cache)
    assert ["is read-only" in warning for warning in said()] == [True]


def test_a_file_in_the_place_of_the_folder_is_called_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with EmbeddingCache(folder) as cache, pytest.raises(CacheError) as told:
            cache.info()
        assert f"{tmp_path / 'file'} is a file, and a folder is expected there" in str(told.value)
        assert "Errno" not in str(told.value)
