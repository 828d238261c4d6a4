"""Where no image could be held out, verbs say so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inkling.cli.basis import unmeasured
from tests.cli.program import Inkling


def one_each(drawn: Path, folder: Path) -> Path:
    """The first image of each class."""
    for kind in sorted((drawn / "train").iterdir()):
        (folder / kind.name).mkdir(parents=True)
        shutil.copy(sorted(kind.iterdir())[0], folder / kind.name)
    return folder


@pytest.mark.parametrize(("head", "basis"), [("auto", "prior"), ("prototype", "none")])
def test_one_image_a_class_is_said_not_to_be_measured(
    head: str, basis: str, inkling: Inkling, drawn: Path, tmp_path: Path
) -> None:
    train, memory = one_each(drawn, tmp_path / "one"), str(tmp_path / "m.ink")
    fitted = inkling.here("fit", train, "--memory", memory, "--encoder", "sketch", "--head", head)
    assert f"{basis}: no image" in " ".join(fitted.out.split())
    predicted = inkling.here("predict", memory, train)
    assert f"Calibration: {basis}: no image" in " ".join((predicted.out + predicted.err).split())
    told = inkling.here("info", memory, "--json", "-").json()
    assert told["calibration"]["basis"] == basis


def test_memories_of_earlier_releases_name_no_basis() -> None:
    assert unmeasured({"n": 0}) == unmeasured({"n": 0, "basis": "none"})
    assert unmeasured({"n": 40}) is None


def test_a_scale_that_no_image_held_out_gave_is_named_however_many_there_were() -> None:
    assert "mostly less sure than right" in str(unmeasured({"n": 40, "basis": "unlabelled"}))
    assert unmeasured({"n": 40, "basis": "out of fold"}) is None
