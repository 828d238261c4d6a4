"""Vectors are brought to unit length, whatever their size."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from inkling.encoders.vectors import unit_vectors


@pytest.mark.parametrize("size", [1e-30, 1.0, 3e38])
def test_the_length_is_one_whatever_the_size(size: float) -> None:
    assert unit_vectors(np.array([[3.0, -4.0]]) / 4 * size)[0] == pytest.approx([0.6, -0.8])


def test_what_has_no_direction_stays_without_and_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = unit_vectors(np.array([[0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0]]))
    assert found[0].tolist() == [0.0, 0.0]
    assert np.isnan(found[1:]).any(axis=1).all()
