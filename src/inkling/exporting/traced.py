"""Arrays that stand for values of an ONNX graph: what numpy is asked to do with them is written down as operators.

Heads and scores are plain numpy. Run once on a `Traced` array they leave the graph of what they compute, in the number
types that numpy would use. So an exported classifier can't drift away from the one that was measured, and a new head
needs no second form. What has no operator here is refused while tracing, never approximated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import EllipsisType
from typing import Any, cast

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import DTypeLike
from onnx import TensorProto, helper

from inkling.errors import InputError
from inkling.exporting.graph import Graph

_UFUNCS = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "negative": "Neg",
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "absolute": "Abs",
    "power": "Pow",
    "square": "",
    "maximum": "Max",
    "minimum": "Min",
    "matmul": "MatMul",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "equal": "Equal",
    "logical_and": "And",
    "logical_or": "Or",
    "logical_not": "Not",
    "bitwise_and": "And",
    "bitwise_or": "Or",
    "invert": "Not",
}
"""Operators by what numpy calls them. A square is a product."""

Value = Any
"""A `Traced` array where code takes it for one of numpy, which type checkers would not."""

Shape = tuple[int | None, ...]
"""Sizes of the axes, None for one that is known when the graph runs."""


class Traced(NDArrayOperatorsMixin):
    """A value of a graph that behaves like a numpy array, as far as heads and scores ask.

    Parameters
    ----------
    graph
        Where operators are added.
    name
        The value's name there.
    dtype
        Number type.
    shape
        Sizes of its axes.

    Examples
    --------
    >>> from inkling.exporting.graph import Graph
    >>> x = Traced(Graph(), "x", np.float32, (None, 4))
    >>> (x[:, :2] @ np.eye(2)).dtype, (x**2).sum(axis=1, keepdims=True).shape
    (dtype('float64'), (None, 1))
    """

    def __init__(self, graph: Graph, name: str, dtype: DTypeLike, shape: Shape) -> None:
        self.graph = graph
        self.name = name
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.shape = tuple(shape)

    def __repr__(self) -> str:
        return f"Traced({self.name!r}, {self.dtype}, {self.shape})"

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("a value of a graph has no numbers yet")

    def __len__(self) -> int:
        size = self.shape[0]
        if size is None:
            raise TypeError("the number of rows is known when the graph runs")
        return size

    def __bool__(self) -> bool:
        raise TypeError("a value of a graph can't decide what code does next")

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any) -> Traced:
        # `p /= x` hands over p as `out` and takes what comes back for p.
        if method != "__call__" or options or ufunc.__name__ not in _UFUNCS or not _is_own(out, inputs):
            raise _has_no_operator(f"{ufunc.__name__}.{method}")
        if ufunc is np.square or (ufunc is np.power and _is_two(inputs[1])):
            return cast(Traced, self * self)
        *kinds, result = ufunc.resolve_dtypes((*map(_kind, inputs), None))
        given = [self.like(value, kind) for value, kind in zip(inputs, kinds, strict=True)]
        shape = _product_shape(*given) if ufunc is np.matmul else broadcast(*(one.shape for one in given))
        return self.made(_UFUNCS[ufunc.__name__], *given, dtype=result, shape=shape)

    def __array_function__(self, func: Any, types: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Traced:
        if func not in _FUNCTIONS:
            raise _has_no_operator(func.__name__)
        return _FUNCTIONS[func](*args, **options)

    def __getitem__(self, at: Any) -> Traced:
        found, axis = self, 0
        for one in _without_ellipsis(at if isinstance(at, tuple) else (at,), self.ndim):
            if one is None:
                found = found.unsqueezed(axis)
            elif isinstance(one, slice):
                found = found._sliced(one, axis)
            elif isinstance(one, int):
                found = found._taken(np.asarray(one), axis)
                continue
            else:
                index = np.asarray(one)
                found = found._taken(np.flatnonzero(index) if index.dtype == bool else index, axis)
            axis += 1
        return found

    def astype(self, dtype: DTypeLike, **_: Any) -> Traced:
        """The value in another number type."""
        if np.dtype(dtype) == self.dtype:
            return self
        return self.made("Cast", self, dtype=dtype, shape=self.shape, to=_element(dtype))

    def sum(self, axis: int, keepdims: bool = False) -> Traced:
        """Sum over an axis."""
        return self._reduced("ReduceSum", axis, keepdims)

    def mean(self, axis: int, keepdims: bool = False) -> Traced:
        """Mean over an axis."""
        return self._reduced("ReduceMean", axis, keepdims)

    def max(self, axis: int, keepdims: bool = False) -> Traced:
        """Largest over an axis."""
        return self._reduced("ReduceMax", axis, keepdims)

    def min(self, axis: int, keepdims: bool = False) -> Traced:
        """Smallest over an axis."""
        return self._reduced("ReduceMin", axis, keepdims)

    def argmax(self, axis: int) -> Traced:
        """Index of the first of the largest over an axis."""
        shape = _without(self.shape, axis)
        return self.made("ArgMax", self, dtype=np.int64, shape=shape, axis=axis, keepdims=0)

    def transpose(self, *axes: int) -> Traced:
        """Axes in another order."""
        return self.made("Transpose", self, dtype=self.dtype, shape=tuple(self.shape[a] for a in axes), perm=axes)

    def reshape(self, *sizes: int) -> Traced:
        """Other axes of the same numbers; the first stays, and its size may be unknown."""
        shape = (self.shape[0], *sizes[1:])
        return self.made("Reshape", self, np.array([0, *sizes[1:]]), dtype=self.dtype, shape=shape)

    def unsqueezed(self, axis: int) -> Traced:
        """With an axis of size 1."""
        shape = (*self.shape[:axis], 1, *self.shape[axis:])
        return self.made("Unsqueeze", self, np.array([axis]), dtype=self.dtype, shape=shape)

    def made(self, kind: str, *inputs: Any, dtype: DTypeLike, shape: Shape, **attributes: Any) -> Traced:
        """What an operator makes of values and arrays."""
        return self.all_made(kind, *inputs, like=((dtype, shape),), **attributes)[0]

    def all_made(
        self, kind: str, *inputs: Any, like: Sequence[tuple[DTypeLike, Shape]], **attributes: Any
    ) -> list[Traced]:
        """All that an operator with several outputs makes, `like` their number types and shapes."""
        names = [one.name if isinstance(one, Traced) else self.graph.constant(one) for one in inputs]
        made = self.graph.nodes(kind, *names, n_outputs=len(like), **attributes)
        return [Traced(self.graph, name, dtype, shape) for name, (dtype, shape) in zip(made, like, strict=True)]

    def on(self, graph: Graph) -> Traced:
        """The same value as a branch or a loop of its graph reads it."""
        return Traced(graph, self.name, self.dtype, self.shape)

    def like(self, value: Any, dtype: DTypeLike) -> Traced:
        """A value or an array as a value of this graph, in a number type."""
        if isinstance(value, Traced):
            return value.astype(dtype)
        array = np.asarray(value, dtype=dtype)
        return Traced(self.graph, self.graph.constant(array), dtype, array.shape)

    def _reduced(self, kind: str, axis: int, keepdims: bool) -> Traced:
        shape = _without(self.shape, axis)
        if keepdims:
            shape = tuple(1 if at == axis % self.ndim else size for at, size in enumerate(self.shape))
        return self.made(kind, self, np.array([axis]), dtype=self.dtype, shape=shape, keepdims=int(keepdims))

    def _taken(self, index: Any, axis: int) -> Traced:
        shape = (*self.shape[:axis], *index.shape, *self.shape[axis + 1 :])
        return self.made("Gather", self, index.astype(np.int64), dtype=self.dtype, shape=shape, axis=axis)

    def _sliced(self, part: slice, axis: int) -> Traced:
        if part == slice(None):
            return self
        size = self.shape[axis]
        if size is None:
            raise _has_no_operator("a part of an axis whose size is known when the graph runs")
        start, stop, step = part.indices(size)
        shape = (*self.shape[:axis], len(range(start, stop, step)), *self.shape[axis + 1 :])
        bounds = [np.array([each]) for each in (start, stop, axis, step)]
        return self.made("Slice", self, *bounds, dtype=self.dtype, shape=shape)


def broadcast(*shapes: Shape) -> Shape:
    """Shape of what comes of arrays that are met element by element; an unknown size is that of all but ones."""
    ndim = max(map(len, shapes))
    columns = zip(*((1,) * (ndim - len(shape)) + tuple(shape) for shape in shapes), strict=True)
    return tuple(next((size for size in sizes if size != 1), 1) for sizes in columns)


def concatenated(arrays: Sequence[Any], axis: int = 0) -> Traced:
    """Arrays one after the other along an axis."""
    first = next(one for one in arrays if isinstance(one, Traced))
    dtype = np.result_type(*(one.dtype for one in arrays))
    axis %= first.ndim
    sizes = [one.shape[axis] for one in arrays]
    total = None if None in sizes else sum(sizes)
    shape = (*first.shape[:axis], total, *first.shape[axis + 1 :])
    return first.made("Concat", *(first.like(one, dtype) for one in arrays), dtype=dtype, shape=shape, axis=axis)


def _column_stack(arrays: Sequence[Any]) -> Traced:
    return concatenated([one[:, None] if one.ndim == 1 else one for one in arrays], axis=1)


def _where(condition: Any, chosen: Any, other: Any) -> Traced:
    first = next(one for one in (condition, chosen, other) if isinstance(one, Traced))
    dtype = np.result_type(*(one if isinstance(one, int | float) else one.dtype for one in (chosen, other)))
    given = [first.like(condition, bool), first.like(chosen, dtype), first.like(other, dtype)]
    return first.made("Where", *given, dtype=dtype, shape=broadcast(*(one.shape for one in given)))


def _norm(x: Traced, axis: int, keepdims: bool = False) -> Traced:
    return cast(Traced, np.sqrt((x * x).sum(axis=axis, keepdims=keepdims)))


def _einsum(formula: str, *arrays: Any) -> Traced:
    first = next(one for one in arrays if isinstance(one, Traced))
    dtype = np.result_type(*(one.dtype for one in arrays))
    given = [first.like(one, dtype) for one in arrays]
    read, _, made = formula.partition("->")
    sizes = {
        letter: size
        for letters, one in zip(read.split(","), given, strict=True)
        for letter, size in zip(letters, one.shape, strict=True)
    }
    return first.made("Einsum", *given, dtype=dtype, shape=tuple(sizes[letter] for letter in made), equation=formula)


def _searchsorted(ordered: Any, x: Traced, side: str = "left") -> Traced:
    """Places of x (n,) in ascending numbers (m,): how many of them lie below."""
    below = {"left": np.less, "right": np.less_equal}[side](ordered, x[:, None])
    return cast(Traced, below.astype(np.int64).sum(axis=1))


def _argpartition(x: Traced, _kth: int, axis: int) -> Traced:
    """Places along an axis in ascending order of what stands there: so they are parted at each of them."""
    count = np.array([x.shape[axis]])
    like = ((x.dtype, x.shape), (np.int64, x.shape))
    return x.all_made("TopK", x, count, like=like, axis=axis, largest=0, sorted=1)[1]


def taken(array: Any, index: Traced) -> Traced:
    """Entries of an array along its first axis, by numbers that the graph computes."""
    shape = (*index.shape, *array.shape[1:])
    return index.made("Gather", index.like(array, array.dtype), index, dtype=array.dtype, shape=shape, axis=0)


def _take_along(x: Any, index: Traced, axis: int) -> Traced:
    if not isinstance(x, Traced) and x.shape[0] == 1 and x.ndim == index.ndim == 2 and axis == 1:
        return taken(x[0], index)  # one row for all
    return index.made("GatherElements", x, index, dtype=x.dtype, shape=index.shape, axis=axis)


_FUNCTIONS: Mapping[Any, Callable[..., Traced]] = {
    np.concatenate: concatenated,
    np.hstack: lambda arrays: concatenated(arrays, axis=1),
    np.column_stack: _column_stack,
    np.where: _where,
    np.linalg.norm: _norm,
    np.einsum: _einsum,
    np.searchsorted: _searchsorted,
    np.take_along_axis: _take_along,
    np.argpartition: _argpartition,
}


def _has_no_operator(what: str) -> InputError:
    return InputError(
        f"What was fitted can't be written as a graph: it asks for {what}, which has no operator there.",
        remedy="Fit with the head auto, gda, prototype, logistic or zero-shot, and export that.",
    )


def _is_own(out: Any, inputs: Sequence[Any]) -> bool:
    return out is None or (isinstance(out, tuple) and out[0] is inputs[0])


def _is_two(value: Any) -> bool:
    return isinstance(value, int | float) and value == 2


def _kind(value: Any) -> Any:
    """What numpy's promotion asks of an operand: its number type, and of Python's own numbers their class alone."""
    if type(value) in (bool, int, float):
        return type(value)
    return value.dtype if isinstance(value, Traced) else np.asarray(value).dtype


def _product_shape(a: Traced, b: Traced) -> Shape:
    if a.ndim == 1 or b.ndim == 1:
        return a.shape[:-1] if b.ndim == 1 else (*b.shape[:-2], b.shape[-1])
    return (*broadcast(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])


def _without(shape: Shape, axis: int) -> Shape:
    return tuple(size for at, size in enumerate(shape) if at != axis % len(shape))


def _without_ellipsis(at: tuple[Any, ...], ndim: int) -> list[Any]:
    places = [number for number, one in enumerate(at) if isinstance(one, EllipsisType)]
    if not places:
        return list(at)
    n_named = sum(one is not None for one in at) - 1
    return [*at[: places[0]], *[slice(None)] * (ndim - n_named), *at[places[0] + 1 :]]


def _element(dtype: DTypeLike) -> TensorProto.DataType:
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
