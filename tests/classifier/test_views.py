"""Vectors that somebody hands over: single views, means of several, or nobody knows."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkling import FewShotClassifier
from inkling.embeddings.precomputed import read_precomputed
from inkling.errors import InputError, UnlikeTrainingWarning
from inkling.evaluate.run import evaluate_classifier
from inkling.heads.prediction_sets import Coverage
from inkling.review.decisions import Decisions
from inkling.review.new_class import ClassEmbedder

NAMES = ("bus", "car", "cat", "dog")


def vectors(seed: int = 0, n: int = 25) -> tuple[np.ndarray, np.ndarray]:
    X = np.eye(4).repeat(n, axis=0) + np.random.default_rng(seed).normal(scale=0.5, size=(4 * n, 4))
    return X, np.repeat(NAMES, n)


def fitted(views: Any) -> FewShotClassifier:
    return FewShotClassifier(head="prototype").fit_embeddings(*vectors(), views=views)


def saved(folder: Path, name: str, **more: Any) -> Path:
    X, y = vectors(seed=1)
    np.savez(folder / name, embeddings=X, labels=y, **more)
    return folder / name


def test_single_views_have_the_narrow_range_of_false_alarms() -> None:
    single, unknown, means = (fitted(views).fitted.detector for views in (1, None, 10))
    assert single is not None
    assert unknown is not None
    assert means is not None
    assert single.realised.high < unknown.realised.high == means.realised.high
    assert "means of several" not in single.finding


def test_a_warning_comes_where_single_views_meet_means() -> None:
    classifier, X = fitted(10), vectors(seed=1)[0]
    with pytest.warns(UnlikeTrainingWarning, match="learned from means of several views"):
        classifier.predict_sets_embeddings(X)
    with pytest.warns(UnlikeTrainingWarning, match="learned from means of several views"):
        classifier.predict_hierarchy_embeddings(X, parents={"bus": "motor", "car": "motor"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier.predict_sets_embeddings(X, views=10)
        fitted(1).predict_sets_embeddings(X)
        fitted(None).predict_sets_embeddings(X)


@pytest.mark.parametrize("views", [0, -1, 1.5, "ten", True, float("inf"), [1, 2], {}])
def test_what_is_no_number_of_views_is_refused(views: Any) -> None:
    with pytest.raises(InputError, match="views must be"):
        fitted(views)


def test_a_file_says_it(tmp_path: Path) -> None:
    import pandas as pd

    X, y = vectors()
    frame = pd.DataFrame({"label": y, "embedding": list(X.astype(np.float32)), "views": 10})
    frame.to_parquet(tmp_path / "a.parquet")
    assert read_precomputed(tmp_path / "a.parquet").views == 10
    assert read_precomputed(saved(tmp_path, "b.npz", views=10)).views == 10
    assert read_precomputed(saved(tmp_path, "c.npz")).views is None
    assert read_precomputed(saved(tmp_path, "c.npz")).of_views(3).views == 3
    frame.assign(views=[1, 10] * 50).to_parquet(tmp_path / "d.parquet")
    with pytest.raises(InputError, match="views must be one number"):
        read_precomputed(tmp_path / "d.parquet")
    with pytest.raises(InputError, match="means of 10 views, not of 1"):
        read_precomputed(tmp_path / "a.parquet").of_views(1)


def test_a_memory_keeps_it_through_refits(tmp_path: Path) -> None:
    memory = tmp_path / "a.ink"
    fitted(1).save(memory)
    before = FewShotClassifier.load(memory).fitted.detector
    assert before is not None
    Decisions(memory).rename("bus", "coach")
    Decisions(memory).refit()
    after = FewShotClassifier.load(memory)
    assert after.fitted.samples.averaged_views == 1
    assert after.fitted.detector is not None
    assert after.fitted.detector.conformal.slack.harder == before.conformal.slack.harder == 0


@pytest.mark.parametrize(("added", "known"), [({}, None), ({"views": 1}, 5), ({"views": 10}, 10), ({"views": 5}, 5)])
def test_added_vectors_count_too(added: dict[str, int], known: int | None, tmp_path: Path) -> None:
    memory = tmp_path / "a.ink"
    fitted(5).save(memory)
    more = read_precomputed(saved(tmp_path, "more.npz", **added))
    Decisions(memory).update_prepared(ClassEmbedder(cache=False).labelled(memory, more))
    assert FewShotClassifier.load(memory).fitted.samples.averaged_views == known
    Decisions(memory).undo()
    assert FewShotClassifier.load(memory).fitted.samples.averaged_views == 5


def test_evaluation_says_it(tmp_path: Path) -> None:
    from inkling.classifier.promises import Promises
    from inkling.embeddings.samples import precomputed_samples

    classifier = fitted(10)
    single, means = (
        evaluate_classifier(
            classifier,
            precomputed_samples(read_precomputed(saved(tmp_path, f"{views}.npz", views=views))),
            promises=Promises(Coverage(0.9)),
        ).evaluation.sets
        for views in (1, 10)
    )
    assert single is not None
    assert means is not None
    assert single.fewer_views
    assert single.unlike_training
    assert not means.fewer_views
    assert single.to_json()["fewer_views"]
