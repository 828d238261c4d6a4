"""A memory of drawn pictures by an encoder that starts in a moment."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from inkling import FewShotClassifier
from inkling.sketch import write_dataset
from tests.cli.light_encoder import write_light_encoder

KINDS = ("boat", "car", "house")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``train`` and ``test`` with drawn pictures of three kinds, ``light`` with an encoder, ``a.ink`` with a memory."""
    folder = tmp_path_factory.mktemp("exporting")
    write_dataset(folder / "train", KINDS, 12, seed=1, size=64)
    write_dataset(folder / "test", KINDS, 4, seed=2, size=80)
    encoder = write_light_encoder(folder / "light")
    classifier = FewShotClassifier(encoder, head="gda", false_alarms=0.1, cache=False)
    classifier.fit(folder / "train").save(folder / "a.ink")
    return folder


@pytest.fixture
def memory(drawn: Path, tmp_path: Path) -> Path:
    """The memory, for the test alone."""
    return Path(shutil.copy(drawn / "a.ink", tmp_path / "a.ink"))


@pytest.fixture
def listing(tmp_path: Path) -> Callable[[], set[str]]:
    """What lies in the folder of the test, hidden drafts included."""
    return lambda: {path.name for path in tmp_path.iterdir()}
