"""inkling finetune from the outside: what it writes, what it refuses, and that refusals cost nothing."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import pytest

from inkling.sketch import write_dataset
from tests.cli.program import Inkling

KINDS = ("snail", "anchor", "castle")
QUICK = ("--encoder", "sketch", "--preset", "last-blocks", "--steps", "6", "--folds", "2")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``train`` with several pictures of each kind, ``one`` with one of each, ``test``."""
    folder = tmp_path_factory.mktemp("pictures")
    write_dataset(folder / "train", KINDS, 5, seed=1, size=64)
    write_dataset(folder / "one", KINDS, 1, seed=3, size=64)
    write_dataset(folder / "test", KINDS, 4, seed=2, size=64)
    return folder


def test_from_images_to_a_memory_that_evaluate_and_predict_read(inkling: Inkling, pictures: Path) -> None:
    done = inkling.here(
        "finetune", pictures / "train", "--memory", "a.ink", *QUICK, "--report", "r.html", "--json", "f.json"
    )
    assert done.code == 0, done.err
    facts = json.loads((inkling.folder / "f.json").read_text())
    assert [one["name"] for one in facts["candidates"]] == ["zero-shot", "head", "fine-tuned"]
    assert facts["ships"] in done.out
    assert (inkling.folder / "a.finetuned" / "encoder" / "model.safetensors").is_file()
    assert len((inkling.folder / "a.finetuned" / "training" / "log.csv").read_text().splitlines()) > 2
    assert (inkling.folder / "r.html").read_text().count("<polyline") >= 5
    evaluated = inkling.here("evaluate", "a.ink", pictures / "test", "--json", "-", "--report", "e.html")
    assert evaluated.json()["n"] == 12
    assert 'id="fine-tuning"' in (inkling.folder / "e.html").read_text()
    assert inkling.here("predict", "a.ink", pictures / "test").code == 0


def test_a_memory_keeps_its_images_and_switches_encoders(inkling: Inkling, pictures: Path) -> None:
    fitted = inkling.here("fit", pictures / "one", "--memory", "a.ink", "--encoder", "sketch")
    assert fitted.code == 0, fitted.err
    done = inkling.here("finetune", pictures / "one", "--memory", "a.ink", *QUICK[2:], "--json", "-")
    facts = done.json()
    assert (facts["ships"], facts["memory_version"], facts["memory_changed"]) == ("fine-tuned", 2, True)
    info = inkling.here("info", "a.ink", "--json", "-").json()
    assert info["encoder"]["fingerprint"] == facts["encoder_fingerprint"]
    assert sum(one["images"] for one in info["classes"]) == 3
    assert "without evidence" in info["finding"]
    assert inkling.here("evaluate", "a.ink", pictures / "test", "--json", "-").json()["memory_version"] == 2


def test_a_rate_of_a_memory_that_can_no_longer_be_kept_is_no_obstacle(inkling: Inkling, pictures: Path) -> None:
    fitted = inkling.here(
        "fit", pictures / "train", "--memory", "a.ink", "--encoder", "sketch", "--false-alarms", "0.1"
    )
    assert fitted.code == 0, fitted.err
    tuned = ("finetune", pictures / "train", "--memory", "a.ink", *QUICK[2:])
    first = inkling.here(*tuned, "--json", "-").json()
    begun = inkling.here(
        *tuned, "--encoder", inkling.folder / "a.finetuned" / "encoder", "--output", "again", "--json", "-"
    ).json()
    assert first["unknown"]["calibration"]["false_alarms"] == 0.1
    assert begun["from"]["fingerprint"] == first["encoder_fingerprint"]


def test_adapters_can_be_merged_elsewhere(inkling: Inkling, pictures: Path) -> None:
    done = inkling.here(
        "finetune",
        pictures / "one",
        "--memory",
        "a.ink",
        *QUICK,
        "--preset",
        "lora",
        "--json",
        "-",
        "--interpolate",
        "1",
    )
    facts = done.json()
    merged = inkling.here(
        "merge-adapters", facts["adapters"], "--encoder", "sketch", "--output", "merged", "--json", "-"
    )
    assert merged.code == 0, merged.err
    assert inkling.here("fit", pictures / "train", "--memory", "b.ink", "--encoder", "merged").code == 0


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(inkling: Inkling, pictures: Path) -> None:
    steps = ("--steps", "40", "--train", "projection", "--output", "run")
    started = inkling.started("finetune", pictures / "one", "--memory", "a.ink", *QUICK, *steps)
    deadline = time.monotonic() + 120
    while not (inkling.folder / "run" / "training" / "log.csv").is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    started.send_signal(signal.SIGKILL)
    started.wait()
    assert not (inkling.folder / "a.ink").exists()
    again = inkling("finetune", pictures / "one", "--memory", "a.ink", *QUICK, *steps[:-2], "--resume", "run")
    assert again.code == 0, again.err
    whole = inkling.here("finetune", pictures / "one", "--memory", "b.ink", *QUICK, *steps[:-2], "--output", "other")
    assert whole.code == 0, whole.err
    one, other = ((inkling.folder / name / "encoder" / "model.safetensors").read_bytes() for name in ("run", "other"))
    assert one == other


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--train", "blocks:0"), "number of blocks"),
        (("--preset", "lorra"), "Did you mean 'lora'"),
        (("--lr", "2"), "learning rate must be above 0 and at most 1"),
        (("--lr", "1"), "would diverge"),
        (("--false-alarms", "0.05"), "at least 19 known images to calibrate on, and there are 15"),
        (("--interpolate", "half"), "'auto' or a number from 0 to 1"),
        (("--interpolate", "1.5"), "interpolate must be a number, at least 0 and at most 1"),
        (("--epochs", "2"), "exactly one"),
        (("--loss", "contrastive", "--batch-size", "9"), "one image of each class"),
        (("--resume", "nowhere/at/all"), "There is no run"),
        (("--encoder", "no-such-folder"), "no-such-folder"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_way_on(
    inkling: Inkling, pictures: Path, arguments: tuple[str, ...], told: str
) -> None:
    done = inkling.here("finetune", pictures / "train", "--memory", "a.ink", *QUICK, *arguments)
    done.refused(told)
    assert not (inkling.folder / "a.ink").exists()
    assert not (inkling.folder / "a.finetuned" / "encoder").exists()


def test_what_is_missing_is_asked_for(inkling: Inkling, pictures: Path) -> None:
    inkling.here("finetune", pictures / "train").refused("--memory is missing")
    inkling.here("merge-adapters", "adapters").refused("--encoder is missing")
    inkling.here("merge-adapters", "adapters", "--encoder", "sketch", "--output", "m").refused("adapter_config")


def test_one_class_is_too_few(inkling: Inkling, pictures: Path) -> None:
    shutil.copytree(pictures / "train" / KINDS[0], inkling.folder / "only" / KINDS[0])
    done = inkling.here("finetune", "only", "--memory", "a.ink", *QUICK)
    done.refused("at least two classes")


def test_another_run_in_the_folder_is_not_touched(inkling: Inkling, pictures: Path) -> None:
    (inkling.folder / "a.finetuned").mkdir()
    (inkling.folder / "a.finetuned" / "thesis.txt").write_text("mine")
    done = inkling.here("finetune", pictures / "one", "--memory", "a.ink", *QUICK)
    done.refused("a.finetuned")
    assert (inkling.folder / "a.finetuned" / "thesis.txt").read_text() == "mine"


def test_images_of_the_memory_that_are_gone_stop_the_run_before_it_begins(inkling: Inkling, pictures: Path) -> None:
    shutil.copytree(pictures / "train", inkling.folder / "mine")
    assert inkling.here("fit", "mine", "--memory", "a.ink", "--encoder", "sketch").code == 0
    shutil.rmtree(inkling.folder / "mine")
    before = (inkling.folder / "a.ink").read_bytes()
    inkling.here("finetune", pictures / "one", "--memory", "a.ink", *QUICK).refused("not where they were")
    assert (inkling.folder / "a.ink").read_bytes() == before


def test_vectors_and_encoders_without_towers_are_refused(inkling: Inkling, pictures: Path, surrogate: Path) -> None:
    assert inkling.here("embed", pictures / "one", "--encoder", "sketch", "--output", "v.parquet").code == 0
    inkling.here("finetune", "v.parquet", "--memory", "a.ink", *QUICK).refused("the images themselves")
    done = inkling.here("finetune", pictures / "one", "--memory", "a.ink", "--encoder", surrogate)
    done.refused("needs both towers")
