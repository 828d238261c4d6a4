"""Shrunk class means against the posterior of the two-covariance model written out."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.heads.shrunk_means import ISOTROPIC, shrunk_means
from inkling.types import FloatArray, IntArray


def drawn(seed: int, counts: IntArray, *, dims: int, noise: float, spread: float) -> tuple[FloatArray, FloatArray]:
    """Class centres, and means of so many images of each; classes differ in few directions."""
    rng = np.random.default_rng(seed)
    centres = np.zeros((len(counts), dims))
    centres[:, :3] = spread * rng.normal(size=(len(counts), 3))
    return centres, centres + np.sqrt(noise / counts)[:, None] * rng.normal(size=centres.shape)


def dense_posterior(means: FloatArray, counts: IntArray, noise: float) -> FloatArray:
    """B (B + noise / n_k I)^-1 m_k with the estimate of B, the covariance of the centres, as a dense matrix."""
    K, d = means.shape
    values, vectors = np.linalg.eigh(means.T @ means / (K - 1) - noise * np.mean(1 / counts) * np.eye(d))
    B = (vectors * np.maximum(values, 0)) @ vectors.T
    B = (1 - ISOTROPIC) * B + ISOTROPIC * np.trace(B) / d * np.eye(d)
    return np.stack([B @ np.linalg.solve(B + noise / n * np.eye(d), m) for m, n in zip(means, counts, strict=True)])


@pytest.mark.parametrize(("n_classes", "dims"), [(4, 20), (30, 6), (2, 5)])
def test_means_are_those_of_the_dense_posterior(n_classes: int, dims: int) -> None:
    counts = np.arange(n_classes) % 5 + 1
    _, means = drawn(0, counts, dims=dims, noise=0.5, spread=2.0)
    expected = dense_posterior(means, counts, 0.5)
    assert shrunk_means(means, counts, noise=0.5) == pytest.approx(expected, abs=1e-10)


def test_they_lie_nearer_to_the_centres_than_the_means_do() -> None:
    counts = np.full(20, 2)
    centres, means = drawn(1, counts, dims=60, noise=1.0, spread=2.0)
    shrunk = shrunk_means(means, counts, noise=1.0)
    assert ((shrunk - centres) ** 2).sum() < 0.5 * ((means - centres) ** 2).sum()


def test_many_images_are_taken_at_their_word() -> None:
    counts = np.full(10, 100_000)
    _, means = drawn(2, counts, dims=8, noise=1.0, spread=2.0)
    assert shrunk_means(means, counts, noise=1.0) == pytest.approx(means, abs=1e-3)


def test_means_that_differ_by_noise_alone_keep_their_order_and_little_else() -> None:
    means = 1e-3 * (np.eye(4) - 0.25)
    shrunk = shrunk_means(means, np.full(4, 2), noise=1.0)
    assert shrunk == pytest.approx(means * 1e-3, rel=1e-2)
