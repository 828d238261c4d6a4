"""The share of known images among unknown ones, and whether there are too many."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.discovery.p_values import PValues, check_p_values
from inkling.errors import InputError
from inkling.types import FloatArray


def ranks(rng: np.random.Generator, n: int, highest: float = 1.0) -> FloatArray:
    """p-values on the grid of a calibration with 199 images."""
    return np.asarray(rng.integers(1, int(200 * highest) + 1, size=n) / 200.0)


def test_the_share_of_known_images_is_about_right() -> None:
    rng = np.random.default_rng(0)
    known, new = ranks(rng, 4000), ranks(rng, 1000, 0.1)
    p = np.concatenate([known, new])
    share = PValues.of(p).known_share(p)
    unknown = p <= 0.1
    assert share[unknown].mean() == pytest.approx((known <= 0.1).sum() / unknown.sum(), abs=0.05)
    assert share[p > 0.5].mean() > 0.95


def test_without_unknown_images_all_count_as_known() -> None:
    p = ranks(np.random.default_rng(1), 5000)
    assert PValues.of(p).known_share(p).min() > 0.75


def test_the_share_never_falls_as_p_values_grow() -> None:
    rng = np.random.default_rng(2)
    p = np.sort(np.concatenate([ranks(rng, 300), ranks(rng, 60, 0.05)]))
    share = PValues.of(p).known_share(p)
    assert (np.diff(share) >= -1e-12).all()
    assert ((share >= 0) & (share <= 1)).all()


def test_uniformity_is_rarely_denied_to_known_images_and_always_to_unknown_ones() -> None:
    rng = np.random.default_rng(3)
    denied = 0
    for _ in range(200):
        calibration, scores = rng.normal(size=199), rng.normal(size=150)
        p = (1 + (calibration[:, None] <= scores).sum(axis=0)) / 200.0
        denied += PValues.of(p).uniformity <= 0.05
    assert denied <= 20
    assert PValues.of(np.concatenate([ranks(rng, 100), ranks(rng, 100, 0.05)])).uniformity < 1e-6


def test_a_stream_counts_as_a_batch_does() -> None:
    p = ranks(np.random.default_rng(4), 90)
    whole, parts = PValues.of(p), PValues.of(p[:30]).with_more(p[30:])
    assert parts.counts.tolist() == whole.counts.tolist()
    assert parts.smallest == whole.smallest
    assert parts.total == 90


def test_bins_hold_their_upper_bound() -> None:
    counts = PValues.of(np.array([0.3, 0.005, 1.0])).counts
    assert np.flatnonzero(counts).tolist() == [0, 59, 199]


def test_no_image_is_no_fault() -> None:
    none = PValues.of(np.zeros(0))
    assert none.total == 0
    assert none.uniformity == 1.0
    assert len(none.known_share(np.zeros(0))) == 0


@pytest.mark.parametrize("p", [[0.0, 0.5], [0.5, 1.1], [0.5, np.nan], [0.5]])
def test_what_is_no_p_value_is_refused(p: list[float]) -> None:
    with pytest.raises(InputError, match="p_known"):
        check_p_values(np.array(p), 2)
