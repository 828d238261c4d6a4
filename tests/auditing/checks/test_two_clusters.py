"""Two things under one name, among drawn pictures and among vectors."""

from __future__ import annotations

import re
from pathlib import Path

import inkling
from inkling.auditing.audit import Audit
from inkling.sketch import write_dataset

THINGS = ("car", "tree", "star", "house", "mushroom", "rocket", "heart", "cat", "key")


def audited(folder: Path) -> Audit:
    return inkling.audit(folder, encoder="sketch", cache=False)


def test_two_things_under_one_name(tmp_path: Path) -> None:
    write_dataset(tmp_path, THINGS, 8, seed=5)
    for path in (tmp_path / "cat").iterdir():
        path.rename(tmp_path / "car" / path.name)
    (tmp_path / "cat").rmdir()
    (one,) = (one for one in audited(tmp_path).findings if one.kind == "two_clusters")
    assert one.classes == ("car",)
    sizes = re.search(r"two clusters, of (\d+) and (\d+),", one.evidence)
    assert sizes is not None
    assert sum(map(int, sizes.groups())) == 16
    assert {Path(file).name.partition("-")[0] for file in one.files} == {"car", "cat"}
    assert 0.5 <= one.score < 1.0


def test_sound_classes_and_too_few_of_them(tmp_path: Path) -> None:
    write_dataset(tmp_path / "sound", THINGS, 8, seed=5)
    assert "two_clusters" not in audited(tmp_path / "sound").counts
    write_dataset(tmp_path / "few", THINGS[:3], 8, seed=5)
    assert "fewer than 8" in audited(tmp_path / "few").not_checked["two clusters"]
    write_dataset(tmp_path / "small", THINGS, 3, seed=5)
    assert "fewer than 6 images" in audited(tmp_path / "small").not_checked["two clusters"]
