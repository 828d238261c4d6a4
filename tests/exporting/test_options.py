"""What an export is asked for: pictures to check with, places, limits, names."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from inkling import export
from inkling.errors import InputError
from inkling.exporting.target import files_in
from inkling.exporting.texts_alone import zero_shot_classifier


def test_pictures_that_cannot_be_read_are_named(drawn: Path, tmp_path: Path) -> None:
    check = tmp_path / "check"
    shutil.copytree(drawn / "test" / "car", check / "car")
    (check / "car" / "broken.png").write_bytes(b"no picture")
    exported = export(drawn / "a.ink", tmp_path / "out", check=check)
    assert [Path(one["path"]).name for one in exported.manifest["skipped"]] == ["broken.png"]
    assert exported.parity.pictures == 4


def test_fewer_examples_than_usual_are_counted(drawn: Path, tmp_path: Path) -> None:
    (tmp_path / "check").mkdir()
    shutil.copy(drawn / "test" / "car" / "car-0000.png", tmp_path / "check" / "a.png")
    exported = export(drawn / "a.ink", tmp_path / "out", check=tmp_path / "check")
    assert exported.manifest["examples"] == len(list((exported.folder / "example").glob("*.png"))) == 1


def test_pictures_have_no_effect_on_a_head(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="reads no pictures"):
        export(drawn / "a.ink", tmp_path / "out", format="head", check=drawn / "test")
    assert list(tmp_path.iterdir()) == []


def test_an_export_within_another_is_refused(drawn: Path, tmp_path: Path) -> None:
    folder = export(drawn / "a.ink", tmp_path / "out").folder
    files = files_in(folder)
    for place in (folder / "inside", folder / "example" / "inside"):
        with pytest.raises(InputError, match="within the export"):
            export(drawn / "a.ink", place)
    assert files_in(folder) == files


@pytest.mark.parametrize(("options", "told"), [({"max_loss": -1.0}, "0 or more"), ({"license": " "}, "is empty")])
def test_options_that_make_no_sense(drawn: Path, tmp_path: Path, options: Mapping[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        export(drawn / "a.ink", tmp_path / "out", **options)


@pytest.mark.parametrize("names", [[], ["cat"], ["cat", "cat"]])
def test_zero_shot_of_fewer_than_two_classes(names: list[str]) -> None:
    with pytest.raises(InputError, match="at least two classes") as refused:
        zero_shot_classifier(names, "sketch")
    assert "--zero-shot" in str(refused.value.remedy)
