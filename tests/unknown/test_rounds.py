"""No fit sees what it judges."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.errors import InputError
from inkling.unknown import rounds
from inkling.unknown.known_classes import Known
from inkling.unknown.rounds import N_FOLDS, calibrate, leave_classes_out
from inkling.unknown.scores import SCORES, score_table
from inkling.unknown.task import Task
from tests.unknown.samples import DIMS, open_task, tuned_task

NAMES = ("mean_cosine", "knn")


def everything(task: Task) -> Known:
    return task.fit(np.ones(len(task.y), dtype=bool))


def test_a_fold_holds_out_all_views_of_an_image() -> None:
    drawn = open_task(shots=8)
    sources = np.arange(len(drawn.y)) // 2
    fold = drawn.task(sources=sources).folds(N_FOLDS)
    assert all(len(set(fold[sources == one])) == 1 for one in sources)


def test_each_image_is_calibrated_on_once_whatever_its_views() -> None:
    drawn = open_task(shots=8)
    task = drawn.task(sources=np.arange(len(drawn.y)) // 2)
    assert len(calibrate(task, everything(task), NAMES).table) == len(drawn.y) // 2


def test_views_of_one_image_are_one_shot() -> None:
    drawn = open_task(shots=8)
    assert everything(drawn.task(sources=np.arange(len(drawn.y)) // 4)).shots == 2


def test_the_nearest_exemplar_of_an_image_is_never_itself() -> None:
    task = open_task().task()
    found = calibrate(task, everything(task), ("knn",))
    assert (found.table[:, 0] > -1 + 1e-6).all()


def test_an_image_alone_in_its_class_stays_in() -> None:
    drawn = open_task(n_classes=3, shots=4)
    rows = np.concatenate([np.flatnonzero(drawn.y < 2), np.flatnonzero(drawn.y == 2)[:1]])
    task = Task.of(drawn.vectors(rows))
    assert task.folds(N_FOLDS)[-1] == -1
    assert len(calibrate(task, everything(task), NAMES).table) == 8


def test_one_image_a_class_leaves_nothing_to_calibrate_on() -> None:
    task = open_task(shots=1).task()
    assert calibrate(task, everything(task), NAMES).table.shape == (0, 2)


def test_a_class_with_a_text_can_lose_its_only_image() -> None:
    task = open_task(shots=1, text_noise=0.3).task()
    assert len(calibrate(task, everything(task), NAMES).table) == 6


def test_neither_a_class_left_out_nor_an_image_held_out_is_among_the_known() -> None:
    """Classes lie far apart: an image finds a near exemplar only where its own class is known."""
    drawn = open_task(spread=0.1)
    evidence = leave_classes_out(drawn.task(), ("knn",))
    assert evidence is not None
    unknown, known = evidence.table[evidence.unknown, 0], evidence.table[~evidence.unknown, 0]
    assert unknown.min() > known.max() + 3
    # An exemplar that is the image itself has cosine 1, whatever the image: there would be no deviation.
    assert known.std() > 0.5
    assert (np.bincount(evidence.classes[evidence.unknown]) == 8 * rounds.N_FOLDS_BESIDE).all()
    assert (np.bincount(evidence.classes[~evidence.unknown]) == 8 * 5).all()


@pytest.mark.parametrize("n_classes", [1, 2])
def test_too_few_classes_to_leave_one_out(n_classes: int) -> None:
    drawn = open_task(n_classes=n_classes)
    assert leave_classes_out(drawn.task(), NAMES) is None


def test_many_classes_are_left_out_in_groups() -> None:
    evidence = leave_classes_out(open_task(n_classes=20, shots=4).task(), NAMES)
    assert evidence is not None
    assert len(np.unique(evidence.part)) == rounds.N_GROUPS
    assert evidence.n_left_out == 20


def test_large_supports_make_do_with_one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = open_task(n_classes=20, shots=4)
    monkeypatch.setattr(rounds, "MAX_WORK", 1)
    task = drawn.task()
    evidence = leave_classes_out(task, NAMES)
    assert evidence is not None
    assert evidence.n_left_out == 3
    assert sorted(set(evidence.part)) == [0, 1]
    assert len(calibrate(task, everything(task), NAMES).table) == 10


def test_a_score_that_loses_its_only_text_says_nothing_there() -> None:
    drawn = open_task(text_noise=0.3)
    assert drawn.text is not None
    drawn.text[1:] = np.nan
    evidence = leave_classes_out(drawn.task(), ("text_cosine", "knn"))
    assert evidence is not None
    silent = [bool((evidence.table[evidence.part == part, 0] == 0).all()) for part in np.unique(evidence.part)]
    assert sum(silent) == 1


def test_dropped_scores_come_with_their_reason() -> None:
    task = open_task(shots=8).task()
    found = calibrate(task, everything(task), tuple(SCORES))
    assert set(found.dropped) == {"text_mcm", "text_cosine", "negative_labels"}
    assert set(found.names) | set(found.dropped) == set(SCORES)


def test_negatives_of_another_space_are_refused() -> None:
    with pytest.raises(InputError, match="text vectors have"):
        open_task().task(negatives=np.zeros((3, DIMS - 1)))


def test_images_that_an_encoder_knows_are_judged_where_it_does_not() -> None:
    tuned = tuned_task()
    spaces, y = tuned.spaces, tuned.task.y
    spaces.fold[:3] = -1
    names = ("mean_cosine", "text_cosine", "mahalanobis")
    task = Task.of(tuned.vectors(spaces=spaces))
    by_hand = []
    for held in range(4):
        seen = spaces.fold != held
        part = tuned.vectors(spaces=spaces).in_fold_space(held).only(seen)
        known = Known.of(part, negatives=None, seed=0)
        by_hand.append(score_table(known, spaces.images[held][~seen], names))
    found = calibrate(task, everything(task), names)
    assert len(found.table) == len(y) - 3
    np.testing.assert_allclose(found.table, np.concatenate(by_hand), rtol=1e-5, atol=1e-6)


def test_nothing_is_left_out_of_what_an_encoder_was_tuned_on() -> None:
    tuned = tuned_task()
    assert leave_classes_out(tuned.task.task(), NAMES) is not None
    assert leave_classes_out(tuned.task.task(fold_spaces=tuned.spaces), NAMES) is None


def test_names_that_are_no_known_class_have_no_vectors_in_the_spaces_of_folds() -> None:
    tuned = tuned_task()
    task = tuned.task.task(fold_spaces=tuned.spaces, negatives=np.eye(5, DIMS))
    found = calibrate(task, everything(task), ("mean_cosine", "negative_labels"))
    assert found.names == ("mean_cosine",)
    assert "negative_labels" in found.dropped


def test_of_many_images_the_spaces_are_sampled_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkling.unknown.task.MAX_IMAGES", 20)
    monkeypatch.setattr("inkling.unknown.task.OF_A_CLASS", 1)
    tuned = tuned_task(pull=0.0)
    task = tuned.task.task(fold_spaces=tuned.spaces)
    assert task.spaces is not None
    assert len(task.X) == 20
    for part, _ in task.held_out(N_FOLDS):
        np.testing.assert_allclose(part.X, task.X, atol=1e-6)


def test_where_all_images_are_of_one_source_none_is_held_out() -> None:
    drawn = open_task(shots=8)
    task = drawn.task(sources=np.zeros(len(drawn.y), dtype=np.int64))
    assert set(task.folds(N_FOLDS)) == {-1}
    assert len(calibrate(task, everything(task), NAMES).table) == 0
