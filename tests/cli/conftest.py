"""Drawn pictures, real photographs, and memories of both, made once for all tests of the program."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inkling.sketch import weights_folder, write_dataset
from tests.cli.program import SURROGATE, Inkling

KINDS = ("car", "house", "tree")


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli-cache")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``train`` and ``test`` with drawn pictures of three kinds."""
    folder = tmp_path_factory.mktemp("drawn")
    write_dataset(folder / "train", KINDS, 6, seed=1)
    write_dataset(folder / "test", KINDS, 8, seed=2)
    return folder


@pytest.fixture
def inkling(tmp_path: Path, session_cache: Path) -> Inkling:
    """The program in an empty folder, with the cache of the session."""
    return Inkling(tmp_path, session_cache)


@pytest.fixture(scope="session")
def _sketch_memory(drawn: Path, session_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (weights_folder() / "config.json").is_file():
        pytest.skip("the embedded encoder has no weights in this tree")
    folder = tmp_path_factory.mktemp("sketch-memory")
    done = Inkling(folder, session_cache).here("fit", drawn, "--memory", "drawn.ink", "--encoder", "sketch")
    assert done.code == 0, done.err
    return folder / "drawn.ink"


@pytest.fixture
def memory(_sketch_memory: Path, tmp_path: Path) -> Path:
    """A memory of the drawn pictures, for the test alone."""
    return Path(shutil.copy(_sketch_memory, tmp_path / "drawn.ink"))


@pytest.fixture(scope="session")
def crops(shared: Path) -> Path:
    """Crops of vehicles in ``train`` and ``test``."""
    return shared / "data" / "coco_crops" / "few_shot"


@pytest.fixture(scope="session")
def surrogate(shared: Path) -> Path:
    """An encoder of photographs."""
    return SURROGATE
