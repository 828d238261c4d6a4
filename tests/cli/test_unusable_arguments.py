"""Arguments that can't be used among good ones are passed over, told and counted; the exit code says so."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pytest

from inkling.cli.border import _at_home
from tests.cli.program import Inkling


@pytest.fixture
def picture(drawn: Path) -> Path:
    return drawn / "test" / "car" / "car-0000.png"


def test_all_fine_is_0(inkling: Inkling, memory: Path, picture: Path) -> None:
    assert inkling.here("predict", memory, picture, picture.parent).code == 0


def test_one_missing_among_good_ones_is_1(inkling: Inkling, memory: Path, picture: Path) -> None:
    done = inkling.here("predict", memory, "nowhere.png", picture, memory, "--json", "-")
    assert done.code == 1
    assert done.json()["n"] == 1
    reasons = {Path(one["path"]).name: one["reason"] for one in done.json()["skipped"]}
    assert "does not exist" in reasons["nowhere.png"]
    assert "is a memory; images were expected" in reasons["drawn.ink"]
    assert "Skipped 2 images:" in done.err


def test_a_damaged_picture_that_was_named_is_1_and_one_in_a_folder_is_0(
    inkling: Inkling, memory: Path, picture: Path
) -> None:
    folder = inkling.folder / "inbox"
    folder.mkdir()
    shutil.copy(picture, folder)
    (folder / "bad.png").write_bytes(b"no picture")
    assert inkling.here("predict", memory, folder).code == 0
    assert inkling.here("predict", memory, folder / "bad.png", picture).code == 1


def test_vectors_of_another_encoder_among_good_images_are_1(inkling: Inkling, memory: Path, picture: Path) -> None:
    np.savez(inkling.folder / "other.npz", x=np.eye(4))
    done = inkling.here("predict", memory, picture, "other.npz", "--output", "out.csv")
    assert done.code == 1
    assert len((inkling.folder / "out.csv").read_text().splitlines()) == 2
    assert "other.npz: " in done.err


def test_nothing_that_can_be_used_is_2(inkling: Inkling, memory: Path) -> None:
    inkling.here("predict", memory, "a.png", "b.png").refused("None of the 2 arguments can be used", "'a.png'")
    inkling.here("predict", memory, "").refused("name of the images is empty")
    inkling.here("predict", memory, memory).refused("is a memory; images were expected")


def test_class_folders_without_an_image_are_named(inkling: Inkling, drawn: Path) -> None:
    photos = Path(shutil.copytree(drawn / "train", inkling.folder / "photos"))
    (photos / "boat").mkdir()
    (photos / "birch").mkdir()
    (photos / "birch" / "bad.png").write_bytes(b"")
    done = inkling.here("fit", photos, "--memory", "new.ink", "--encoder", "sketch")
    assert done.code == 0, done.err
    assert "Left out, since none of their images can be used: boat." in done.err
    assert "Known by text alone: birch." in done.err


def test_flat_folders_are_refused_with_what_is_expected(inkling: Inkling, memory: Path, picture: Path) -> None:
    for arguments in (("fit", picture.parent, "--memory", "n.ink", "--encoder", "sketch"), ("evaluate", memory)):
        done = inkling.here(*arguments, *([picture.parent] if arguments[0] == "evaluate" else []))
        done.refused("one subfolder a class (photos/cat/1.jpg, photos/dog/2.jpg)")


def test_names_do_not_steer_the_terminal(inkling: Inkling, memory: Path, picture: Path) -> None:
    steering = "a\x1b[2J\x9b1m\u202eb.png"
    shutil.copy(picture, inkling.folder / steering)
    (inkling.folder / f"bad{steering}").write_bytes(b"")
    told = inkling.here("predict", memory, inkling.folder / steering, inkling.folder / f"bad{steering}")
    assert told.code == 1
    refused = inkling.here("predict", memory, f"missing{steering}")
    as_json = inkling.here("predict", memory, steering, "--json", "-")
    as_csv = inkling.here("predict", memory, steering, "--output", "-")
    for text in (told.out, told.err, refused.err, as_json.out, as_csv.out):
        assert "b.png" in text
        assert not set(text) & {"\x1b", "\x9b", "\u202e"}
    assert as_json.json()["predictions"][0]["path"] == steering


@pytest.mark.parametrize("name", ["=1+2.png", "+1.png", "-1.png", "@sum.png", "\tx.png", "plain.png"])
def test_cells_that_a_spreadsheet_would_run(inkling: Inkling, memory: Path, picture: Path, name: str) -> None:
    shutil.copy(picture, inkling.folder / name)
    (inkling.folder / "list.csv").write_text(f'path\n"./{name}"\n')

    def path_by(*options: str) -> str:
        done = inkling.here("predict", memory, "--output", "-", *options, "--", name)
        assert done.code == 0, done.err
        return next(csv.DictReader(io.StringIO(done.out)))["path"]

    assert path_by() == (name if name == "plain.png" else "'" + name.replace("\t", "\\x09"))
    assert path_by("--raw-csv") == name


def test_a_tilde_is_the_home_folder(
    inkling: Inkling, memory: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(inkling.folder))
    monkeypatch.setenv("USERPROFILE", str(inkling.folder))
    shutil.copy(picture, inkling.folder / "p.png")
    done = inkling.here("predict", "~/drawn.ink", "~/p.png", "--output=~/out.csv")
    assert done.code == 0, done.err
    assert (inkling.folder / "out.csv").is_file()
    assert memory.is_file()


@pytest.mark.parametrize("argument", ["~", "a~/b", "~nobody-of-that-name/a", "--name=x", "text ~/x", "--prompt", "~x"])
def test_other_tildes_stay(argument: str) -> None:
    assert _at_home(argument) == argument


@pytest.mark.parametrize("stdin", [False, True])
def test_a_missing_row_of_a_table_is_1(inkling: Inkling, memory: Path, drawn: Path, stdin: bool) -> None:
    rows = [(str(path), path.parent.name) for path in sorted((drawn / "test").rglob("*.png"))]
    whole = "\n".join(["path,label", *map(",".join, rows)])
    (inkling.folder / "whole.csv").write_text(whole)
    (inkling.folder / "rows.csv").write_text(f"{whole}\nnowhere/x.png,car")
    assert inkling.here("fit", "whole.csv", "--encoder", "sketch", "--memory", "n.ink").code == 0
    verbs: list[tuple[object, ...]] = [
        ("predict", memory),
        ("evaluate", memory),
        ("discover", "n.ink"),
        ("embed", "--encoder", "sketch", "--output", "o.npz"),
        ("fit", "--encoder", "sketch", "--memory", "n.ink", "--replace"),
        ("fit", "--memory", memory, "--update"),
        ("add-class", memory, "car"),
    ]
    for verb, *rest in verbs[: 3 if stdin else None]:
        if verb == "add-class":
            (inkling.folder / "whole.csv").write_text(f"path\n{drawn}/train/car/car-0000.png")
            (inkling.folder / "rows.csv").write_text(f"path\n{drawn}/train/car/car-0000.png\nnowhere/x.png")
            assert inkling.here("remove-class", memory, "car").code == 0
            rest.append("--images")
        for source, code in (("rows.csv", 1), ("whole.csv", 0)):
            if verb == "add-class" and code == 0:
                inkling.here("undo", memory)
            given = (inkling.folder / source).read_text() if stdin else None
            done = inkling.here(verb, *rest, "-" if stdin else source, stdin=given)
            assert done.code == code, (verb, source, done.err)
            assert ("nowhere/x.png: the file does not exist" in done.err + done.out) == bool(code)


def test_evaluate_says_that_training_images_were_left_out(inkling: Inkling, memory: Path, drawn: Path) -> None:
    rows = [(path, path.parent.name) for path in sorted((drawn / "train").rglob("*.png"))[:4]]
    others = [(path, "boat") for path in sorted((drawn / "test").rglob("*.png"))[:2]]
    (inkling.folder / "rows.csv").write_text("\n".join(["path,label", *(f"{a},{b}" for a, b in rows + others)]))
    inkling.here("evaluate", memory, "rows.csv").refused(
        "All 4 test images of known classes are among those that the memory was trained on",
        "the other 2 have no label of a known class",
        "--include-training",
    )


def test_a_fit_that_fails_tells_what_was_left_out(inkling: Inkling, drawn: Path) -> None:
    photos = inkling.folder / "photos"
    shutil.copytree(drawn / "train" / "car", photos / "7")
    (photos / "8").mkdir()
    (photos / "8" / "bad.png").write_bytes(b"nothing")
    (photos / "notes.txt").write_text("")
    done = inkling.here("fit", photos, "--memory", "n.ink", "--encoder", "sketch")
    done.refused("at least two classes", "Ignored: 1 .txt.", "Skipped 1 image:", "bad.png: not a JPEG")
