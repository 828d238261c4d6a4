"""What one pass keeps makes the heads that all vectors at once make, whatever the order and the chunks."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.heads import AutoHead, GDAHead, PrototypeHead
from inkling.heads.closed_form import ClosedForm
from inkling.heads.one_pass import HELD_OUT, Looking, Seen, Tally, look, per_class, vector_keys
from inkling.heads.one_pass_fit import fit_seen, space_of
from inkling.heads.standardization import Standardization
from inkling.heads.support import unit_rows
from inkling.types import FloatArray, IntArray

K, D = 5, 16
CLASSES = tuple(f"class {k}" for k in range(K))


def mixture(n: int, seed: int = 0) -> tuple[FloatArray, IntArray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, K, n)
    centres = np.random.default_rng(7).normal(size=(K, D))
    return unit_rows(centres[y] + rng.normal(size=(n, D))).astype(np.float32), y


def passed(
    X: FloatArray, y: IntArray, chunks: list[IntArray], space: Standardization | None = None, groups: bool = False
) -> Seen:
    tally = Tally(D)
    for rows in chunks:
        met = tuple(dict.fromkeys(CLASSES[k] for k in y[rows].tolist()))
        column = {name: k for k, name in enumerate(met)}
        own = np.array([column[CLASSES[k]] for k in y[rows].tolist()])
        numbers = (rows // 4 + 1 if groups else np.zeros(len(rows))).astype(np.uint64)
        tally.add(look(X[rows], own, met, rows[:, None], numbers, Looking(D, space, seed=3)))
    seen = tally.total()
    assert seen is not None
    return seen.in_order(CLASSES)


def cut(n: int, *at: int) -> list[IntArray]:
    return np.split(np.arange(n), at)


@pytest.mark.parametrize("name", ["gda", "prototype", "auto"])
@pytest.mark.parametrize("with_text", [False, True])
def test_the_head_is_that_of_all_vectors_at_once(name: str, with_text: bool) -> None:
    X, y = mixture(600)
    text = np.random.default_rng(1).normal(size=(K, D)) if with_text else None
    whole = {"gda": GDAHead, "prototype": PrototypeHead}
    space = space_of(X, y, K, D) if name == "auto" else None
    seen = passed(X, y, cut(600, 100, 101, 350), space)
    task = ClosedForm(D, 100.0, text, space)
    fitted, statistics = fit_seen(name, seen, task, sources=np.arange(len(seen.sample.y)))
    assert statistics.counts.tolist() == np.bincount(y).tolist()
    new = mixture(50, seed=9)[0]
    if name == "auto":
        head = fitted.head
        assert isinstance(head, AutoHead)
        # In memory the experts see all vectors in the space, and no text.
        assert space is not None
        mapped, seen_there = space(X), space(new)
        by_hand = {"prototype": PrototypeHead(shrinkage=0.7), "gda": GDAHead(posterior=True)}
        for expert in set(head.experts_) & set(by_hand):
            expected = by_hand[expert].fit(mapped.astype(np.float64), y).logits(seen_there.astype(np.float64))
            assert np.allclose(head.experts_[expert].scores(seen_there), expected, rtol=2e-5, atol=2e-4)
        return
    expected = whole[name](text_vectors=text).fit(X.astype(np.float64), y).logits(new)
    assert np.allclose(fitted.head.logits(new), expected, rtol=1e-6, atol=1e-6)


def test_statistics_and_sample_do_not_depend_on_order_or_chunks() -> None:
    X, y = mixture(3_000)
    one = passed(X, y, [np.arange(3_000)])
    mixed = np.random.default_rng(2).permutation(3_000)
    other = passed(X, y, [mixed[rows] for rows in cut(3_000, 7, 800, 801, 2_500)])
    assert set(one.sample.about[:, 0].tolist()) == set(other.sample.about[:, 0].tolist())
    assert np.array_equal(one.sample.held_out, other.sample.held_out)
    for half, same in zip(one.halves, other.halves, strict=True):
        assert half.counts.tolist() == same.counts.tolist()
        assert np.allclose(half.sums, same.sums, rtol=1e-12)
        assert np.allclose(half.scatter, same.scatter, rtol=0, atol=1e-9 * np.abs(half.scatter).max())


def test_halves_are_of_different_images_and_sources() -> None:
    X, y = mixture(4_000)
    seen = passed(X, y, cut(4_000, 1_234), groups=True)
    first, second = (half.counts.sum() for half in seen.halves)
    assert first + second == 4_000
    assert second / 4_000 == pytest.approx(1 / HELD_OUT, abs=0.03)
    groups = seen.sample.about[:, 0].astype(int) // 4
    assert not set(groups[seen.sample.held_out]) & set(groups[~seen.sample.held_out])
    rows = seen.sample.about[seen.sample.held_out, 0].astype(int)
    held = np.isin(np.arange(4_000) // 4, rows // 4)
    if len(seen.sample.y) == 4_000:
        residuals = X[held] - np.stack([X[held & (y == k)].mean(axis=0) for k in range(K)])[y[held]]
        assert np.allclose(seen.halves[1].scatter, residuals.T @ residuals, atol=1e-3)


def test_a_sample_is_bounded_and_copies_count_once() -> None:
    X, y = mixture(2_000)
    seen = passed(np.concatenate([X, X]), np.concatenate([y, y]), cut(4_000, 2_000))
    assert len(seen.sample.y) == 2_000
    assert per_class(2) == 1_000
    assert per_class(10_000) == 10
    many = mixture(12_000)
    kept = passed(*many, cut(12_000, 5_000))
    assert np.bincount(kept.sample.y).tolist() == [1_000] * K


def test_keys_are_spread_evenly() -> None:
    keys = vector_keys(np.eye(64, dtype=np.float32), seed=0)
    assert len(set(keys.tolist())) == 64
    X = mixture(20_000)[0]
    share = np.bincount((vector_keys(X, seed=1) >> np.uint64(61)).astype(int), minlength=8) / 20_000
    assert np.allclose(share, 1 / 8, atol=0.015)


def test_calibration_rests_on_images_that_the_head_did_not_see() -> None:
    rng = np.random.default_rng(0)
    X = unit_rows(rng.normal(size=(3_000, D))).astype(np.float32)
    y = rng.integers(0, K, 3_000)  # labels that say nothing: nobody can be right more often than by chance
    seen = passed(X, y, cut(3_000, 1_000))
    fitted, _ = fit_seen("gda", seen, ClosedForm(D), sources=np.arange(len(seen.sample.y)))
    assert fitted.calibration["top1"] == pytest.approx(1 / K, abs=0.08)
    assert fitted.calibration["n"] == int(seen.sample.held_out.sum())
    assert fitted.probabilities(X).max() < 0.5


def test_a_class_held_out_as_a_whole_is_known_in_the_end() -> None:
    X, y = mixture(400)
    keep = y != 0
    for row in np.flatnonzero(y == 0):  # a single image of class 0 that is held out
        alone = keep.copy()
        alone[row] = True
        seen = passed(X[alone], y[alone], [np.arange(alone.sum())])
        if seen.halves[0].counts[0] == 0:
            fitted, statistics = fit_seen("gda", seen, ClosedForm(D), sources=np.arange(len(seen.sample.y)))
            assert statistics.counts[0] == 1
            assert np.isfinite(fitted.head.logits(X)).all()
            return
    pytest.fail("none of the images is held out")
