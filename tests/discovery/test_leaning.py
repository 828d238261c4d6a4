"""A class that resembles a known one is reported, and known classes alone are not."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.discovery import Found, Rules, discover
from inkling.discovery.batch import GATE
from inkling.discovery.leaning import leaning
from inkling.discovery.pool import Pool, Ties
from inkling.discovery.space import Space
from inkling.heads.support import unit_rows
from inkling.types import BoolArray, FloatArray
from tests.discovery.samples import N_KNOWN, Sample, draw_sample


def with_near(sample: Sample, *, n: int = 14, p_known: float = 0.05) -> tuple[Sample, BoolArray]:
    """With images of a class next to the first known one."""
    rng = np.random.default_rng(7)
    dims = sample.X.shape[1]
    centre = unit_rows(sample.known_X[sample.known_y == 0].mean(axis=0, keepdims=True))[0]
    aside = unit_rows(rng.normal(size=(1, dims)))[0]
    X = unit_rows(centre + 0.45 * aside + 0.7 / np.sqrt(dims) * rng.normal(size=(n, dims)))
    near = np.concatenate([np.zeros(len(sample.y), dtype=bool), np.ones(n, dtype=bool)])
    return (
        Sample(
            sample.known_X,
            sample.known_y,
            np.concatenate([sample.X, X]).astype(np.float32),
            np.concatenate([sample.y, np.full(n, N_KNOWN)]),
            np.concatenate([sample.p_known, np.full(n, p_known)]),
            sample.n_known,
        ),
        near,
    )


def found_in(sample: Sample, *, min_images: int = 5) -> Found:
    return discover(sample.X, sample.p_known, sample.known_X, sample.known_y, rules=Rules(min_images))


def test_a_class_that_resembles_a_known_one_leans_apart_from_it() -> None:
    sample, near = with_near(draw_sample(n_new=0, per_known=30))
    found = found_in(sample)
    assert found.proposals == ()
    assert [one.known_class for one in found.leaning] == [0]
    assert near[found.leaning[0].rows].all()
    assert len(found.leaning[0].rows) >= 7
    assert found.leaning[0].of == (found.known_class == 0).sum() > 30


@pytest.mark.parametrize("seed", range(4))
def test_known_classes_alone_do_not(seed: int) -> None:
    assert found_in(draw_sample(n_new=0, per_known=30, noise=1.2, seed=seed)).leaning == ()


def test_images_that_are_no_less_known_than_others_are_another_kind_of_the_class() -> None:
    sample, _ = with_near(draw_sample(n_new=0, per_known=30), p_known=0.6)
    assert found_in(sample).leaning == ()


def test_too_few_are_not_reported() -> None:
    sample, _ = with_near(draw_sample(n_new=0, per_known=30))
    assert found_in(sample, min_images=15).leaning == ()


def test_where_only_candidates_are_left_a_low_p_value_says_less() -> None:
    sample, near = with_near(draw_sample(n_new=0, per_known=30), n=11)
    space = Space.of(sample.known_X, sample.known_y)
    p_known = np.where(near, 0.05, np.minimum(sample.p_known, GATE))
    y = np.where(near, 0, sample.y)

    def reported(p_values: FloatArray) -> int:
        pool = Pool.of(space(sample.X), p_values, Ties())
        return len(leaning(space, pool, y, gate=GATE, min_images=3))

    assert reported(p_known) == 0
    p_known[0] = 0.9
    assert reported(p_known) == 1
