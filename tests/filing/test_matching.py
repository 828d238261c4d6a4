"""Which image a row means."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkling.errors import InputError
from inkling.filing.fix_list import Fix
from inkling.filing.matching import Matched, matched


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder ``data`` with three images below the working folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("car/1.png", "car/2.png", "tree/deep/1.png"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "data"


PATHS = ("data/car/1.png", "data/car/2.png", "data/tree/deep/1.png")


def found(*paths: str, actions: tuple[str, ...] = ()) -> Matched:
    fixes = [
        Fix(row, path, action)
        for row, (path, action) in enumerate(zip(paths, actions or ["drop"] * len(paths), strict=True), start=2)
    ]
    return matched(fixes, PATHS, root="data")


@pytest.mark.parametrize(
    "path",
    [
        "data/car/2.png",
        "./data/car/2.png",
        "data/tree/../car/2.png",
        "data\\car\\2.png",
        "car/2.png",
        "car\\2.png",
        "{data}/car/2.png",
        "old/place/car/2.png",
        "/home/me/data/car/2.png",
        "C:\\Users\\me\\data\\car\\2.png",
    ],
)
def test_ways_to_name_an_image(folder: Path, path: str) -> None:
    assert list(found(path.format(data=folder)).fixes) == [1]


def test_a_moved_folder_is_one_for_all_rows(folder: Path) -> None:
    one = found("old/car/1.png", "old/tree/deep/1.png", "other/car/2.png", "old/car/9.png")
    assert (list(one.fixes), one.moved_from) == ([0, 2], "old")
    assert [fix.path for fix in one.gone] == ["other/car/2.png", "old/car/9.png"]


def test_images_of_another_folder_that_are_there_are_others(folder: Path) -> None:
    """A list of the test images names some of the same names; they must not be taken for those."""
    other = folder.parent / "test" / "car" / "1.png"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"")
    with pytest.raises(InputError, match="of other images: none of its 1 row"):
        found("test/car/1.png")
    assert [fix.path for fix in found("test/car/1.png", "data/car/1.png").gone] == ["test/car/1.png"]


def test_rows_that_contradict_each_other(folder: Path) -> None:
    with pytest.raises(InputError, match=r"about 1 image: data/car/1.png \(rows 2, 4\)"):
        found("data/car/1.png", "car/2.png", "car/1.png", actions=("drop", "keep", "keep"))
    assert list(found("data/car/1.png", "car/1.png").fixes) == [0]


def test_boxes_of_a_picture_are_different_and_their_margin_does_not_count(folder: Path) -> None:
    box = "data/car/1.png#xywh=0,0,5,5"
    paths = (box, "data/car/1.png#xywh=5,5,5,5&id=7")
    rows = [Fix(2, "old/car/1.png#xywh=5,5,5,5&margin=0.1&id=7", "drop"), Fix(3, f"{box}&margin=0.2", "keep")]
    assert list(matched(rows, paths, root="data").fixes) == [1, 0]
    with pytest.raises(InputError, match="of other images"):
        matched([Fix(2, "data/car/1.png", "drop")], paths, root="data")
