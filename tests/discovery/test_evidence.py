"""Evidence against the marginal likelihood written out as one large Gaussian."""

from __future__ import annotations

from dataclasses import replace
from math import factorial, log

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from inkling.discovery import evidence
from inkling.discovery.evidence import Joining, log_evidence, merging, witnesses
from inkling.discovery.space import Space
from inkling.types import FloatArray
from tests.discovery.samples import draw_classes

DIMS = 8


@pytest.fixture
def space() -> Space:
    X, y = draw_classes(n_classes=4, per_class=5, dims=DIMS, noise=0.7, seed=0)
    return replace(Space.of(X, y), within=0.3, between=0.2)


@pytest.fixture
def independent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "CORRELATION", 0.0)


def marginal(space: Space, Z: FloatArray) -> float:
    """log p(Z) of images with one common centre: in each dimension N(0, w I + b 11')."""
    n = len(Z)
    covariance = space.within * np.eye(n) + space.between * np.ones((n, n))
    return float(sum(multivariate_normal(np.zeros(n), covariance).logpdf(column) for column in Z.T))


def noise_alone(space: Space, Z: FloatArray) -> float:
    return float(multivariate_normal(np.zeros(Z.size), space.within).logpdf(Z.ravel()))


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.usefixtures("independent")
def test_evidence_is_the_marginal_likelihood_less_that_of_noise(space: Space, n: int) -> None:
    Z = np.random.default_rng(n).normal(size=(n, DIMS))
    found = log_evidence(space, np.array([float(n)]), (Z.sum(axis=0, keepdims=True) ** 2).sum(axis=1))
    assert found[0] == pytest.approx(marginal(space, Z) - noise_alone(space, Z))


@pytest.mark.usefixtures("independent")
def test_odds_of_joining_are_ratios_of_marginal_likelihoods(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "EVIDENCE_SHARE", 1.0)
    rng = np.random.default_rng(3)
    clusters, x = [rng.normal(size=(n, DIMS)) for n in (1, 4, 9)], rng.normal(size=(1, DIMS))
    means, counts = np.stack([Z.mean(axis=0) for Z in clusters]), np.array([1.0, 4.0, 9.0])
    found = Joining.of(space, (means**2).sum(axis=1), counts).odds(float(x[0] @ x[0]), means @ x[0])
    expected = [marginal(space, np.concatenate([Z, x])) - marginal(space, Z) - marginal(space, x) for Z in clusters]
    assert found - np.log(counts) == pytest.approx(expected)


@pytest.mark.usefixtures("independent")
def test_the_factor_for_one_image_is_its_predictive_density_against_that_of_a_new_class(space: Space) -> None:
    rng = np.random.default_rng(4)
    Z, x = rng.normal(size=(5, DIMS)), rng.normal(size=DIMS)
    v = 1.0 / (1.0 / space.between + 5.0 / space.within)
    predictive = multivariate_normal(v * Z.sum(axis=0) / space.within, (v + space.within) * np.eye(DIMS))
    new = multivariate_normal(np.zeros(DIMS), (space.between + space.within) * np.eye(DIMS))
    mean = Z.mean(axis=0)
    found = Joining.of(space, np.array([mean @ mean]), np.array([5.0])).odds(float(x @ x), np.array([mean @ x]))
    assert found[0] - log(5) == pytest.approx(evidence.EVIDENCE_SHARE * (predictive.logpdf(x) - new.logpdf(x)))


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_to_join_is_to_merge_with_one_image(space: Space, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "EVIDENCE_SHARE", share)
    rng = np.random.default_rng(5)
    means, counts, x = rng.normal(size=(6, DIMS)), np.array([1.0, 2.0, 2.5, 30.0, 400.0, 1.0]), rng.normal(size=DIMS)
    weights, squares = witnesses(counts), (means**2).sum(axis=1)
    together = ((weights[:, None] * means + x) ** 2).sum(axis=1)
    apart = log_evidence(space, weights, weights**2 * squares) + log_evidence(space, np.ones(1), np.array([x @ x]))
    expected = share * (log_evidence(space, weights + 1.0, together) - apart) + np.log(counts)
    assert Joining.of(space, squares, counts).odds(float(x @ x), means @ x) == pytest.approx(expected)


def test_correlated_images_are_worth_less_and_less() -> None:
    counts = np.array([1.0, 2.0, 10.0, 1e9])
    worth = witnesses(counts)
    assert worth[0] == 1.0
    assert (np.diff(worth) > 0).all()
    assert (worth <= counts).all()
    assert worth[-1] == pytest.approx(1.0 / evidence.CORRELATION, rel=1e-3)


def test_the_prior_is_that_of_the_chinese_restaurant(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "EVIDENCE_SHARE", 0.0)
    constant, slope = merging(space, np.array([1.0, 4.0, 7.0]), 3.0)
    expected = [log(factorial(a + 2) / (factorial(a - 1) * factorial(2))) for a in (1, 4, 7)]
    assert constant == pytest.approx(expected)
    assert slope.tolist() == [0.0] * 3
    alone, _ = merging(space, np.array([1.0, 4.0, 7.0]), 3.0, prior=False)
    assert (alone < 0).all()
