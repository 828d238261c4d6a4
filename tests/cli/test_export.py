"""inkling export: a folder, its check, and what is refused."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.cli.light_encoder import write_light_encoder
from tests.cli.program import Inkling


@pytest.fixture
def light(inkling: Inkling, drawn: Path) -> Path:
    """A memory ``a.ink`` whose encoder lies in the folder ``light``."""
    write_light_encoder(inkling.folder / "light")
    done = inkling.here("fit", drawn / "train", "--memory", "a.ink", "--encoder", "light", "--head", "gda")
    assert done.code == 0, done.err
    return inkling.folder / "a.ink"


def test_it_prints_what_was_checked(inkling: Inkling, light: Path) -> None:
    done = inkling.here("export", "a.ink", "--output", "out", "--license", "MIT", "--json", "out.json")
    assert done.code == 0, done.err
    assert "18 pictures, 18 labels equal" in done.out
    assert "out/example" in done.err
    told = json.loads((inkling.folder / "out.json").read_text())
    assert told["folder"].endswith("/out")
    assert told["parity"]["labels_equal"] == told["parity"]["pictures"] == 18
    assert told["files"].keys() >= {"model.onnx", "run.py", "example/expected.jsonl"}
    assert told["licences"]["export"] == "MIT"


def test_json_alone_on_standard_output(inkling: Inkling, light: Path) -> None:
    assert inkling.here("export", "a.ink", "--output", "out", "--json", "-").json()["format"] == "onnx"
    assert inkling.here("export", "--verify", "out", "--json", "-").json()["damage"] == []


def test_verifying_tells_by_its_exit_code(inkling: Inkling, light: Path) -> None:
    inkling.here("export", "a.ink", "--output", "out")
    alone = inkling.here("export", "--verify", "out")
    assert (alone.code, alone.out) == (0, "out is sound: its files and answers are those that it was written with.\n")
    beside = inkling.here("export", "a.ink", "--verify", "out")
    assert (beside.code, beside.out) == (0, "out is sound and answers as the memory does, on 18 pictures.\n")
    inkling.here("rename", "a.ink", "car", "automobile")
    moved = inkling.here("export", "a.ink", "--verify", "out")
    assert moved.code == 1
    assert "out is sound, but the memory has moved on: its version was 1 and is 2" in moved.out
    (inkling.folder / "out" / "labels.json").write_text('["a", "b", "c"]')
    inkling.here("export", "a.ink", "--verify", "out").refused("'out' can't be relied on: labels.json was changed")


def test_an_encoder_that_moved(inkling: Inkling, light: Path) -> None:
    (inkling.folder / "light").rename(inkling.folder / "elsewhere")
    inkling.here("export", "a.ink", "--output", "out").refused("is not at hand", "--encoder")
    assert not (inkling.folder / "out").exists()
    done = inkling.here("export", "a.ink", "--output", "out", "--encoder", "elsewhere")
    assert done.code == 0, done.err
    assert inkling.here("export", "a.ink", "--verify", "out", "--encoder", "elsewhere").code == 0


def test_class_names_alone(inkling: Inkling) -> None:
    done = inkling.here("export", "--zero-shot", "car, tree,house", "--encoder", "sketch", "--output", "names")
    assert done.code == 0, done.err
    assert json.loads((inkling.folder / "names" / "labels.json").read_text()) == ["car", "house", "tree"]


def test_prompts_describe_classes(inkling: Inkling) -> None:
    (inkling.folder / "prompts.yaml").write_text("tree: [a photo of a tree.]\n")
    arguments = ("--zero-shot", "car", "--prompts", "prompts.yaml", "--encoder", "sketch", "--output", "names")
    assert inkling.here("export", *arguments).code == 0
    assert json.loads((inkling.folder / "names" / "labels.json").read_text()) == ["car", "tree"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("missing.ink", "--output", "out"), "There is no memory"),
        (("--output", "out"), "no memory is named"),
        (("a.ink",), "--output DIR is missing"),
        (("a.ink", "--output", "light"), "is there already"),
        (("a.ink", "--output", "light", "--overwrite"), "no export of Inkling"),
        (("a.ink", "--output", "missing/out"), "does not exist"),
        (("a.ink", "--output", "out", "--format", "tflite"), "There is no format 'tflite'"),
        (("a.ink", "--output", "out", "--precision", "int3"), "can't be exported in 'int3'"),
        (("a.ink", "--output", "out", "--check", "nowhere"), "'nowhere' does not exist"),
        (("a.ink", "--output", "out", "--max-loss", "much"), "must be a number"),
        (("a.ink", "--output", "out", "--templates", "simple"), "--templates has no effect"),
        (("a.ink", "--output", "out", "--zero-shot", "a,b"), "a memory has no effect beside --zero-shot"),
        (("--zero-shot", "car,tree", "--encoder", "nowhere", "--output", "out"), "There is no encoder 'nowhere'"),
        (("--zero-shot", "car", "--encoder", "sketch", "--output", "out"), "at least two classes"),
        (("--zero-shot", "car,X1A9", "--encoder", "sketch", "--output", "out"), "none for X1A9"),
        (("--zero-shot", "car,tree", "--encoder", "light", "--output", "out"), "none for car, tree"),
        (("--verify", "nowhere"), "There is no folder"),
        (("--verify", "light"), "no export of Inkling"),
        (("--verify", "light", "--output", "out"), "--output has no effect beside --verify"),
    ],
)
def test_what_cannot_be_meant(inkling: Inkling, light: Path, arguments: tuple[str, ...], told: str) -> None:
    inkling.here("export", *arguments).refused(told)
    assert not (inkling.folder / "out").exists()


def test_a_killed_export_leaves_nothing_half_written(inkling: Inkling, light: Path) -> None:
    running = inkling.started("export", "a.ink", "--output", "out")
    while not list(inkling.folder.glob(".inkling-*.part/out/model.onnx")):
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert not (inkling.folder / "out").exists()
    assert inkling.here("export", "a.ink", "--output", "out").code == 0
    assert list(inkling.folder.glob(".inkling-*")) == []


def test_a_stopped_export_takes_its_draft_away(inkling: Inkling, light: Path) -> None:
    running = inkling.started("export", "a.ink", "--output", "out")
    while not list(inkling.folder.glob(".inkling-*.part/out/model.onnx")):
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate()
    assert running.returncode == 130, err
    assert not (inkling.folder / "out").exists()
    assert list(inkling.folder.glob(".inkling-*")) == []


def test_a_program_of_its_own_beside_the_folder_is_kept(inkling: Inkling, light: Path) -> None:
    inkling.here("export", "a.ink", "--output", "out")
    shutil.copy(light, inkling.folder / "out" / "a.ink")
    inkling.here("export", "a.ink", "--output", "out", "--overwrite").refused("holds 'a.ink'")
