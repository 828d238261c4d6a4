"""What the tests of this room share."""

from __future__ import annotations

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
