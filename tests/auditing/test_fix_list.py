"""Corrections as a table."""

from __future__ import annotations

import csv
from pathlib import Path

from inkling.auditing.findings import Finding
from inkling.auditing.fix_list import write_fix_list
from inkling.filing.fix_list import COLUMNS

FINDINGS = (
    Finding("mislabelled", ("a.png",), "Wrong, surely.", 0.9, "", ("cat", "car"), "car"),
    Finding("unreadable", ("b.png",), "It is cut short.", 1.0, ""),
    Finding("exact_duplicate", ("c.png", "d.png", "e.png"), "Thrice.", 1.0, "", ("cat",)),
    Finding("ambiguous", ("a.png",), "cat or car", 0.8, "", ("cat", "car")),
    Finding("ambiguous", ("f, g.png",), 'a "b"', 0.8, "", ("cat", "car")),
    Finding("leak", ("h.png", "tested.png"), "Tested on.", 1.0, "", ("cat",)),
    Finding("near_duplicate", ("i.png", "j.png"), "Alike.", 0.99, "", ("cat",)),
    Finding("few_images", (), "cat has 2 images.", 0.5, "", ("cat",)),
)


def test_a_row_names_the_other_images_that_it_is_about(tmp_path: Path) -> None:
    copies = tuple(f"{number}.png" for number in range(1000))
    conflict = Finding("label_conflict", ("k.png", "l.png"), "One.", 1.0, "", ("car", "cat"), labels=("car", "cat"))
    found = (
        FINDINGS[2],
        FINDINGS[5],
        conflict,
        Finding("near_duplicate", copies, "Alike.", 1.0, "", ("cat",), labels=("cat",) * 1000),
    )
    write_fix_list(tmp_path / "fixes.csv", found)
    with (tmp_path / "fixes.csv").open(newline="", encoding="utf-8") as file:
        told = {row["path"]: row["evidence"] for row in csv.DictReader(file)}
    assert told["d.png"] == "Thrice. Other files: c.png, e.png."
    assert told["h.png"] == "Tested on. Other file: tested.png."
    assert told["k.png"] == "One. Other file: l.png (cat)."
    assert told["l.png"] == "One. Other file: k.png (car)."
    assert told["1.png"] == "Alike. Other files: 0.png, 2.png, 3.png and 996 more."
    assert told["999.png"] == "Alike. Other files: 0.png, 1.png, 2.png and 996 more."


def test_each_image_has_one_row_by_its_first_finding(tmp_path: Path) -> None:
    assert write_fix_list(tmp_path / "fixes.csv", FINDINGS) == 7
    with (tmp_path / "fixes.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == COLUMNS
    assert [tuple(row[:4]) for row in rows] == [
        ("a.png", "relabel", "car", "mislabelled"),
        ("b.png", "drop", "", "unreadable"),
        ("d.png", "drop", "", "exact_duplicate"),
        ("e.png", "drop", "", "exact_duplicate"),
        ("f, g.png", "keep", "", "ambiguous"),
        ("h.png", "keep", "", "leak"),
        ("j.png", "drop", "", "near_duplicate"),
    ]
