"""Merging against the same rule with everything worked out anew at each step."""

from __future__ import annotations

from math import lgamma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkling.discovery.agglomerate import agglomerate
from inkling.discovery.evidence import EVIDENCE_SHARE, log_evidence, witnesses
from inkling.discovery.space import Space
from inkling.types import BoolArray, FloatArray, IntArray
from tests.discovery.samples import draw_classes

X, Y = draw_classes(n_classes=5, per_class=6, dims=24, noise=0.8, seed=1)
SPACE = Space.of(X, Y)


def plainly(means: FloatArray, counts: FloatArray, apart: BoolArray) -> IntArray:
    """Merge the best pair until none gains; clusters are lists of members."""
    clusters = [[i] for i in range(len(means))]
    while True:
        best, pair = 0.0, None
        for a, one in enumerate(clusters):
            for b, other in enumerate(clusters[:a]):
                if apart[np.ix_(one, other)].any():
                    continue
                gain = gain_of(means, counts, one, other)
                if gain > best:
                    best, pair = gain, (a, b)
        if pair is None:
            break
        clusters[pair[1]] += clusters.pop(pair[0])
    labels = np.empty(len(means), dtype=int)
    for members in clusters:
        labels[members] = min(members)
    return labels


def gain_of(means: FloatArray, counts: FloatArray, one: list[int], other: list[int]) -> float:
    mean, more = (np.average(means[it], axis=0, weights=counts[it]) for it in (one, other))
    n, m = float(counts[one].sum()), float(counts[other].sum())
    a, b = (float(witnesses(np.array(it))) for it in (n, m))
    sums = a * mean + b * more, a * mean, b * more
    together, *apart = (
        float(log_evidence(SPACE, np.array(weight), np.array(total @ total)))
        for weight, total in zip((a + b, a, b), sums, strict=True)
    )
    return EVIDENCE_SHARE * (together - sum(apart)) + lgamma(n + m) - lgamma(n) - lgamma(m)


def pool(seed: int, n: int) -> tuple[FloatArray, FloatArray, BoolArray]:
    rng = np.random.default_rng(seed)
    means = SPACE(draw_classes(n_classes=3, per_class=-(-n // 3), dims=24, noise=1.0, seed=seed)[0])[:n]
    apart = np.triu(rng.random((n, n)) < 0.2, k=1)
    return means, rng.integers(1, 4, size=n).astype(float), apart | apart.T


@pytest.mark.parametrize("seed", range(5))
def test_merges_are_those_of_the_plain_rule(seed: int) -> None:
    means, counts, apart = pool(seed, 14)
    assert agglomerate(SPACE, means, counts, apart=apart).tolist() == plainly(means, counts, apart).tolist()


@given(seed=st.integers(0, 10_000), n=st.integers(0, 25))
@settings(max_examples=40, deadline=None)
def test_what_is_kept_apart_never_meets(seed: int, n: int) -> None:
    means, counts, apart = pool(seed, n)
    labels = agglomerate(SPACE, means, counts, apart=apart)
    assert not (apart & (labels[:, None] == labels)).any()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_order_has_no_say(seed: int) -> None:
    means, counts, apart = pool(seed, 18)
    order = np.random.default_rng(seed).permutation(len(means))
    labels = agglomerate(SPACE, means, counts, apart=apart)
    shuffled = agglomerate(SPACE, means[order], counts[order], apart=apart[np.ix_(order, order)])
    assert ((labels[:, None] == labels)[np.ix_(order, order)] == (shuffled[:, None] == shuffled)).all()


def test_images_of_one_class_merge_and_classes_do_not() -> None:
    means, y = draw_classes(n_classes=4, per_class=8, dims=24, noise=0.5, seed=9)
    labels = agglomerate(SPACE, SPACE(means), np.ones(len(y)), apart=np.zeros((len(y), len(y)), dtype=bool))
    assert ((labels[:, None] == labels) == (y[:, None] == y)).all()
