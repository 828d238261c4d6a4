"""The verb advise: what it prints, writes and refuses."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

from tests.cli.conftest import KINDS
from tests.cli.program import Inkling


def test_the_verb_writes_an_order(inkling: Inkling, memory: Path, drawn: Path) -> None:
    done = inkling.here("advise", memory, "--pool", drawn / "test", "--output", "order.csv", "--json", "a.json")
    assert done.code == 0, done.err
    assert "80 % interval" in done.out
    rows = list(csv.DictReader((inkling.folder / "order.csv").open()))
    told = json.loads((inkling.folder / "a.json").read_text())
    assert [row["path"] for row in rows] == [one["path"] for one in told["order"]]
    assert [int(row["rank"]) for row in rows] == list(range(1, len(rows) + 1))
    assert {row["label"] for row in rows} <= set(KINDS)
    assert all(row["reason"] for row in rows)
    again = inkling.here("advise", memory, "--pool", drawn / "test", "--json", "-").json()
    assert again["order"] == told["order"]


def test_pool_images_that_are_known_are_said_and_left_out(inkling: Inkling, memory: Path, drawn: Path) -> None:
    pool = inkling.folder / "pool"
    shutil.copytree(drawn / "test" / "car", pool)
    shutil.copy(next((drawn / "train" / "car").iterdir()), pool / "seen.png")
    done = inkling.here("advise", memory, "--pool", pool, "--json", "a.json")
    assert "1 image of the pool that the memory was trained on" in done.err
    told = json.loads((inkling.folder / "a.json").read_text())
    assert [Path(path).name for path in told["repeated"]] == ["seen.png"]
    assert "seen.png" not in {Path(one["path"]).name for one in told["order"]}
    inkling.here("advise", memory, "--pool", drawn / "train").refused("trained on all")


def test_options_about_a_pool_need_one(inkling: Inkling, memory: Path) -> None:
    inkling.here("advise", memory, "--output", "order.csv").refused("--output", "--pool")
    inkling.here("advise", memory, "--n", "3").refused("--n", "--pool")
    inkling.here("advise", memory, "--pool", ".", "--output", "order.txt").refused("order.txt", ".csv")
    inkling.here("advise", memory, "--pool", "nowhere").refused("nowhere")
