"""A list of corrections as one decision: whole, undone to the last bit, and refused without a trace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkling import FewShotClassifier
from inkling.errors import InputError
from inkling.memory.store import read_memory
from inkling.memory.verify import verify
from inkling.review.corrections import correct_memory
from inkling.review.decisions import Decisions
from tests.review.conftest import CLASSES, SHOTS, drawn, held


def fixes(folder: Path, *rows: str) -> Path:
    path = folder / "fixes.csv"
    path.write_text("\n".join(("path,action,label", *rows)) + "\n")
    return path


def images(path: Path) -> dict[str, int]:
    return {one.name: one.images for one in Decisions(path).classes()}


def labels(path: Path) -> dict[str, str]:
    return {one.path: one.class_name for one in read_memory(path).content.exemplars}


def test_all_rows_are_one_decision_that_is_taken_back(path: Path, decide: Decisions, tmp_path: Path) -> None:
    before = held(path)
    rows = ("row 0,relabel,truck", "row 1,drop,", "row 8,relabel,boat", "row 9,relabel,boat", "row 2,keep,")
    event = correct_memory(path, fixes(tmp_path, *rows))
    assert event is not None
    assert (event.verb, dict(event.arguments)) == ("correct", {"list": "fixes.csv", "relabel": 3, "drop": 1})
    told = event.outcome
    assert (told["relabelled"], told["dropped"], told["new_classes"], told["gone"]) == (3, 1, ["boat"], [])
    assert images(path) == {"boat": 2, "car": SHOTS - 2, "truck": SHOTS - 1, "van": SHOTS}
    found = labels(path)
    assert (found["row 0"], found["row 8"], "row 1" in found) == ("truck", "boat", False)
    assert FewShotClassifier.load(path).classes_.tolist() == ["boat", "car", "truck", "van"]
    assert event.id in verify(path).replayed
    assert [one.verb for one in decide.history()][-1] == "correct"
    assert decide.undo().outcome["undone"] == "correct"
    assert held(path) == before


def test_a_head_in_closed_form_is_that_of_a_fit(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.concatenate([drawn(name, SHOTS) for name in CLASSES])
    names = [name for name in CLASSES for _ in range(SHOTS)]
    FewShotClassifier("none", head="gda").fit_embeddings(X, names).save(tmp_path / "b.ink")
    monkeypatch.setattr("inkling.review.refit.is_large", lambda *_: True)
    correct_memory(tmp_path / "b.ink", fixes(tmp_path, "row 0,relabel,new", "row 9,drop,", "row 10,relabel,new"))
    wanted = ["new" if at in (0, 10) else name for at, name in enumerate(names)]
    rows = [at for at in range(len(X)) if at != 9]
    again = FewShotClassifier("none", head="gda").fit_embeddings(X[rows], [wanted[at] for at in rows])
    corrected = FewShotClassifier.load(tmp_path / "b.ink").fitted
    order = [corrected.classes.index(name) for name in again.fitted.classes]
    logits = corrected.fitted_head.head.logits(X)[:, order]
    np.testing.assert_allclose(logits, again.fitted.fitted_head.head.logits(X), rtol=1e-4, atol=1e-4)


def test_what_came_from_the_pool_waits_there_again(path: Path, decide: Decisions, tmp_path: Path) -> None:
    decide.accept(1, "bench")
    correct_memory(path, fixes(tmp_path, "bench/0.jpg,drop,", "bench/1.jpg,relabel,van"))
    assert images(path)["bench"] == 4
    assert labels(path)["bench/1.jpg"] == "van"
    correct_memory(path, fixes(tmp_path, "bench/1.jpg,drop,"))
    decide.undo()
    assert labels(path)["bench/1.jpg"] == "van"


def test_a_copy_at_another_path_stays(path: Path, tmp_path: Path) -> None:
    X = np.concatenate([drawn(name, SHOTS) for name in CLASSES])
    X[1] = X[0]
    FewShotClassifier("none").fit_embeddings(X, [name for name in CLASSES for _ in range(SHOTS)]).save(
        tmp_path / "c.ink"
    )
    correct_memory(tmp_path / "c.ink", fixes(tmp_path, "row 1,drop,"))
    assert len(labels(tmp_path / "c.ink")) == 3 * SHOTS - 1


def test_nothing_to_correct_changes_nothing(path: Path, decide: Decisions, tmp_path: Path) -> None:
    n = len(decide.history())
    assert correct_memory(path, fixes(tmp_path, "row 0,keep,", "row 1,relabel,car")) is None
    assert len(decide.history()) == n


def test_rows_that_name_no_image_are_in_the_log(path: Path, tmp_path: Path) -> None:
    event = correct_memory(path, fixes(tmp_path, "row 0,drop,", "row 99,drop,"))
    assert event is not None
    assert event.outcome["gone"] == ["row 99"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["other,drop,"], "of other images"),
        (["row 0,drop,", "row 0,keep,"], "contradict"),
        (["row 0,keep,bus"], "names the label 'bus'"),
        (["row 0,relabel,Van"], "differs from that of the class 'van'"),
        (["row 0,relabel,unknown"], "can't be called"),
        (["row 0,delete,"], "the action 'delete'"),
    ],
)
def test_what_is_refused_leaves_no_trace(path: Path, tmp_path: Path, rows: list[str], message: str) -> None:
    before = path.read_bytes()
    with pytest.raises(InputError, match=message):
        correct_memory(path, fixes(tmp_path, *rows))
    assert path.read_bytes() == before


def test_a_class_without_text_keeps_an_image(path: Path, decide: Decisions, tmp_path: Path) -> None:
    decide.accept(1, "bench")
    with pytest.raises(InputError, match="nothing would tell what a 'bench' looks like"):
        correct_memory(path, fixes(tmp_path, *(f"bench/{k}.jpg,drop," for k in range(6))))
    assert images(path)["bench"] == 6
