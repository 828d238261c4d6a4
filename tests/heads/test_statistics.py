"""Statistics of examples: what is added and taken away is as if it had been there, or never."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from inkling.heads.statistics import Statistics, SummedSupport
from inkling.heads.support import Support

DIMS = 4


def _drawn(seed: int, n: int, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % n_classes)
    return rng.standard_normal((n, DIMS)) + 3 * y[:, None], y


def _assert_same(one: Statistics, other: Statistics) -> None:
    for name, array in one.arrays().items():
        assert_allclose(array, other.arrays()[name], atol=1e-9, err_msg=name)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(4, 30), more=st.integers(1, 10))
def test_more_examples_are_as_if_they_had_been_there(seed: int, n: int, more: int) -> None:
    X, y = _drawn(seed, n + more, 3)
    k = int(y[n])
    y[n:] = k
    first = Statistics.of(X[:n], X[:n], y[:n], 3)
    _assert_same(first.with_examples(k, X[n:], X[n:]), Statistics.of(X, X, y, 3))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(6, 30), k=st.integers(0, 2))
def test_a_class_that_goes_is_as_if_it_had_never_been_there(seed: int, n: int, k: int) -> None:
    X, y = _drawn(seed, n, 3)
    stays = y != k
    without = Statistics.of(X[stays], X[stays], y[stays] - (y[stays] > k), 2)
    _assert_same(Statistics.of(X, X, y, 3).without_class(k, X[~stays]), without)


def test_a_class_comes_in_the_last_column() -> None:
    X, y = _drawn(0, 12, 4)
    known = y < 3
    first = Statistics.of(X[known], X[known], y[known], 3)
    _assert_same(first.with_class().with_examples(3, X[~known], X[~known]), Statistics.of(X, X, y, 4))


def test_they_come_back_from_their_arrays() -> None:
    X, y = _drawn(0, 12, 4)
    first = Statistics.of(X, X, y, 4)
    _assert_same(Statistics.from_arrays(first.arrays()), first)


def test_a_support_set_without_rows_has_the_means_and_the_scatter_of_one_with_rows() -> None:
    X, y = _drawn(0, 40, 4)
    found = Statistics.of(X, X, y, 4)
    nothing = np.zeros((0, DIMS)), np.zeros(0, dtype=np.int64)
    summed = SummedSupport(*nothing, len(X), 4, None, found.counts, found.sums, found.scatter)
    rows = Support(X, y, len(X), 4, None)
    assert (summed.n_examples, summed.n_dims) == (rows.n_examples, rows.n_dims)
    assert_allclose(summed.counts, rows.counts)
    assert_allclose(summed.means, rows.means)
    assert_allclose(summed.scatter.eigenvalues, rows.scatter.eigenvalues)
