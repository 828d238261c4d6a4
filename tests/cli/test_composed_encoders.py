"""Joined, cut and registered encoders through the program: from fit to decisions, and where a part has gone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inkling.sketch import write_dataset
from tests.cli.program import Inkling
from tests.encoders.folders import write_clip
from tests.encoders.plugin_package import write_wheel


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder that is no other test's."""
    folder = tmp_path_factory.mktemp("composed") / "tiny"
    write_clip(folder, seed=7)
    return folder


def test_a_joined_encoder_from_fit_to_decisions(inkling: Inkling, drawn: Path, tiny: Path, tmp_path: Path) -> None:
    joined = f"sketch+{tiny}"
    fitted = inkling.here("fit", drawn / "test", "--memory", "m.ink", "--encoder", joined, "--json", "-").json()
    assert fitted["encoder"] == "sketch+tiny"
    info = inkling.here("info", "m.ink", "--json", "-").json()["encoder"]
    assert (info["source"], info["dimension"], info["feature_dimension"]) == (f"sketch + {tiny}", 128, 128 + 24)
    assert inkling.here("evaluate", "m.ink", drawn / "train").code == 0
    write_dataset(tmp_path / "new", ("fish",), 8, seed=3)
    seen = inkling.here("predict", "m.ink", tmp_path / "new", "--observe")
    assert seen.code == 0, seen.err
    assert inkling.here("discover", "m.ink", tmp_path / "new").code == 0
    added = inkling.here("add-class", "m.ink", "fish", "--images", tmp_path / "new")
    assert added.code == 0, added.err
    assert "fish" in inkling.here("classes", "m.ink").out


def test_vectors_of_a_joined_encoder_in_a_file(inkling: Inkling, drawn: Path, tiny: Path) -> None:
    pair = ("--encoder", f"sketch+{tiny}")
    embedded = inkling.here("embed", drawn / "train", *pair, "--output", "train.npz", "--json", "-").json()
    assert (embedded["dimension"], embedded["feature_dimension"]) == (128, 128 + 24)
    assert inkling.here("fit", "train.npz", "--memory", "m.ink", *pair).code == 0
    assert inkling.here("predict", "m.ink", drawn / "test").code == 0
    other = inkling.here("fit", "train.npz", "--memory", "other.ink", "--encoder", f"{tiny}+sketch")
    other.refused("--encoder 'sketch + ", "Their vectors cannot be compared")


def test_a_part_that_has_gone_is_named_and_found_again(inkling: Inkling, drawn: Path, tiny: Path) -> None:
    here = shutil.copytree(tiny, inkling.folder / "part")
    fitted = inkling.here(
        "fit", drawn / "train", "--memory", "m.ink", "--encoder", "sketch+part", "--head", "prototype"
    )
    assert fitted.code == 0, fitted.err
    here.rename(inkling.folder / "elsewhere")
    gone = inkling.here("predict", "m.ink", drawn / "test")
    gone.refused(
        f"Part 2 of the joined encoders, '{here}', can't be used",
        "Say where it is now, with all that it is joined of: --encoder",
    )
    assert inkling.here("predict", "m.ink", drawn / "test", "--encoder", "sketch+elsewhere").code == 0
    inkling.here("predict", "m.ink", drawn / "test", "--encoder", "sketch").refused("cannot be compared")


def test_a_memory_of_cut_vectors_needs_no_option(inkling: Inkling, drawn: Path) -> None:
    options = ("--memory", "m.ink", "--encoder", "sketch", "--dimensions", 32, "--head", "prototype")
    assert inkling.here("fit", drawn / "train", *options).code == 0
    assert inkling.here("info", "m.ink", "--json", "-").json()["encoder"]["dimension"] == 32
    by_memory = inkling.here("predict", "m.ink", drawn / "test", "--json", "-").json()
    by_option = inkling.here("predict", "m.ink", drawn / "test", "--encoder", "sketch", "--json", "-").json()
    assert by_memory["predictions"] == by_option["predictions"]
    assert inkling.here("embed", drawn / "test", "--encoder", "sketch@32", "--output", "v.npz").code == 0
    assert inkling.here("evaluate", "m.ink", "v.npz").code == 0


@pytest.mark.parametrize(("given", "told"), [("0", "1 or more, got '0'"), ("129", "can't be cut to 129"), ("x", "'x'")])
def test_numbers_of_dimensions_that_cannot_be(given: str, told: str, inkling: Inkling, drawn: Path) -> None:
    options = ("--encoder", "sketch", "--dimensions", given)
    inkling.here("embed", drawn / "train", *options, "--output", "v.npz").refused(told)
    inkling.here("fit", drawn / "train", *options, "--memory", "m.ink").refused(told)
    assert not any((inkling.folder / name).exists() for name in ("v.npz", "m.ink"))


def test_the_dimensions_of_a_memory_stay(inkling: Inkling, memory: Path, drawn: Path) -> None:
    inkling.here("fit", drawn / "train", "--memory", memory, "--update", "--dimensions", 8).refused("--dimensions")


def test_joined_encoders_are_not_fine_tuned(inkling: Inkling, drawn: Path, tiny: Path) -> None:
    for name in (f"{tiny}+sketch", f"{tiny}@8"):
        inkling.here("finetune", drawn / "train", "--encoder", name, "--memory", "m.ink").refused("can't be fine-tuned")


class Installed(Inkling):
    """With packages in a folder of their own."""

    @property
    def environment(self) -> dict[str, str]:
        own = super().environment
        return own | {"PYTHONPATH": f"{own['PYTHONPATH']}:{self.folder / 'site'}"}


@pytest.mark.slow
def test_an_installed_package_brings_an_encoder(inkling: Inkling, drawn: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    wheel = write_wheel(inkling.folder)
    subprocess.run([*pip, str(inkling.folder / "site"), str(wheel)], check=True, capture_output=True)
    program = Installed(inkling.folder, inkling.folder / "cache")
    (card,) = [one for one in program("encoders", "--json", "-").json()["encoders"] if one["kind"] == "plugin"]
    assert (card["name"], card["licence"], card["needs"]) == ("colours", "MIT", [])
    listed = program("encoders").out
    assert "Colours alone" in listed
    assert "no texts; of the package" not in listed
    assert "None" not in listed
    fitted = program("fit", drawn / "train", "--memory", "m.ink", "--encoder", "colours", "--head", "prototype")
    assert fitted.code == 0, fitted.err
    assert program("predict", "m.ink", drawn / "test").code == 0
    without = Inkling(inkling.folder, inkling.folder / "cache")("predict", "m.ink", drawn / "test")
    without.refused("'colours', is not at hand", "There is no encoder")
