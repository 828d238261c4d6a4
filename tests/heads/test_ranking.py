"""The likeliest classes are those that sorting all of them gives, ties included."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from inkling.heads.ranking import likeliest

TABLES = arrays(
    np.float64, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.sampled_from([0, 0.1, 0.5, 1])
)


@given(TABLES, st.integers(1, 14))
def test_they_are_the_first_of_all_in_order(p: np.ndarray, count: int) -> None:
    np.testing.assert_array_equal(likeliest(p, count), np.argsort(-p, axis=1, kind="stable")[:, :count])
