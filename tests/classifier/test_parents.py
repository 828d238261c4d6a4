"""Groups of classes as users give them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkling import FewShotClassifier
from inkling.classifier.parents import read_parents
from inkling.errors import InputError
from inkling.review.decisions import Decisions


def file(folder: Path, text: str) -> Path:
    path = folder / "parents.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_children_and_parents(tmp_path: Path) -> None:
    found = read_parents(file(tmp_path, "child,parent\nbus,motor\ncar,motor\nmotor,thing\n\nthing,\n"))
    assert found is not None
    assert found.above("bus") == ("motor", "thing")


def test_the_parents_column_of_a_table_of_images(tmp_path: Path) -> None:
    table = "path,label,parents\n1.jpg,bus,motor|thing\n2.jpg,bus,motor|thing\n3.jpg,cat,pet\n"
    found = read_parents(file(tmp_path, table))
    assert found is not None
    assert found.parents == {"bus": "motor", "motor": "thing", "cat": "pet"}


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_file_as_a_spreadsheet_writes_it_where_the_comma_is_the_decimal_point(tmp_path: Path, mark: str) -> None:
    rows = [("child", "parent"), ("bus, red", "motor|thing"), ("cat", "pet")]
    found = read_parents(file(tmp_path, "\ufeff" + "\r\n".join(map(mark.join, rows))))
    assert found is not None
    assert found.parents == {"bus, red": "motor", "motor": "thing", "cat": "pet"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column 'child', nor any other"),
        ("name,group\nbus,motor\n", "no column 'child', only 'name', 'group'"),
        ("child,parent\n", "No class has a parent"),
        ("child,parent\nbus,motor\nbus,thing\n", "two parents"),
        ("child,parent\nbus,motor\nmotor,bus\n", "circle"),
    ],
)
def test_files_that_say_nothing_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_parents(file(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be read"):
        read_parents(tmp_path / "none.csv")


def vectors() -> tuple[np.ndarray, np.ndarray]:
    X = np.eye(4).repeat(6, axis=0) + np.random.default_rng(0).normal(scale=0.2, size=(24, 4))
    return X, np.repeat(["bus", "car", "cat", "dog"], 6)


def test_a_memory_keeps_groups_through_decisions(tmp_path: Path) -> None:
    parents = {"bus": "motor", "car": "motor", "motor": "thing"}
    classifier = FewShotClassifier(head="prototype", parents=parents).fit_embeddings(*vectors())
    classifier.save(tmp_path / "a.ink")
    memory = tmp_path / "a.ink"
    assert FewShotClassifier.load(memory).climbing().hierarchy.parents == parents
    decide = Decisions(memory)
    decide.rename("bus", "coach")
    assert FewShotClassifier.load(memory).climbing().hierarchy.above("coach") == ("motor", "thing")
    decide.remove_class("dog")
    assert FewShotClassifier.load(memory).climbing().hierarchy.above("coach") == ("motor", "thing")
    decide.undo()
    decide.undo()
    assert FewShotClassifier.load(memory).climbing().hierarchy.parents == parents


def test_sets_by_class_follow_a_name(tmp_path: Path) -> None:
    X, y = np.repeat(vectors()[0], 2, axis=0), np.repeat(vectors()[1], 2)
    X = X + np.random.default_rng(1).normal(scale=0.1, size=X.shape)
    FewShotClassifier(head="prototype").fit_embeddings(X, y).save(tmp_path / "a.ink")
    before = FewShotClassifier.load(tmp_path / "a.ink").fitted.fitted_head.set_calibration
    Decisions(tmp_path / "a.ink").rename("bus", "coach")
    after = FewShotClassifier.load(tmp_path / "a.ink").fitted.fitted_head.set_calibration
    assert after.labels == tuple("coach" if name == "bus" else name for name in before.labels)


def test_without_groups_names_give_them() -> None:
    classifier = FewShotClassifier(head="prototype").fit_embeddings(*vectors())
    assert classifier.climbing().hierarchy.above("bus") == ("transport",)
    answers = classifier.predict_hierarchy_embeddings(vectors()[0], error_rate=0.1)
    assert len(answers) == 24
    assert {one.name for one in answers} >= {"bus", "dog"}


@pytest.mark.parametrize("group", ["car", "Car"])
def test_a_class_is_no_parent(group: str, tmp_path: Path) -> None:
    parents = {"bus": group, "cat": "pet", "dog": "pet"}
    classifier = FewShotClassifier(head="prototype").fit_embeddings(*vectors())
    with pytest.raises(InputError, match=f"'{group}' is a class"):
        classifier.climbing(parents=parents)
    with pytest.raises(InputError, match=f"'{group}' is a class"):
        FewShotClassifier(head="prototype", parents=parents).fit_embeddings(*vectors())


def test_a_memory_with_such_a_parent_opens_and_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkling.heads.hierarchy.Hierarchy.check", lambda *_: None)
    classifier = FewShotClassifier(head="prototype", parents={"bus": "car"}).fit_embeddings(*vectors())
    classifier.save(tmp_path / "a.ink")
    monkeypatch.undo()
    Decisions(tmp_path / "a.ink").rename("car", "Car")
    loaded = FewShotClassifier.load(tmp_path / "a.ink")
    assert loaded.climbing().hierarchy.above("bus") == ("Car",)
    assert len(loaded.predict_hierarchy_embeddings(vectors()[0], error_rate=0.1)) == 24


@pytest.mark.parametrize("parent", [3, float("nan"), None, ["motor"]])
def test_names_of_groups_are_text(parent: Any) -> None:
    with pytest.raises(InputError, match="parent of 'bus' must be text"):
        read_parents({"bus": parent})


def test_the_grammar_of_a_name_that_is_no_class() -> None:
    found = read_parents({"buss": "motor", "car": "motor"})
    assert found is not None
    with pytest.raises(InputError, match="'buss' has a parent and is no class"):
        found.check(["bus", "car"])


@pytest.mark.parametrize("rate", ["x", None, [0.9], 1.5, float("nan")])
def test_what_is_no_rate_is_refused(rate: Any) -> None:
    classifier = FewShotClassifier(head="prototype").fit_embeddings(*vectors())
    with pytest.raises(InputError, match="coverage must"):
        classifier.predict_sets_embeddings(vectors()[0], coverage=rate)
    with pytest.raises(InputError, match="error rate must"):
        classifier.predict_hierarchy_embeddings(vectors()[0], error_rate=rate)


def test_a_rate_is_shown_with_all_its_digits() -> None:
    classifier = FewShotClassifier(head="prototype").fit_embeddings(*vectors())
    with pytest.raises(InputError, match=r"coverage of 0\.9999 needs at least"):
        classifier.predict_sets_embeddings(vectors()[0], coverage=0.9999)
    with pytest.raises(InputError, match=r"error rate of 0\.00012 needs"):
        classifier.predict_hierarchy_embeddings(vectors()[0], error_rate=0.00012)


def test_groups_of_other_classes_are_refused_in_fitting() -> None:
    with pytest.raises(InputError, match="of other classes"):
        FewShotClassifier(head="prototype", parents={"tree": "plant"}).fit_embeddings(*vectors())
