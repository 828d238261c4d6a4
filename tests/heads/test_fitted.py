"""A head fitted and calibrated: the temperature comes from images that the head did not see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from inkling.heads import HEADS, head_class, head_from_state
from inkling.heads.calibration import apply_temperature, fit_temperature, negative_log_likelihood
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.out_of_fold import out_of_fold

K, D = 4, 12
CENTRES = np.linalg.qr(np.random.default_rng(7).normal(size=(D, K)))[0].T


def task(per_class: int = 10, noise: float = 0.5, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(K), per_class)
    return {
        "X": CENTRES[y] + noise * rng.normal(size=(len(y), D)) / np.sqrt(D),
        "y": y,
        "classes": ("ant", "bee", "fly", "wasp"),
        "sources": np.arange(len(y)),
        "text_vectors": CENTRES,
        "logit_scale": 60.0,
        "embedding_dims": D,
    }


def fit(name: str, given: dict[str, Any], *, seed: int = 0) -> FittedHead:
    rest = dict(given)
    labels = [given["classes"][k] for k in rest.pop("y")]
    return FittedHead.fit(name, LabelledVectors.of(labels=labels, **rest), seed=seed)


@pytest.mark.parametrize("name", HEADS)
def test_every_head_gives_probabilities_and_says_what_it_found(name: str) -> None:
    fitted = fit(name, task())
    p = fitted.probabilities(task(seed=1)["X"])
    assert p.shape == (40, K)
    assert p.sum(axis=1) == pytest.approx(np.ones(40))
    assert (p.argmax(axis=1) == task()["y"]).mean() > 0.8
    assert fitted.finding
    assert fitted.classes == ("ant", "bee", "fly", "wasp")


def test_the_temperature_comes_from_images_held_out() -> None:
    given = task(noise=1.6)
    fitted = fit("gda", given)
    head = head_class("gda")(text_vectors=CENTRES, classes=list(range(K)), logit_scale=60.0, embedding_dims=D)
    held_out = out_of_fold(head, given["X"], given["y"], given["sources"], seed=0)
    y = given["y"][held_out.rows]

    def loss(temperature: float) -> float:
        return negative_log_likelihood(apply_temperature(held_out.logits, temperature), y)

    assert fitted.temperature == fit_temperature(held_out.logits, y)
    assert fitted.calibration["after"]["nll"] == pytest.approx(loss(fitted.temperature))
    assert fitted.calibration["before"]["nll"] == pytest.approx(loss(1.0))
    assert fitted.calibration["top1"] == (held_out.logits.argmax(axis=1) == y).mean()
    assert fitted.calibration["n"] == 40


def test_an_overconfident_head_is_cooled() -> None:
    fitted = fit("zero-shot", task(noise=2.5))
    assert fitted.temperature > 1
    assert fitted.calibration["after"]["nll"] < fitted.calibration["before"]["nll"]


def test_probabilities_are_the_softmax_of_logits_over_the_temperature() -> None:
    fitted = fit("prototype", task())
    z = fitted.logits(task(seed=2)["X"]) / fitted.temperature
    expected = np.exp(z - z.max(axis=1, keepdims=True))
    assert fitted.probabilities(task(seed=2)["X"]) == pytest.approx(expected / expected.sum(axis=1, keepdims=True))


@pytest.mark.parametrize(("name", "basis"), [("auto", "prior"), ("gda", "none")])
def test_one_image_a_class_leaves_nothing_to_calibrate_on(name: str, basis: str) -> None:
    fitted = fit(name, task(per_class=1, noise=0.1))
    assert fitted.temperature == 1.0
    nothing = {"n": 0, "top1": None, "before": None, "after": None}
    assert fitted.calibration == {"temperature": 1.0, "basis": basis, **nothing}


@pytest.mark.parametrize("name", HEADS)
def test_the_seed_decides(name: str) -> None:
    first, again = fit(name, task(seed=3), seed=3), fit(name, task(seed=3), seed=3)
    assert first.calibration == again.calibration
    assert_array_equal(first.probabilities(CENTRES), again.probabilities(CENTRES))


@pytest.mark.parametrize("name", HEADS)
def test_what_is_stored_scores_the_same_to_the_last_bit(name: str) -> None:
    fitted = fit(name, task())
    X = task(seed=4)["X"]
    assert_array_equal(head_from_state(fitted.head.state()).logits(X), fitted.logits(X))


def test_views_of_one_image_are_held_out_together() -> None:
    """Images that tell nothing, each many times: out of fold, no head may recognise them."""
    rng = np.random.default_rng(0)
    given = task() | {
        "X": rng.normal(size=(40, D)).repeat(4, axis=0),
        "y": np.tile(np.arange(2), 20).repeat(4),
        "sources": np.arange(40).repeat(4),
        "classes": ("ant", "bee"),
        "text_vectors": None,
    }
    assert fit("kernel", given).calibration["top1"] < 0.75
    leaking = fit("kernel", given | {"sources": np.arange(160)})
    assert leaking.calibration["top1"] == 1.0


def test_auto_says_so_where_labels_are_noise() -> None:
    given = task(noise=0.3) | {"y": np.random.default_rng(0).permutation(task()["y"])}
    fitted = fit("auto", given)
    assert "zero-shot ships" in fitted.finding
    assert fitted.evidence[0]["name"] == "zero-shot"
