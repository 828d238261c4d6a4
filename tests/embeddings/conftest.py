"""What the tests of this room share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from inkling.types import ImageRecord
from tests.images.pictures import encoded, photo


@pytest.fixture
def pictures(tmp_path: Path) -> list[ImageRecord]:
    """25 different PNG files with two labels."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    records = []
    for number in range(25):
        path = folder / f"{number:02}.png"
        path.write_bytes(encoded(photo(number), "PNG"))
        records.append(ImageRecord(str(path), "odd" if number % 2 else "even"))
    return records


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What Inkling has warned of since the test began; threads of libraries may log meanwhile what they like."""

    def messages() -> list[str]:
        own = (record for record in caplog.records if record.name.startswith("inkling."))
        return [record.getMessage() for record in own if record.levelno >= logging.WARNING]

    return messages
