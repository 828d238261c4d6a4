"""inkling audit: what it prints and writes, and what is refused."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

from inkling.sketch import write_dataset
from tests.cli.program import Inkling


def test_planted_faults_are_named(inkling: Inkling, drawn: Path) -> None:
    train = inkling.folder / "train"
    write_dataset(train, ("car", "cat", "tree"), 12, seed=5)
    (train / "car" / "car-0003.png").rename(train / "tree" / "moved.png")
    (train / "cat" / "broken.png").write_bytes(b"no picture")
    shutil.copy(train / "cat" / "cat-0001.png", train / "cat" / "copy.png")
    asked = ("audit", "train", "--encoder", "sketch", "--against", drawn / "test")
    done = inkling.here(*asked, "--json", "a.json", "--fix-list", "f.csv")
    assert done.code == 0, done.err
    assert "moved.png" in done.out
    assert "Of 1 label said to be wrong, about 1 are expected to be." in done.err
    assert "Looked for, and not found: label conflict, leak, near duplicate, " in done.err
    assert " 36 " in done.out.split("different images")[1].splitlines()[0]
    told = json.loads((inkling.folder / "a.json").read_text())
    assert told["counts"] == {"mislabelled": 1, "unreadable": 1, "exact_duplicate": 1}
    assert {"kind", "files", "evidence", "score", "suggestion"} <= told["findings"][0].keys()
    assert (inkling.folder / "f.csv").read_text().count("\n") == told["fixes"] + 1


def test_findings_are_short_to_read(inkling: Inkling) -> None:
    """The folder that all files are in, and what to do about findings of a kind, stand there once."""
    for label in ("car", "cat"):
        write_dataset(inkling.folder / "long" / "way" / "train", (label,), 12, seed=5)
    train = inkling.folder / "long" / "way" / "train"
    for label in ("car", "cat"):
        (train / label / "broken.png").write_bytes(b"no picture")
    done = inkling.here("audit", train, "--encoder", "sketch")
    assert " cat/broken.png " in done.out
    assert done.out.count("Repair it or leave it out.") == 1
    assert done.err.count(f"All files are in {train}/.") == 1
    assert str(train) not in done.out


def test_what_several_files_show_names_each_of_them(inkling: Inkling, drawn: Path) -> None:
    """Paths of all are as short as that of the first; a conflict and a leak tell the other's class."""
    photos = inkling.folder / "photos"
    for part, seed in (("train", 5), ("test", 6)):
        write_dataset(photos / part, ("car", "tree"), 12, seed=seed)
    train = photos / "train"
    shutil.copy(train / "car" / "car-0001.png", train / "tree" / "odd.png")
    shutil.copy(train / "car" / "car-0002.png", train / "car" / "again.png")
    shutil.copy(train / "tree" / "tree-0003.png", photos / "test" / "car" / "seen.png")
    asked = ("audit", train, "--encoder", "sketch", "--against", photos / "test")
    done = inkling.here(*asked, "--json", "a.json", "--fix-list", "f.csv")
    told = " ".join(done.out.split())
    assert "train/car/car-0001.png They are the same file, but they are labelled car and tree." in told
    assert "Other file: train/tree/odd.png (tree)." in told
    assert "Other file: test/car/seen.png (car)." in told
    assert "train/car/again.png They are the same file. Other file: train/car/car-0002.png." in told
    assert str(photos) not in done.out
    assert f"All files are in {photos}/." in done.err

    found = {one["kind"]: one for one in json.loads((inkling.folder / "a.json").read_text())["findings"]}
    assert found["label_conflict"]["labels"] == ["car", "tree"]
    assert found["leak"]["labels"] == ["tree", "car"]
    with (inkling.folder / "f.csv").open(newline="") as file:
        rows = {row["path"]: row["evidence"] for row in csv.DictReader(file)}
    first, other = train / "car" / "car-0001.png", train / "tree" / "odd.png"
    assert rows[str(first)].endswith(f"Other file: {other} (tree).")
    assert rows[str(other)].endswith(f"Other file: {first} (car).")


def test_what_is_refused(inkling: Inkling, drawn: Path) -> None:
    inkling.here("audit", "nowhere", "--encoder", "sketch").refused("does not exist")
    inkling.here("audit", drawn / "train" / "car", "--encoder", "sketch").refused("label")
    asked = ("audit", drawn / "train", "--encoder", "sketch")
    inkling.here(*asked, "--against", "nowhere").refused("does not exist")
    inkling.here(*asked, "--fix-list", "no/such/folder.csv").refused("does not exist")


def test_fit_says_in_two_lines_what_is_worth_a_look(inkling: Inkling) -> None:
    train = inkling.folder / "train"
    write_dataset(train, ("car", "cat", "tree"), 12, seed=5)
    asked = ("fit", "train", "--encoder", "sketch", "--memory")
    sound = inkling.here(*asked, "a.ink")
    assert "audit" not in sound.err
    (train / "car" / "car-0003.png").rename(train / "tree" / "moved.png")
    done = inkling.here(*asked, "b.ink", "--json", "b.json")
    told = [line for line in done.err.splitlines() if "moved.png" in line or "inkling audit" in line]
    assert len(told) == 2, done.err
    found = json.loads((inkling.folder / "b.json").read_text())["worth_a_look"]
    assert [(one["label"], one["instead"]) for one in found["mislabelled"]] == [("tree", "car")]
    assert found["finding"] == told[0]


def test_what_is_left_out_is_said(inkling: Inkling, drawn: Path) -> None:
    train = Path(shutil.copytree(drawn / "train", inkling.folder / "train"))
    (train / "note.txt").write_text("no picture")
    for one in (train / "car").iterdir():
        one.write_bytes(b"no picture")
    done = inkling.here("audit", "train", "--encoder", "sketch", "--json", "a.json")
    assert "Ignored: 1 .txt." in done.err
    assert "Left out, since none of their images can be used: car." in done.err
    told = json.loads((inkling.folder / "a.json").read_text())
    assert (told["ignored"], told["classes_left_out"]) == ({".txt": 1}, ["car"])


def test_what_was_found_is_printed_where_the_report_cannot_be_written(inkling: Inkling, small_disk: Path) -> None:
    train = inkling.folder / "train"
    write_dataset(train, ("car", "cat"), 6, seed=5)
    (train / "cat" / "broken.png").write_bytes(b"no picture")
    (small_disk / "full").write_bytes(bytes(1 << 20)[: shutil.disk_usage(small_disk).free])
    done = inkling.here("audit", train, "--encoder", "sketch", "--report", small_disk / "a.html")
    assert done.code == 2
    assert "broken.png" in done.out
