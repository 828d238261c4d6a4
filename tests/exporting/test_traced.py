"""A graph computes what numpy does, in numpy's number types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inkling.errors import InputError
from inkling.exporting.graph import Graph
from inkling.exporting.traced import Traced
from tests.exporting.graphs import traced

RNG = np.random.default_rng(0)
W32, W64 = RNG.normal(size=(4, 3)).astype(np.float32), RNG.normal(size=(4, 3))
STACK = RNG.normal(size=(2, 4, 3)).astype(np.float32)
ORDERED = np.sort(RNG.normal(size=7))

EXPRESSIONS: dict[str, Callable[[Any], Any]] = {
    "arithmetic": lambda x: (2.0 * x - 1) / 3.0 + x * x - (-x),
    "reflected": lambda x: 1.0 - x + np.arange(4.0),
    "powers": lambda x: x**2 + np.square(x) + np.abs(x) ** 1.5,
    "weak numbers keep float32": lambda x: np.where(x > 0, x, 1.0),
    "numpy's own numbers don't": lambda x: np.float64(0.5) * x,
    "exp, log, sqrt": lambda x: np.log(np.exp(x) + 1.0) + np.sqrt(np.abs(x)),
    "extremes": lambda x: np.maximum(x, 0.25) - np.minimum(x, W64[:, 0]),
    "float32 product": lambda x: x @ W32,
    "float64 product": lambda x: x @ W64,
    "product with a vector": lambda x: x @ W32[:, 0],
    "product from the left": lambda x: W32.T @ x[:, :, None],
    "products with a stack": lambda x: x @ STACK,
    "sum": lambda x: x.sum(axis=1),
    "kept axis": lambda x: x - x.mean(axis=-1, keepdims=True),
    "largest and smallest": lambda x: x.max(axis=1) - x.min(axis=1),
    "first of the largest": lambda x: np.round(x).argmax(axis=1) if isinstance(x, np.ndarray) else x.argmax(axis=1),
    "lengths": lambda x: np.linalg.norm(x, axis=1, keepdims=True),
    "einsum": lambda x: np.einsum("nd,nd->n", x, x),
    "part of the columns": lambda x: x[:, 1:3],
    "no column": lambda x: np.column_stack([x[:, :0], x]),
    "chosen columns": lambda x: x[:, np.array([True, False, True, False])],
    "one column": lambda x: x[..., 0],
    "another axis": lambda x: x[:, None] * W32.T,
    "stacks": lambda x: np.hstack([x, 2 * x]) + np.concatenate([x, x.astype(np.float64)], axis=1),
    "columns side by side": lambda x: np.column_stack([x.sum(axis=1), x]),
    "comparisons": lambda x: (x > 0) & (x <= W64[:, 0]) | ~(x >= -1.0),
    "places among ordered numbers": lambda x: np.searchsorted(ORDERED, x[:, 0]),
    "places on the right": lambda x: np.searchsorted(ORDERED, x[:, 1], side="right"),
    "the smallest, in any order": lambda x: np.take_along_axis(x, np.argpartition(x, 1, axis=1)[:, :2], 1).sum(axis=1),
    "other number types": lambda x: x.astype(np.float64) / 3,
    "turned": lambda x: (x[:, None] * W32.T).transpose(0, 2, 1),
    "in place": lambda x: _halved(x * 1.0),
}


def _halved(x: Any) -> Any:
    x /= 2.0
    return x


@pytest.mark.parametrize("name", EXPRESSIONS)
@given(arrays(np.float32, st.tuples(st.integers(1, 5), st.just(4)), elements=st.floats(-3, 3, width=32)))
@settings(max_examples=8, deadline=None)
def test_a_graph_computes_what_numpy_does(name: str, x: np.ndarray) -> None:
    compute = EXPRESSIONS[name]
    if name == "first of the largest":
        x = np.round(x)  # with ties, of which numpy takes the first
    expected = compute(x)
    found = traced(lambda value: {"found": compute(value)}, x)["found"]
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-6)


def test_shapes_are_known_but_for_the_rows() -> None:
    x = Traced(Graph(), "x", np.float32, (None, 4))
    assert (x @ W32).shape == (None, 3)
    assert (x @ STACK).shape == (2, None, 3)
    assert (x[:, None] * W32.T).shape == (None, 3, 4)
    assert np.hstack([x, x[:, :1]]).shape == (None, 5)


@pytest.mark.parametrize(
    "compute",
    [np.fft.fft, np.sort, np.arctan, lambda x: np.add.reduce(x), lambda x: np.add(x, 1, where=False)],
    ids=["fft", "sort", "arctan", "reduce", "where"],
)
def test_what_has_no_operator_is_refused(compute: Callable[[Any], Any]) -> None:
    with pytest.raises(InputError, match="can't be written as a graph"):
        compute(Traced(Graph(), "x", np.float32, (None, 4)))


@pytest.mark.parametrize("compute", [np.asarray, bool, len, lambda x: np.zeros(3) if x > 0 else x])
def test_values_are_not_known_beforehand(compute: Callable[[Any], Any]) -> None:
    """Code that decides by numbers would put one of its ways into the graph, without a word."""
    with pytest.raises(TypeError):
        compute(Traced(Graph(), "x", np.float32, (None, 4)))
