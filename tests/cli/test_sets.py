"""Prediction sets, and answers that may be groups, on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from inkling import FewShotClassifier
from tests.cli.program import Inkling


def test_each_image_has_a_set_that_python_gives_too(inkling: Inkling, memory: Path, drawn: Path) -> None:
    done = inkling.here("predict", memory, drawn / "test", "--coverage", "0.8", "--output", "o.csv", "--json", "o.json")
    assert done.code == 0, done.err
    assert "Sets for a coverage of 0.8 hold " in done.err
    told = json.loads((inkling.folder / "o.json").read_text())
    sets = [tuple(one["set"]) for one in told["predictions"]]
    assert sets == FewShotClassifier.load(memory).predict_sets(drawn / "test", coverage=0.8)
    with (inkling.folder / "o.csv").open(newline="") as file:
        assert [tuple(row["set"].split("|")) if row["set"] else () for row in csv.DictReader(file)] == sets
    assert told["sets"]["mean_size"] == sum(map(len, sets)) / len(sets)
    assert told["sets"]["empty"] == sum(not one for one in sets)


def test_without_a_coverage_there_is_no_set(inkling: Inkling, memory: Path, drawn: Path) -> None:
    told = inkling.here("predict", memory, drawn / "test", "--json", "-").json()
    assert "sets" not in told
    assert not any("set" in one for one in told["predictions"])


def test_parquet_has_lists(inkling: Inkling, memory: Path, drawn: Path) -> None:
    import pyarrow.parquet as pq

    done = inkling.here("predict", memory, drawn / "test", "--coverage", "0.8", "--output", "o.parquet")
    assert done.code == 0, done.err
    column = pq.read_table(inkling.folder / "o.parquet")["set"].to_pylist()
    assert all(isinstance(one, list) for one in column)


def test_evaluate_measures_the_promise(inkling: Inkling, memory: Path, drawn: Path) -> None:
    done = inkling.here("evaluate", memory, drawn / "test", "--coverage", "0.8", "--json", "-", "--report", "r.html")
    told = done.json()["sets"]
    assert told["coverage"] == 0.8
    assert told["realised"]["n"] == 24
    assert set(told["per_class"]) == {"car", "house", "tree"}
    assert "Sets" in (inkling.folder / "r.html").read_text()


def test_classes_with_too_few_images_for_a_threshold_of_their_own_are_named(
    inkling: Inkling, memory: Path, drawn: Path
) -> None:
    """Six images a class were held out: enough for a coverage of 0.6, not for 0.9."""
    ask = ("predict", memory, drawn / "test", "--by-class", "--coverage")
    assert "no class has the held-out images for one of their own" in inkling.here(*ask, "0.9").err
    assert "threshold" not in inkling.here(*ask, "0.6").err
    assert "threshold" not in inkling.here("predict", memory, drawn / "test", "--coverage", "0.9").err


def test_an_error_rate_that_holds_in_the_mean_alone_is_said_to(inkling: Inkling, memory: Path, drawn: Path) -> None:
    ask = ("predict", memory, drawn / "test", "--hierarchy", "--parents", with_parents(inkling), "--error-rate")
    assert "18 images were held out: this rate holds in the mean" in inkling.here(*ask, "0.1").err
    assert "in the mean over memories" not in inkling.here(*ask, "0.2").err


def test_what_is_refused(inkling: Inkling, memory: Path, drawn: Path) -> None:
    inkling.here("predict", memory, drawn / "test", "--by-class").refused("--by-class has no effect without --coverage")
    inkling.here("predict", memory, drawn / "test", "--coverage", "90").refused("a share between 0 and 1, got '90'")
    inkling.here("predict", memory, drawn / "test", "--coverage", "0").refused("hold the right class nine times in ten")
    inkling.here("predict", memory, drawn / "test", "--coverage", "0.99").refused("at least 99 images", "0.947 or less")
    inkling.here("evaluate", memory, drawn / "test", "--coverage", "0.99").refused("at least 99 images")


def test_decisions_keep_what_sets_rest_on(inkling: Inkling, memory: Path, drawn: Path) -> None:
    ask = ("predict", memory, drawn / "test", "--coverage", "0.8", "--json", "-")
    before = inkling.here(*ask).json()["predictions"]
    assert inkling.here("rename", memory, "car", "auto").code == 0
    after = inkling.here(*ask).json()["predictions"]
    renamed = [["auto" if name == "car" else name for name in one["set"]] for one in before]
    assert [one["set"] for one in after] == renamed
    assert inkling.here("undo", memory).code == 0
    assert inkling.here("refit", memory).code == 0
    assert inkling.here(*ask).json()["predictions"][0]["set"] == before[0]["set"]


PARENTS = "child,parent\nhouse,building\ncar,machine\nbuilding,thing\nmachine,thing\n"


def with_parents(inkling: Inkling, text: str = PARENTS) -> Path:
    (inkling.folder / "parents.csv").write_text(text, encoding="utf-8")
    return inkling.folder / "parents.csv"


def test_answers_are_those_that_python_gives(inkling: Inkling, memory: Path, drawn: Path) -> None:
    parents = with_parents(inkling)
    ask = ("predict", memory, drawn / "test", "--hierarchy", "--parents", parents, "--error-rate", "0.2")
    done = inkling.here(*ask, "--output", "o.csv", "--json", "o.json")
    assert done.code == 0, done.err
    assert "At an error rate of 0.2: " in done.err
    told = json.loads((inkling.folder / "o.json").read_text())
    answers = FewShotClassifier.load(memory).predict_hierarchy(drawn / "test", parents=parents, error_rate=0.2)
    assert [one["answer"]["name"] for one in told["predictions"]] == [one.name for one in answers]
    assert sum(told["answers"]["steps"].values()) + told["answers"]["of_all"] == len(answers)
    with (inkling.folder / "o.csv").open(newline="") as file:
        assert [row["answer"] for row in csv.DictReader(file)] == [one.name or "" for one in answers]
    assert "answer" in inkling.here(*ask).out
    assert inkling.here(*ask, "--output", "o.parquet").code == 0


def test_sets_and_answers_have_one_rate(inkling: Inkling, memory: Path, drawn: Path) -> None:
    parents = with_parents(inkling)
    ask = ("predict", memory, drawn / "test", "--hierarchy", "--parents", parents, "--json", "-")
    assert inkling.here(*ask, "--coverage", "0.8").json()["answers"]["error_rate"] == pytest.approx(0.2)


def test_evaluate_measures_answers(inkling: Inkling, memory: Path, drawn: Path) -> None:
    ask = ("evaluate", memory, drawn / "test", "--hierarchy", "--parents", with_parents(inkling), "--error-rate", "0.2")
    done = inkling.here(*ask, "--json", "-", "--report", "r.html")
    told = done.json()["answers"]
    assert told["wrong"]["n"] == 24
    assert sum(one["answered"]["share"] for one in told["steps"]) + told["of_all"]["share"] == pytest.approx(1)
    assert "Answers" in (inkling.folder / "r.html").read_text()
    assert "Answers at an error rate of 0.2" in inkling.here(*ask).err


def test_fit_keeps_groups(inkling: Inkling, drawn: Path) -> None:
    fit = ("fit", drawn, "--memory", "own.ink", "--encoder", "sketch", "--parents", with_parents(inkling))
    assert inkling.here(*fit).code == 0
    hierarchy = FewShotClassifier.load(inkling.folder / "own.ink").climbing().hierarchy
    assert hierarchy.above("car") == ("machine", "thing")


def test_which_groups_are_refused(inkling: Inkling, memory: Path, drawn: Path) -> None:
    ask = ("predict", memory, drawn / "test", "--hierarchy", "--parents")
    inkling.here("predict", memory, drawn / "test", "--error-rate", "0.1").refused("--error-rate has no effect without")
    inkling.here(*ask, inkling.folder / "none.csv").refused("can't be read")
    inkling.here(*ask, with_parents(inkling, "child,parent\ncar,a\na,car\n")).refused("circle")
    inkling.here(*ask, with_parents(inkling, "child,parent\nbird,animal\n")).refused("of other classes")


def own_vectors(inkling: Inkling, name: str, **more: int) -> None:
    y = np.repeat(["ant", "bee", "cat"], 25)
    X = np.eye(3).repeat(25, axis=0) + np.random.default_rng(len(name)).normal(scale=0.5, size=(75, 3))
    np.savez(inkling.folder / name, x=X, y=y, **more)


def test_means_of_views_are_said_once_and_count(inkling: Inkling) -> None:
    for name, more in (("unsaid.npz", {}), ("ten.npz", {"views": 10})):
        own_vectors(inkling, name, **more)
    done = inkling.here("fit", "unsaid.npz", "--memory", "a.ink")
    assert "--views 1, in Python views=1, says that they are single views" in " ".join(done.err.split())
    assert "means of several" in " ".join(done.out.split())
    done = inkling.here("fit", "unsaid.npz", "--memory", "b.ink", "--views", "1")
    assert "Nobody said" not in done.err
    assert "means of several" not in " ".join(done.out.split())
    assert inkling.here("fit", "ten.npz", "--memory", "c.ink").code == 0
    for file, fewer in (("unsaid.npz", True), ("ten.npz", False)):
        done = inkling.here("predict", "c.ink", file, "--coverage", "0.9", "--json", "told.json")
        assert json.loads((inkling.folder / "told.json").read_text())["sets"]["fewer_views"] is fewer
        assert ("The classes were learned from means of several views" in " ".join(done.err.split())) is fewer
    inkling.here("fit", "ten.npz", "--memory", "d.ink", "--views", "1").refused("means of 10 views, not of 1")
    done = inkling.here("fit", "ten.npz", "--memory", "c.ink", "--update", "--views", "2")
    done.refused("means of 10 views, not of 2")
