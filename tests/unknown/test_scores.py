"""Each score against its formula, and what all of them have in common."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp, softmax
from scipy.stats import entropy

from inkling.heads.labelled_vectors import LabelledVectors
from inkling.unknown import SCORES
from inkling.unknown.fusion import auroc
from inkling.unknown.known_classes import MAX_EXEMPLARS, Images, Known, evenly
from inkling.unknown.scores import score_table
from tests.heads.samples import unit
from tests.unknown.samples import DIMS, open_task

NEGATIVES = unit(np.random.default_rng(9).normal(size=(30, DIMS)))


def all_known(seed: int = 0, **options: object) -> tuple[Known, np.ndarray, np.ndarray]:
    task = open_task(seed, **{"text_noise": 0.3, **options})
    known = task.task(negatives=NEGATIVES).fit(np.ones(len(task.y), dtype=bool))
    return known, task.test_X, task.unknown


def test_formulas() -> None:
    known, X, _ = all_known()
    images = Images(known, X)
    z, p = images.logits, softmax(images.logits, axis=1)
    cosines = X @ known.text.T
    means = unit(known.plain.means)
    negative = np.exp(20.0 * X @ NEGATIVES.T).sum(axis=1)
    positive = np.exp(20.0 * cosines).sum(axis=1)
    expected = {
        "msp": -np.log(p.max(axis=1)),
        "entropy": entropy(p, axis=1),
        "max_logit": -z.max(axis=1),
        "energy": -logsumexp(z, axis=1),
        "mcm": -softmax(X @ means.T / 0.05, axis=1).max(axis=1),
        "text_mcm": -softmax(cosines / 0.01, axis=1).max(axis=1),
        "text_cosine": -cosines.max(axis=1),
        "mean_cosine": -(X @ means.T).max(axis=1),
        "knn": -(X @ known.exemplars.T).max(axis=1),
        "negative_labels": np.log(negative / positive),
    }
    for name, values in expected.items():
        assert SCORES[name].rate(images) == pytest.approx(values, rel=1e-3, abs=1e-4), name


def test_mahalanobis_and_its_relative() -> None:
    known, X, _ = all_known()
    white, centres = known.gaussian_whitener(X), known.whitened_centres
    squared = ((white[:, None] - centres) ** 2).sum(axis=2)
    B = centres.T @ centres / len(centres)
    B = 0.7 * B + 0.3 * np.trace(B) / DIMS * np.eye(DIMS)
    background = np.einsum("ni,ij,nj->n", white, np.linalg.inv(np.eye(DIMS) + B), white)
    images = Images(known, X)
    assert SCORES["mahalanobis"].rate(images) == pytest.approx(squared.min(axis=1), rel=1e-3)
    found = SCORES["relative_mahalanobis"].rate(images)
    assert found == pytest.approx(squared.min(axis=1) - background, rel=1e-3, abs=1e-2)


@pytest.mark.parametrize("name", SCORES)
def test_unknown_images_score_higher(name: str) -> None:
    known, X, unknown = all_known(spread=0.5, shots=16)
    score = SCORES[name].rate(Images(known, X))
    assert score.shape == (len(X),)
    assert auroc(score[unknown], score[~unknown]) > (0.6 if name in ("ensemble", "msp", "negative_labels") else 0.75)


@pytest.mark.parametrize("name", SCORES)
def test_each_image_is_scored_for_itself(name: str) -> None:
    known, X, _ = all_known()
    together = SCORES[name].rate(Images(known, X))
    assert SCORES[name].rate(Images(known, X[3:4])) == pytest.approx(together[3:4], rel=1e-3, abs=1e-3)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 100), data=st.data())
def test_the_order_of_the_classes_does_not_matter(seed: int, data: st.DataObject) -> None:
    task = open_task(seed, text_noise=0.3, n_test=20)
    assert task.text is not None
    place = np.array(data.draw(st.permutations(range(task.n_classes))))
    text = np.empty_like(task.text)
    text[place] = task.text
    # The ensemble draws its bootstraps in the order of the classes.
    names = tuple(name for name in SCORES if name not in ("ensemble", "negative_labels"))
    tables = [
        score_table(
            Known.of(LabelledVectors.of(task.X, y, text_vectors=t, logit_scale=20.0), negatives=None, seed=0),
            task.test_X,
            names,
        )
        for y, t in ((task.y, task.text), (place[task.y], text))
    ]
    assert tables[1] == pytest.approx(tables[0], rel=1e-3, abs=1e-3)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 100))
def test_the_length_of_a_vector_does_not_matter(seed: int) -> None:
    known, X, _ = all_known(seed, n_test=10)
    names = tuple(SCORES)
    stretched = X * np.random.default_rng(seed).uniform(0.1, 10, size=(len(X), 1))
    assert score_table(known, stretched, names) == pytest.approx(score_table(known, X, names), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(
    ("options", "lacking"),
    [
        ({"text_noise": None}, {"text_mcm", "text_cosine", "negative_labels"}),
        ({"shots": 1}, {"mahalanobis", "relative_mahalanobis", "plda", "plain_plda", "local_plda", "ensemble"}),
    ],
)
def test_scores_say_what_they_lack(options: dict[str, object], lacking: set[str]) -> None:
    known, _, _ = all_known(**options)
    reasons = {name: score.lacks(known) for name, score in SCORES.items()}
    assert {name for name, reason in reasons.items() if reason} == lacking


def test_without_names_there_are_no_negatives() -> None:
    task = open_task(text_noise=0.3)
    known = task.task().fit(np.ones(len(task.y), dtype=bool))
    assert SCORES["negative_labels"].lacks(known) == "no names that are no known class were given"


@given(counts=st.lists(st.integers(1, 30), min_size=1, max_size=12), limit=st.integers(1, 100))
def test_a_sample_takes_evenly_from_the_classes(counts: list[int], limit: int) -> None:
    y = np.repeat(np.arange(len(counts)), counts)
    rows = evenly(y, limit=limit, seed=0)
    assert len(rows) == min(limit, len(y)) == len(set(rows.tolist()))
    taken = np.bincount(y[rows], minlength=len(counts))
    assert all(taken[k] >= min(counts[k], taken.max() - 1) for k in range(len(counts)))


def test_exemplars_are_limited() -> None:
    y = np.arange(MAX_EXEMPLARS + 500) % 50
    X = unit(np.random.default_rng(0).normal(size=(len(y), 4)))
    known = Known.of(LabelledVectors.of(X, y), negatives=None, seed=0)
    assert known.exemplars.shape == (MAX_EXEMPLARS, 4)
