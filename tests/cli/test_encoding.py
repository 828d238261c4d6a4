"""Verbs whose images are encoded in parts find what they find without."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from inkling.sketch import write_dataset
from tests.cli.program import Inkling

OF_CLOCKS = {"seconds", "embedding_seconds", "splits", "report"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    """Labelled and new pictures, some of them copies or broken, and a memory."""
    folder = tmp_path_factory.mktemp("made")
    write_dataset(folder / "train", ["car", "castle", "tree"], 8, seed=1)
    write_dataset(folder / "test", ["car", "castle", "moon"], 6, seed=2)
    for part in ("train", "test"):
        (folder / part / "castle" / "broken.png").write_bytes(b"no picture")
    shutil.copy(folder / "train" / "car" / "car-0000.png", folder / "test" / "car" / "seen.png")
    done = Inkling(folder, session_cache).here("fit", "train", "--memory", "a.ink", "--encoder", "sketch")
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def pictures(inkling: Inkling, made: Path) -> Path:
    """The same in the folder of a test."""
    shutil.copytree(made, inkling.folder, dirs_exist_ok=True)
    return inkling.folder


def told(inkling: Inkling, *arguments: object) -> Any:
    """What a verb writes as JSON, times aside."""
    shutil.copy(inkling.folder / "a.ink", inkling.folder / "b.ink")
    done = inkling.here(*arguments, "--json", "out.json")
    assert done.code == 0, done.err
    return _without_clocks(json.loads((inkling.folder / "out.json").read_text()))


def _without_clocks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_clocks(one) for key, one in value.items() if key not in OF_CLOCKS}
    return [_without_clocks(one) for one in value] if isinstance(value, list) else value


ASKED = {
    "discover": ("discover", "b.ink", "test", "--report", "sheet.html"),
    "evaluate": ("evaluate", "b.ink", "test"),
    "few-shot": ("evaluate", "train", "test", "--protocol", "few-shot", "--encoder", "sketch", "--draws", 1),
    "audit": ("audit", "train", "--encoder", "sketch", "--against", "test"),
    "audit of a memory": ("audit", "b.ink", "--against", "test"),
}
PARTS = {"few-shot": ("test", "train"), "audit": (".", "against"), "audit of a memory": ("against",)}


@pytest.mark.parametrize("verb", ASKED)
def test_vectors_in_parts_change_nothing(inkling: Inkling, pictures: Path, verb: str) -> None:
    alone = told(inkling, *ASKED[verb])
    sheet = (pictures / "sheet.html").read_text() if verb == "discover" else ""
    assert told(inkling, *ASKED[verb], "--output", "parts") == alone
    if verb == "discover":
        assert (pictures / "sheet.html").read_text().count("data:image/jpeg") == sheet.count("data:image/jpeg") > 0
    for folder in PARTS.get(verb, (".",)):
        assert json.loads((pictures / "parts" / folder / "manifest.json").read_text())["complete"]
    inkling.here(*ASKED[verb], "--output", "parts").refused("is not empty")


def test_kept_vectors_belong_to_their_images(inkling: Inkling, pictures: Path) -> None:
    asked = ("evaluate", "a.ink", "test", "--output", "parts")
    assert inkling.here(*asked).code == 0
    part = pictures / "parts" / "part-000000.parquet"
    whole = part.read_bytes()
    assert {"path", "embedding", "thumbnail", "error"} <= set(parquet.read_schema(part).names)
    part.write_bytes(whole[: len(whole) // 2])
    assert inkling.here(*asked, "--resume").code == 0
    assert part.read_bytes() == whole
    (pictures / "test" / "car" / "seen.png").unlink()
    inkling.here(*asked, "--resume").refused("holds another run", "images digest")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--resume",), "Name their folder: --output DIR"),
        (("--output", "a.parquet"), "is named like a file"),
        (("--engine", "spark"), "is no engine"),
        (("--address", "auto"), "has no effect without --engine ray"),
        (("--gpus", "0.5"), "has no effect without --engine ray"),
        (("--engine", "ray", "--gpus", "2"), "a share from 0 to 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(inkling: Inkling, options: tuple[str, ...], said: str) -> None:
    (inkling.folder / "a.ink").write_bytes(b"")
    inkling.here("discover", "a.ink", "test", *options).refused(said)


def test_vectors_are_not_encoded_again(inkling: Inkling, pictures: Path) -> None:
    assert inkling.here("embed", "test", "--encoder", "sketch", "--output", "v.parquet").code == 0
    inkling.here("evaluate", "a.ink", "v.parquet", "--output", "parts").refused("nothing to encode")
    inkling.here("discover", "a.ink", "--engine", "ray").refused("nothing to encode")


def test_an_audit_that_encodes_nothing_takes_no_parts(inkling: Inkling, pictures: Path) -> None:
    inkling.here("audit", "a.ink", "--output", "parts").refused("--output has no effect beside a memory")
    inkling.here("audit", "a.ink", "--engine", "ray").refused("--engine has no effect beside a memory")
    inkling.here("audit", "train", "--apply", "f.csv", "--output", "n", "--resume").refused("--resume has no effect")
