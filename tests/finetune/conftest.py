"""Model folders that all tests of this room train from."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkling.sketch import weights_folder
from tests.encoders.folders import write_clip, write_siglip


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finetune") / "tiny-clip"
    write_clip(folder)
    return folder


@pytest.fixture(scope="session")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finetune") / "tiny-siglip"
    write_siglip(folder)
    return folder


@pytest.fixture(scope="session")
def sketch() -> Path:
    return weights_folder()
