"""What an ONNX file tells of itself: inputs, outputs, external weights. Read from its fields without loading weights.

An ONNX file is one message of Protocol Buffers: numbered fields, each with a length, so that all that isn't asked for
is stepped over. Numbers of fields are those of ``onnx.proto3``.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from inkling.errors import EncoderError
from inkling.wording import excerpt

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
"""Wire types."""

_FIXED = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}

_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR, _NODE_ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH = 5, 6
_TENSOR_DIMENSIONS, _TENSOR_NAME, _TENSOR_EXTERNAL = 1, 8, 13
_VALUE_NAME, _VALUE_TYPE = 1, 2
_TYPE_TENSOR, _TENSOR_ELEMENT, _TENSOR_SHAPE, _SHAPE_AXIS, _AXIS_SIZE = 1, 1, 2, 1, 1

_FLOATS = {1, 10, 11, 16}
_INTEGERS = {6, 7}
"""Numbers of element types: float, float16, double, bfloat16; int32, int64."""

_PASSES_ON = ("Cast", "Identity", "DequantizeLinear", "Reshape", "Transpose")
"""Operators behind which a table or token numbers are still what they were."""

_LFS_POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class Value:
    """An input or output of a graph.

    Attributes
    ----------
    name
        What it is called.
    element
        Number of its element type.
    shape
        Sizes of its axes, None for those that vary; None as a whole where the file doesn't say.
    """

    name: str
    element: int
    shape: tuple[int | None, ...] | None

    @property
    def is_float(self) -> bool:
        """Whether it holds floating point numbers."""
        return self.element in _FLOATS

    @property
    def is_integer(self) -> bool:
        """Whether it holds whole numbers of 32 or 64 bits."""
        return self.element in _INTEGERS

    @property
    def rank(self) -> int | None:
        """Number of axes, where the file says."""
        return None if self.shape is None else len(self.shape)

    def size(self, axis: int) -> int | None:
        """Size of an axis; None where it varies or isn't said."""
        if self.shape is None or not -len(self.shape) <= axis < len(self.shape):
            return None
        return self.shape[axis]


@dataclass(frozen=True)
class _Node:
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """The outside of a model, and as much of its inside as checks need.

    Attributes
    ----------
    file
        Where it was read.
    inputs, outputs
        In the order of the file; weights that older files list among the inputs are left out.
    external
        Files beside this one that hold weights.
    """

    file: Path
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    external: tuple[Path, ...]
    _nodes: tuple[_Node, ...] = field(repr=False)
    _weights: Mapping[str, tuple[int, ...]] = field(repr=False)

    @property
    def rounds_as_it_runs(self) -> bool:
        """Whether activations are rounded by the range of all of them, so that a row depends on the others."""
        return any(node.operator.startswith("DynamicQuantize") for node in self._nodes)

    def rows_of_table(self, tokens: str) -> int | None:
        """Rows of the table in which token numbers are looked up: the vocabulary. None where that can't be seen."""
        same = self._passed_on(tokens)
        for node in self._nodes:
            looks_up = node.operator.startswith("Gather") and len(node.inputs) > 1 and node.inputs[1] in same
            shape = self._weight(node.inputs[0]) if looks_up else None
            if shape is not None and len(shape) == 2:
                return shape[0]
        return None

    def _passed_on(self, name: str) -> set[str]:
        same = {name}
        for node in self._nodes:  # in the order of a graph, what is read was made before
            if node.operator in _PASSES_ON and node.inputs[:1] and node.inputs[0] in same:
                same.update(node.outputs)
        return same

    def _weight(self, name: str) -> tuple[int, ...] | None:
        makers = {output: node for node in self._nodes for output in node.outputs}
        for _ in self._nodes:  # as many steps as a sound graph can need: a damaged one may go in a circle
            if name in self._weights:
                break
            node = makers.get(name)
            if node is None or node.operator not in _PASSES_ON or not node.inputs:
                return None
            name = node.inputs[0]
        return self._weights.get(name)


def read_graph(file: Path) -> Graph:
    """Read what an ONNX file tells of itself.

    Raises
    ------
    EncoderError
        If it is no ONNX file or a damaged one, or names weights that aren't beside it.
    """
    try:
        with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[: len(_LFS_POINTER)] == _LFS_POINTER:
                raise ValueError("it is a pointer of Git LFS; `git lfs pull` fetches the file itself")
            graph = _graph(file, data)
    except (OSError, ValueError, LookupError, RecursionError) as error:
        raise EncoderError(
            f"The ONNX model {file} can't be read: {excerpt(error)}.", remedy="Export or download it again."
        ) from error
    _check_external(graph)
    return graph


def _check_external(graph: Graph) -> None:
    missing = [path.name for path in graph.external if not path.is_file()]
    if missing:
        raise EncoderError(
            f"The ONNX model {graph.file} keeps weights in {excerpt(', '.join(missing))}, not found beside it.",
            remedy="Copy or download that file too; it must keep its name.",
        )


class _Span(NamedTuple):
    """A message, or the bytes of a field, in a file."""

    data: mmap.mmap
    start: int
    stop: int

    def bytes(self) -> bytes:
        return self.data[self.start : self.stop]

    def text(self) -> str:
        return self.bytes().decode("utf-8")

    def fields(self) -> Iterator[tuple[int, int | _Span]]:
        """Numbers of fields and their content: a number, or a span."""
        at = self.start
        while at < self.stop:
            key, at = self._varint(at)
            wire = key & 7
            if wire == _VARINT:
                number, at = self._varint(at)
                yield key >> 3, number
                continue
            if wire == _BYTES:
                length, at = self._varint(at)
            elif wire in _FIXED:
                length = _FIXED[wire]
            else:
                raise ValueError("it isn't in the format of ONNX")
            if at + length > self.stop:
                raise ValueError("it ends early")
            yield key >> 3, _Span(self.data, at, at + length)
            at += length

    def messages(self, number: int) -> Iterator[_Span]:
        """Content of the fields of one number."""
        return (content for found, content in self.fields() if found == number and isinstance(content, _Span))

    def numbers(self, number: int) -> Iterator[int]:
        """Whole numbers of one field, packed or one by one."""
        for found, content in self.fields():
            if found == number:
                yield from [content] if isinstance(content, int) else content._packed()

    def _packed(self) -> Iterator[int]:
        at = self.start
        while at < self.stop:
            number, at = self._varint(at)
            yield number

    def _varint(self, at: int) -> tuple[int, int]:
        number = shift = 0
        while True:
            if at >= self.stop or shift > 63:
                raise ValueError("it ends early")
            byte = self.data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number, at


def _graph(file: Path, data: mmap.mmap) -> Graph:
    span = next(_Span(data, 0, len(data)).messages(_MODEL_GRAPH), None)
    if span is None:
        raise ValueError("it holds no graph")
    weights = {
        _text(tensor, _TENSOR_NAME): tuple(tensor.numbers(_TENSOR_DIMENSIONS))
        for tensor in span.messages(_GRAPH_INITIALIZER)
    }
    inputs = [_value(each) for each in span.messages(_GRAPH_INPUT)]
    places = dict.fromkeys(place for tensor in _tensors(span) for place in _places(tensor))
    return Graph(
        file,
        tuple(value for value in inputs if value.name not in weights),
        tuple(_value(each) for each in span.messages(_GRAPH_OUTPUT)),
        tuple(file.parent / place for place in places),
        tuple(_node(each) for each in span.messages(_GRAPH_NODE)),
        weights,
    )


def _tensors(graph: _Span) -> Iterator[_Span]:
    """Weights of a graph, constants and graphs within it included."""
    yield from graph.messages(_GRAPH_INITIALIZER)
    for node in graph.messages(_GRAPH_NODE):
        for attribute in node.messages(_NODE_ATTRIBUTE):
            yield from attribute.messages(_ATTRIBUTE_TENSOR)
            for inner in attribute.messages(_ATTRIBUTE_GRAPH):
                yield from _tensors(inner)


def _places(tensor: _Span) -> Iterator[str]:
    """Names of the files, beside the model, in which a tensor keeps its numbers."""
    for entry in tensor.messages(_TENSOR_EXTERNAL):
        key, value = _text(entry, 1), _text(entry, 2)
        if key != "location":
            continue
        place = PurePosixPath(value)
        if place.is_absolute() or ".." in place.parts or not place.name:
            raise ValueError(f"it names weights outside of its folder, {value!r}")
        yield value


def _text(span: _Span, number: int) -> str:
    return next((each.text() for each in span.messages(number)), "")


def _node(span: _Span) -> _Node:
    inputs, outputs = (tuple(each.text() for each in span.messages(n)) for n in (_NODE_INPUT, _NODE_OUTPUT))
    return _Node(_text(span, _NODE_OPERATOR), inputs, outputs)


def _value(span: _Span) -> Value:
    name = _text(span, _VALUE_NAME)
    tensor = next((t for kind in span.messages(_VALUE_TYPE) for t in kind.messages(_TYPE_TENSOR)), None)
    if tensor is None:
        return Value(name, 0, None)
    shapes = [tuple(map(_axis, shape.messages(_SHAPE_AXIS))) for shape in tensor.messages(_TENSOR_SHAPE)]
    return Value(name, next(tensor.numbers(_TENSOR_ELEMENT), 0), shapes[0] if shapes else None)


def _axis(span: _Span) -> int | None:
    return next((size for size in span.numbers(_AXIS_SIZE) if 0 < size < 2**31), None)
