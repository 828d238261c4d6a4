"""Drawn pictures as class folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from inkling.errors import InputError
from inkling.sketch import write_dataset


@pytest.mark.parametrize("format", ["png", "jpg"])
def test_writes_class_folders(tmp_path: Path, format: str) -> None:
    written = write_dataset(tmp_path, ["cat", "castle"], 3, seed=0, size=32, format=format)
    assert len(written) == 6
    for kind in ("cat", "castle"):
        assert sorted(path.name for path in (tmp_path / kind).iterdir()) == [
            f"{kind}-000{number}.{format}" for number in range(3)
        ]
    with Image.open(written[0]) as image:
        assert image.size == (32, 32)
        assert image.format == {"png": "PNG", "jpg": "JPEG"}[format]


def test_png_files_are_the_same_again(tmp_path: Path) -> None:
    first = write_dataset(tmp_path / "a", ["cat"], 4, seed=1, size=32)
    again = write_dataset(tmp_path / "b", ["cat"], 4, seed=1, size=32)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_other_seeds_share_no_picture(tmp_path: Path) -> None:
    train = write_dataset(tmp_path / "train", ["cat"], 8, seed=0, size=32)
    test = write_dataset(tmp_path / "test", ["cat"], 8, seed=1, size=32)
    assert not {path.read_bytes() for path in train} & {path.read_bytes() for path in test}


@pytest.mark.parametrize(
    ("kinds", "per_class", "format", "message"),
    [
        (["cat"], 2, "gif", "png or jpg"),
        (["cat"], 0, "png", "nothing to draw"),
        ([], 2, "png", "nothing to draw"),
        (["cta"], 2, "png", "Did you mean 'cat'"),
    ],
)
def test_bad_requests_are_explained(
    tmp_path: Path, kinds: list[str], per_class: int, format: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        write_dataset(tmp_path, kinds, per_class, seed=0, format=format)
    assert not list(tmp_path.iterdir())
