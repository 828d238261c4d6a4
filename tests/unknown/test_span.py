"""Few coordinates that keep what many dimensions hold about the known images."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.unknown.span import Span

RNG = np.random.default_rng(0)
KNOWN, OTHERS = RNG.normal(size=(6, 40)), RNG.normal(size=(3, 40))


def test_inner_products_with_known_images_and_lengths_stay() -> None:
    span = Span.of(KNOWN)
    known, others = span(KNOWN), span(OTHERS)
    assert known.shape == (6, 7)
    assert known @ known.T == pytest.approx(KNOWN @ KNOWN.T, abs=2e-3)
    assert others @ known.T == pytest.approx(OTHERS @ KNOWN.T, abs=2e-3)
    assert (others**2).sum(axis=1) == pytest.approx((OTHERS**2).sum(axis=1), rel=1e-5)


def test_known_images_have_nothing_beyond_their_span() -> None:
    assert Span.of(KNOWN)(KNOWN)[:, -1] == pytest.approx(np.zeros(6), abs=1e-9)
    beyond = OTHERS - OTHERS @ np.linalg.pinv(KNOWN) @ KNOWN
    assert Span.of(KNOWN)(OTHERS)[:, -1] == pytest.approx(np.linalg.norm(beyond, axis=1), rel=1e-3)


def test_no_coordinate_is_special() -> None:
    """Along the axes of the largest variance one coordinate would hold nearly all."""
    known = KNOWN + 10.0
    assert (Span.of(known)(known) ** 2).sum(axis=0).max() < 0.8 * (known**2).sum()


def test_copies_take_no_coordinates() -> None:
    assert Span.of(np.repeat(KNOWN, 3, axis=0)).basis.shape == (40, 6)


def test_many_images_stay_as_they_are() -> None:
    X = RNG.normal(size=(39, 40))
    assert Span.of(X)(X) is X
