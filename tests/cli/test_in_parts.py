"""A folder in place of a file: parts with a manifest, resumed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from inkling.bulk.engines import HereEngine
from inkling.bulk.parts import Written
from inkling.sketch import write_dataset
from tests.cli.program import Inkling


@pytest.fixture
def drawn(inkling: Inkling) -> Path:
    write_dataset(inkling.folder / "train", ["car", "castle", "tree"], 6, seed=1)
    write_dataset(inkling.folder / "new", ["car", "castle", "tree"], 2, seed=2)
    (inkling.folder / "new" / "broken.png").write_bytes(b"no picture")
    return inkling.folder


@pytest.fixture
def memory(inkling: Inkling, drawn: Path) -> str:
    assert inkling.here("fit", "train", "--memory", "a.ink", "--encoder", "sketch").code == 0
    return "a.ink"


def test_verdicts_in_parts_are_those_of_a_file(inkling: Inkling, memory: str) -> None:
    asked = ("predict", memory, "new", "--top", 2, "--coverage", 0.9, "--output")
    assert inkling.here(*asked, "one.parquet").code == 0
    done = inkling.here(*asked, "parts")
    assert done.code == 0
    assert "7 rows in 1 part" in done.err
    assert "broken.png" in done.err
    whole = parquet.read_table(inkling.folder / "one.parquet").to_pylist()
    rows = parquet.read_table(inkling.folder / "parts" / "part-000000.parquet").to_pylist()
    assert [{key: value for key, value in row.items() if key != "error"} for row in rows if not row["error"]] == whole
    assert [row["path"] for row in rows if row["error"]] == ["new/broken.png"]
    manifest = json.loads((inkling.folder / "parts" / "manifest.json").read_text())
    assert (manifest["rows"], manifest["plan"]["memory_version"]) == (7, 1)
    again = inkling.here(*asked, "parts", "--resume")
    assert "1 of them by an earlier run" in again.err
    inkling.here(*asked, "parts").refused("is not empty")
    inkling.here("predict", memory, "new", "--output", "parts", "--resume").refused("differs in: options")
    inkling.here("remove-class", memory, "car")
    inkling.here(*asked, "parts", "--resume").refused("memory digest, memory version")


def test_vectors_in_parts_are_read_again(inkling: Inkling, drawn: Path) -> None:
    assert inkling.here("embed", "train", "--encoder", "sketch", "--output", "one.parquet").code == 0
    assert inkling.here("embed", "train", "--encoder", "sketch", "--output", "parts").code == 0
    whole = parquet.read_table(inkling.folder / "one.parquet").to_pylist()
    rows = parquet.read_table(inkling.folder / "parts" / "part-000000.parquet").to_pylist()
    assert [{key: value for key, value in row.items() if key != "error"} for row in rows] == whole


def test_parts_of_vectors_take_the_place_of_a_file(inkling: Inkling, drawn: Path) -> None:
    for name in ("train", "new"):
        assert inkling.here("embed", name, "--encoder", "sketch", "--output", f"{name}-vectors").code == 0
    assert inkling.here("fit", "train-vectors", "--memory", "v.ink", "--encoder", "sketch").code == 0
    assert inkling.here("fit", "train", "--memory", "p.ink", "--encoder", "sketch").code == 0
    judged = [inkling.here("evaluate", memory, "new-vectors", "--json", "-") for memory in ("v.ink", "p.ink")]
    assert [one.code for one in judged] == [0, 0]
    assert "new/broken.png" in judged[0].err
    of_vectors, of_pictures = (json.loads(one.out) for one in judged)
    assert of_vectors["n"] == 6
    assert of_vectors["top1"] == of_pictures["top1"]
    assert of_vectors["nll"] == pytest.approx(of_pictures["nll"], abs=1e-4)
    done = inkling.here("predict", "v.ink", "new-vectors", "--json", "-")
    assert [one["path"] for one in json.loads(done.out)["skipped"]] == ["new/broken.png"]
    manifest = inkling.folder / "new-vectors" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:-30])
    inkling.here("predict", "v.ink", "new-vectors").refused("The manifest.json at 'new-vectors' is damaged")
    manifest.unlink()
    (inkling.folder / "new-vectors" / "zz.parquet").write_bytes(b"no Parquet")
    lacking = inkling.here("predict", "v.ink", "new-vectors", "--json", "-")
    assert (lacking.code, json.loads(lacking.out)["n"]) == (1, 6)
    assert "zz.parquet: the part cannot be read as a Parquet file" in lacking.err
    (inkling.folder / "new-vectors" / "part-000000.parquet").unlink()
    inkling.here("predict", "v.ink", "new-vectors").refused("zz.parquet")


@pytest.mark.parametrize("verb", ["predict", "embed", "evaluate"])
@pytest.mark.parametrize("parts", [0, 1])
def test_a_stop_says_how_to_go_on(
    inkling: Inkling, memory: str, monkeypatch: pytest.MonkeyPatch, verb: str, parts: int
) -> None:
    def stopped(self: HereEngine, *asked: Any) -> Iterator[Written]:
        yield from islice(whole(self, *asked), parts)
        raise KeyboardInterrupt

    whole = HereEngine.run
    options = ("--encoder", "sketch") if verb == "embed" else ()
    asked = (verb, *([] if verb == "embed" else [memory]), "new", *options, "--output", "parts")
    with monkeypatch.context() as patch:
        patch.setattr(HereEngine, "run", stopped)
        done = inkling.here(*asked)
    assert done.code == 130
    assert "cache" not in done.err
    assert ("again with --resume to go on." in done.err) == bool(parts)
    assert (inkling.folder / "parts").exists() == bool(parts)
    if parts:
        inkling.here(*asked).refused("is not empty", "not finished: go on with it by the same command and --resume")
        asked = (*asked, "--resume")
    else:
        assert "To begin anew, run the same command again." in done.err
    assert inkling.here(*asked).code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--output", "a.parquet", "--engine", "ray"), "writes parts into a folder"),
        (("--output", "a.csv", "--resume"), "writes parts into a folder"),
        (("--output", "parts", "--engine", "spark"), "is no engine"),
        (("--output", "parts", "--address", "auto"), "has no effect without --engine ray"),
        (("--output", "parts", "--observe"), "keeps images in the memory"),
        (("--output", "no/such/parts"), "cannot be made"),
        (("--output", "parts", "--format", "label-studio"), "writes JSON"),
    ],
)
def test_what_cannot_be_meant_is_refused(inkling: Inkling, memory: str, arguments: tuple[str, ...], told: str) -> None:
    inkling.here("predict", memory, "new", *arguments).refused(told)
