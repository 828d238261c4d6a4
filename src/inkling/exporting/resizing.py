"""Pillow's resize as ONNX operators, on channels (3, height, width).

Rows and columns are products with matrices of weights, which are Pillow's own: on bytes, whole multiples of 2^-22, so
that the result is equal. Of larger pictures, bilinear and bicubic filters are the operator ``Resize`` with antialiasing
on bytes. It is faster, and works with scales in float32: some bytes differ by 1, few by 2.

Pillow resizes one axis after the other and rounds in between. From release 13 on it begins with the columns where that
spares more work. As clipping in between makes up to 30 grey levels of the order, the Pillow at hand is asked for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from onnx import TensorProto
from PIL import Image

from inkling.exporting.graph import Graph

_PLACES = float(1 << 22)
"""Weights on bytes are whole multiples of its inverse."""

_MODES = {int(Image.Resampling.BILINEAR): "linear", int(Image.Resampling.BICUBIC): "cubic"}
"""Filters that the operator has."""

MOST_EXACT_PIXELS = 1 << 19
"""Of a picture that is resized by weights where the operator would do: they take two to three times the time of
Pillow at that size, and more and more above it."""

_NEAREST = int(Image.Resampling.NEAREST)

_BICUBIC_A = -0.5
"""Pillow's constant of the cubic."""


class Axis(NamedTuple):
    """Names of scalars, int64: length before and after resizing, and what of the latter is kept."""

    length: str
    target: str
    start: str
    kept: str


def resized_levels(graph: Graph, channels: str, rows: Axis, columns: Axis, *, resample: int) -> str:
    """Bytes resized, and of them the part that is kept, (3, rows, columns) uint8."""
    if resample == _NEAREST:
        taken = graph.node("Gather", channels, _nearest(graph, rows), axis=1)
        return graph.node("Gather", taken, _nearest(graph, columns), axis=2)
    columns_first = _columns_first(graph, rows, columns)

    def by_weights(branch: Graph) -> str:
        return _by_weights(branch, channels, rows, columns, columns_first, resample)

    def by_operator(branch: Graph) -> str:
        return _by_operator(branch, channels, rows, columns, columns_first, _MODES[resample])

    if resample not in _MODES:
        return by_weights(graph)
    n_pixels = graph.node("Mul", rows.length, columns.length)
    is_small = graph.node("LessOrEqual", n_pixels, graph.constant(MOST_EXACT_PIXELS))
    return _either(graph, is_small, by_weights, by_operator)


def resized_floats(graph: Graph, channels: str, rows: Axis, columns: Axis, *, resample: int) -> str:
    """Bytes resized without rounding, and of them the part that is kept, (3, rows, columns) float32."""
    if resample == _NEAREST:
        levels = resized_levels(graph, channels, rows, columns, resample=resample)
        return graph.node("Cast", levels, to=TensorProto.FLOAT)
    upright, across = (
        graph.node("Cast", _weights(graph, axis, resample), to=TensorProto.FLOAT) for axis in (rows, columns)
    )
    floats = graph.node("Cast", channels, to=TensorProto.FLOAT)
    wide = graph.node("MatMul", floats, graph.node("Transpose", across, perm=[1, 0]))
    return graph.node("MatMul", upright, wide)


def _by_weights(graph: Graph, channels: str, rows: Axis, columns: Axis, columns_first: str, resample: int) -> str:
    """Products with the weights of each axis, in Pillow's order, rounded after each."""
    upright, across = (_in_places(graph, _weights(graph, axis, resample)) for axis in (rows, columns))
    across = graph.node("Transpose", across, perm=[1, 0])
    levels = _doubles(graph, channels)

    def begun_with_columns(branch: Graph) -> str:
        return _rounded(branch, _doubles(branch, _rounded(branch, upright, levels)), across)

    def begun_with_rows(branch: Graph) -> str:
        return _rounded(branch, upright, _doubles(branch, _rounded(branch, levels, across)))

    return _either(graph, columns_first, begun_with_columns, begun_with_rows)


def _by_operator(graph: Graph, channels: str, rows: Axis, columns: Axis, columns_first: str, mode: str) -> str:
    """One axis after the other, in Pillow's order; then the part that is kept."""
    first = (
        graph.node("Where", columns_first, rows.target, rows.length),
        graph.node("Where", columns_first, columns.length, columns.target),
    )
    pixels = graph.node("Unsqueeze", channels, graph.constant([0]))
    for lengths in (first, (rows.target, columns.target)):
        sizes = vector(graph, graph.constant(1), graph.constant(3), *lengths)
        sizes = graph.node("Reshape", sizes, graph.constant([4]))  # onnxruntime to 1.23 must foresee how many there are
        pixels = graph.node(
            "Resize", pixels, "", "", sizes, mode=mode, antialias=1, cubic_coeff_a=_BICUBIC_A, exclude_outside=1
        )
    pixels = graph.node("Squeeze", pixels, graph.constant([0]))
    ends = [graph.node("Add", axis.start, axis.kept) for axis in (rows, columns)]
    starts = vector(graph, rows.start, columns.start)
    return graph.node("Slice", pixels, starts, vector(graph, *ends), graph.constant([1, 2]))


def _columns_first(graph: Graph, rows: Axis, columns: Axis) -> str:
    """Whether columns are resized before rows: where their length falls, and by more than twice what rows lose."""
    if not _begins_with_columns():
        return graph.constant(False)
    lost_rows, lost_columns = (graph.node("Sub", axis.length, axis.target) for axis in (rows, columns))
    falls = graph.node("Greater", lost_rows, graph.constant(0))
    by_more = graph.node("Greater", lost_rows, graph.node("Mul", lost_columns, graph.constant(2)))
    return graph.node("And", falls, by_more)


@cache
def _begins_with_columns() -> bool:
    """Whether the Pillow at hand ever does."""
    high = Image.fromarray((np.indices((64, 8)).sum(axis=0) % 3 * 127).astype(np.uint8))
    rows_first = high.resize((16, 64), Image.Resampling.BICUBIC).resize((16, 16), Image.Resampling.BICUBIC)
    return rows_first.tobytes() != high.resize((16, 16), Image.Resampling.BICUBIC).tobytes()


def _nearest(graph: Graph, axis: Axis) -> str:
    """Numbers of the pixels that are taken. Pillow adds up the step, with the rounding of that, and so does this."""
    step, one = _step(graph, axis), graph.constant([1])
    first = graph.node("Unsqueeze", graph.node("Mul", step, graph.constant(0.5)), graph.constant([0]))
    others = graph.node("Expand", step, graph.node("Sub", vector(graph, axis.target), one))
    places = graph.node("CumSum", graph.node("Concat", first, others, axis=0), graph.constant(0))
    end = graph.node("Add", axis.start, axis.kept)
    kept = graph.node("Slice", places, vector(graph, axis.start), vector(graph, end), graph.constant([0]))
    return graph.node("Cast", kept, to=TensorProto.INT64)


def _step(graph: Graph, axis: Axis) -> str:
    """Pixels before resizing for one after it, float64."""
    length, target = (graph.node("Cast", each, to=TensorProto.DOUBLE) for each in (axis.length, axis.target))
    return graph.node("Div", length, target)


def _weights(graph: Graph, axis: Axis, resample: int) -> str:
    """Matrix (kept, length), float64: what each pixel before resizing counts in each that is kept."""
    support, of_distance = _FILTERS[resample]
    half, zero = graph.constant(0.5), graph.constant(0)
    step = _step(graph, axis)
    stretch = graph.node("Max", step, graph.constant(1.0))
    reach = graph.node("Mul", stretch, graph.constant(support))
    end = graph.node("Add", axis.start, axis.kept)
    numbers = graph.node("Cast", graph.node("Range", axis.start, end, graph.constant(1)), to=TensorProto.DOUBLE)
    centres = graph.node("Mul", graph.node("Add", numbers, half), step)
    centres = graph.node("Unsqueeze", centres, graph.constant([1]))
    first, last = (
        graph.node("Cast", graph.node("Add", graph.node(sign, centres, reach), half), to=TensorProto.INT64)
        for sign in ("Sub", "Add")
    )
    places = graph.node("Range", zero, axis.length, graph.constant(1))
    is_near = graph.node("And", graph.node("GreaterOrEqual", places, first), graph.node("Less", places, last))
    away = graph.node("Sub", graph.node("Cast", places, to=TensorProto.DOUBLE), centres)
    inverse = graph.node("Div", graph.constant(1.0), stretch)
    distances = graph.node("Mul", graph.node("Add", away, half), inverse)
    weights = graph.node("Where", is_near, of_distance(graph, distances), graph.constant(0.0))
    return graph.node("Div", weights, graph.node("ReduceSum", weights, graph.constant([1]), keepdims=1))


def _in_places(graph: Graph, weights: str) -> str:
    """Weights as whole numbers of places, halves away from zero."""
    scaled = graph.node("Mul", weights, graph.constant(_PLACES))
    away = graph.node("Mul", graph.node("Sign", weights), graph.constant(0.5))
    whole = graph.node("Cast", graph.node("Add", scaled, away), to=TensorProto.INT64)
    return graph.node("Cast", whole, to=TensorProto.DOUBLE)


def _rounded(graph: Graph, one: str, other: str) -> str:
    """A product of bytes and places as bytes again. Its sums are whole numbers below 2^53, so float64 is exact."""
    total = graph.node("Add", graph.node("MatMul", one, other), graph.constant(_PLACES / 2))
    levels = graph.node("Floor", graph.node("Mul", total, graph.constant(1 / _PLACES)))
    levels = graph.node("Clip", levels, graph.constant(0.0), graph.constant(255.0))
    return graph.node("Cast", levels, to=TensorProto.UINT8)


def _either(graph: Graph, condition: str, first: Callable[[Graph], str], second: Callable[[Graph], str]) -> str:
    """What one of two computations gives; the other doesn't run."""
    branches = {}
    for name, compute in (("then_branch", first), ("else_branch", second)):
        branch = Graph(graph)
        found = compute(branch)
        branches[name] = branch.body(name, inputs={}, outputs={found: (np.uint8, (3, None, None))})
    return graph.node("If", condition, **branches)


def _box(graph: Graph, distances: str) -> str:
    half = graph.constant(0.5)
    inside = graph.node("Greater", distances, graph.constant(-0.5)), graph.node("LessOrEqual", distances, half)
    return graph.node("Cast", graph.node("And", *inside), to=TensorProto.DOUBLE)


def _triangle(graph: Graph, distances: str) -> str:
    falling = graph.node("Sub", graph.constant(1.0), graph.node("Abs", distances))
    return graph.node("Max", falling, graph.constant(0.0))


def _cubic(graph: Graph, distances: str) -> str:
    a = _BICUBIC_A
    away = graph.node("Abs", distances)
    near = _polynomial(graph, away, a + 2, -(a + 3), 0.0, 1.0)
    far = _polynomial(graph, away, a, -5 * a, 8 * a, -4 * a)
    beyond = graph.node("Where", graph.node("Less", away, graph.constant(2.0)), far, graph.constant(0.0))
    return graph.node("Where", graph.node("Less", away, graph.constant(1.0)), near, beyond)


def _hamming(graph: Graph, distances: str) -> str:
    angles = graph.node("Mul", distances, graph.constant(math.pi))
    window = graph.node("Mul", graph.node("Cos", angles), graph.constant(0.46))
    window = graph.node("Add", window, graph.constant(0.54))
    inside = graph.node("Less", graph.node("Abs", distances), graph.constant(1.0))
    return graph.node("Where", inside, graph.node("Mul", _sinc(graph, distances), window), graph.constant(0.0))


def _lanczos(graph: Graph, distances: str) -> str:
    window = _sinc(graph, graph.node("Div", distances, graph.constant(3.0)))
    inside = graph.node("Less", graph.node("Abs", distances), graph.constant(3.0))
    return graph.node("Where", inside, graph.node("Mul", _sinc(graph, distances), window), graph.constant(0.0))


def _sinc(graph: Graph, distances: str) -> str:
    """sin(πx) / πx, and 1 at 0."""
    angles = graph.node("Mul", distances, graph.constant(math.pi))
    is_zero = graph.node("Equal", angles, graph.constant(0.0))
    quotient = graph.node("Div", graph.node("Sin", angles), angles)
    return graph.node("Where", is_zero, graph.constant(1.0), quotient)


def _polynomial(graph: Graph, x: str, *coefficients: float) -> str:
    """By Horner's scheme, the highest power first."""
    value = graph.constant(coefficients[0])
    for coefficient in coefficients[1:]:
        value = graph.node("Add", graph.node("Mul", value, x), graph.constant(coefficient))
    return value


def _doubles(graph: Graph, levels: str) -> str:
    return graph.node("Cast", levels, to=TensorProto.DOUBLE)


def vector(graph: Graph, *scalars: str) -> str:
    """Scalars as one vector."""
    axes = graph.constant([0])
    return graph.node("Concat", *(graph.node("Unsqueeze", scalar, axes) for scalar in scalars), axis=0)


_FILTERS: Mapping[int, tuple[float, Callable[[Graph, str], str]]] = {
    int(Image.Resampling.BOX): (0.5, _box),
    int(Image.Resampling.BILINEAR): (1.0, _triangle),
    int(Image.Resampling.HAMMING): (1.0, _hamming),
    int(Image.Resampling.BICUBIC): (2.0, _cubic),
    int(Image.Resampling.LANCZOS): (3.0, _lanczos),
}
"""By Pillow's numbers: from how far pixels count, and how much, by their distance."""
