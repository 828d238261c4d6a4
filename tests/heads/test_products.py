"""Products in the precision of what was learned."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.heads.products import product


@pytest.mark.parametrize("given", [np.float32, np.float64])
@pytest.mark.parametrize("learned", [np.float32, np.float64])
def test_a_product_is_as_precise_as_numpys_or_as_what_was_learned(given: type, learned: type) -> None:
    rng = np.random.default_rng(0)
    X, M = rng.normal(size=(3, 200)).astype(given), rng.normal(size=(200, 40)).astype(learned)
    found = product(X, M)
    assert found.dtype == (X @ M).dtype
    np.testing.assert_allclose(found, X.astype(np.float64) @ M, rtol=0, atol=1e-4)


def test_of_equal_precision_it_is_numpys_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    X, M = rng.normal(size=(3, 200)), rng.normal(size=(200, 40))
    assert (product(X, M) == X @ M).all()
