"""One bad image never ends a run: it is skipped with a reason, everywhere, and counted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from inkling.sketch import draw
from tests.cli.program import Inkling

SPOILT = {
    "cut.png": "truncated",
    "empty.png": "empty",
    "page.png": "not a JPEG",
    "text.jpg": "not a JPEG",
    "vast.png": "too large",
}


def spoil(folder: Path) -> None:
    """Put one file of each kind of damage into a folder."""
    draw("car", seed=99).save(folder / "whole.png")
    whole = (folder / "whole.png").read_bytes()
    (folder / "whole.png").unlink()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "page.png").write_text("<html>not found</html>")
    (folder / "text.jpg").write_text("see the other folder")
    Image.new("1", (30_000, 30_000)).save(folder / "vast.png")


@pytest.fixture(scope="module")
def spoilt(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of drawn pictures, with damaged files among the cars."""
    folder = tmp_path_factory.mktemp("spoilt") / "photos"
    shutil.copytree(drawn / "train", folder)
    spoil(folder / "car")
    return folder


def reasons(skipped: list[dict[str, str]]) -> dict[str, str]:
    return {Path(one["path"]).name: one["reason"] for one in skipped}


def assert_all_told(skipped: list[dict[str, str]]) -> None:
    assert reasons(skipped).keys() == SPOILT.keys()
    for name, words in SPOILT.items():
        assert words in reasons(skipped)[name]


def test_fit_goes_on_without_them(inkling: Inkling, memory: Path, spoilt: Path) -> None:
    done = inkling.here("fit", spoilt, "--memory", "s.ink", "--encoder", "sketch", "--json", "-")
    summary = done.json()
    assert_all_told(summary["skipped"])
    assert "Skipped 5 images:" in done.err
    clean, here = (inkling.here("info", name, "--json", "-").json() for name in (memory, "s.ink"))
    assert here["provenance"]["data_hash"] == clean["provenance"]["data_hash"]
    assert here["calibration"] == clean["calibration"]


def test_strict_makes_them_an_error_and_keeps_the_memory(inkling: Inkling, memory: Path, spoilt: Path) -> None:
    before = memory.read_bytes()
    done = inkling.here("fit", spoilt, "--memory", memory, "--replace", "--encoder", "sketch", "--strict")
    done.refused("5 images cannot be used", "--strict")
    assert memory.read_bytes() == before


def test_evaluate_leaves_them_out(inkling: Inkling, memory: Path, spoilt: Path) -> None:
    summary = inkling.here("evaluate", memory, spoilt, "--include-training", "--json", "-").json()
    assert summary["n"] == 18
    assert_all_told(summary["skipped"])


def test_predict_leaves_them_out(inkling: Inkling, memory: Path, spoilt: Path) -> None:
    told = inkling.here("predict", memory, spoilt, "--json", "-").json()
    assert told["n"] == len(told["predictions"]) == 18
    assert_all_told(told["skipped"])


def test_embed_leaves_them_out(inkling: Inkling, spoilt: Path) -> None:
    told = inkling.here("embed", spoilt, "--encoder", "sketch", "--output", "e.parquet", "--json", "-").json()
    assert told["images"] == 18
    assert_all_told(told["skipped"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("predict", "drawn.ink", "bad", "--output", "out.csv"),
        ("predict", "drawn.ink", "bad", "--output", "-"),
        ("predict", "drawn.ink", "bad", "--json", "out.csv"),
        ("embed", "bad", "--encoder", "sketch", "--output", "out.parquet"),
        ("evaluate", "drawn.ink", "bad", "--json", "out.csv"),
        ("fit", "bad", "--memory", "drawn.ink", "--encoder", "sketch", "--replace"),
        ("fit", "bad", "--memory", "drawn.ink", "--encoder", "sketch", "--update"),
    ],
)
@pytest.mark.usefixtures("memory")
def test_nothing_readable_is_an_error_and_older_files_stay(inkling: Inkling, arguments: tuple[str, ...]) -> None:
    for kind in ("car", "house"):
        (inkling.folder / "bad" / kind).mkdir(parents=True)
        (inkling.folder / "bad" / kind / "a.png").write_text("nothing")
    for name in ("out.csv", "out.parquet"):
        (inkling.folder / name).write_text("older")
    before = {path: path.read_bytes() for path in inkling.folder.iterdir() if path.is_file()}
    inkling.here(*arguments).refused("bad/car/a.png", "can be ")
    assert {path: path.read_bytes() for path in inkling.folder.iterdir() if path.is_file()} == before


def test_a_class_without_a_readable_image_is_known_by_its_text(inkling: Inkling, drawn: Path) -> None:
    shutil.copytree(drawn / "train", inkling.folder / "photos")
    for path in (inkling.folder / "photos" / "tree").iterdir():
        path.write_text("nothing")
    done = inkling.here("fit", "photos", "--memory", "t.ink", "--encoder", "sketch")
    assert "Known by text alone: tree" in done.err
    told = inkling.here("predict", "t.ink", drawn / "test" / "tree", "--json", "-").json()
    assert "tree" in {one["label"] for one in told["predictions"]}


def test_images_without_a_class_are_skipped_in_fit(inkling: Inkling, drawn: Path) -> None:
    shutil.copytree(drawn / "train", inkling.folder / "photos")
    shutil.copy(drawn / "test" / "car" / "car-0000.png", inkling.folder / "photos" / "loose.png")
    arguments = ("fit", "photos", "--memory", "l.ink", "--encoder", "sketch", "--json", "-")
    assert reasons(inkling.here(*arguments).json()["skipped"]) == {"loose.png": "no label"}
    inkling.here(*arguments, "--replace", "--strict").refused("1 image cannot be used")


def test_test_images_of_unknown_classes_are_left_out_by_name(inkling: Inkling, memory: Path, drawn: Path) -> None:
    shutil.copytree(drawn / "test", inkling.folder / "photos")
    (inkling.folder / "photos" / "tree").rename(inkling.folder / "photos" / "birch")
    shutil.copy(drawn / "test" / "car" / "car-0000.png", inkling.folder / "photos" / "loose.png")
    done = inkling.here("evaluate", memory, "photos")
    assert "top-1 (16 images)" in done.out
    assert "no known class: birch 8" in done.err
    assert "no label: 1 image" in done.err
