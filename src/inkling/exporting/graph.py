"""An ONNX graph under construction. Operators are those of ONNX alone, so that any runtime may run them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import compose, helper, numpy_helper, version_converter

from inkling.errors import EncoderError
from inkling.wording import excerpt

OPSET, IR_VERSION = 18, 8
"""Of the graphs made here. A tower may ask for a later opset, which then holds for the whole graph."""

Axes = Sequence[int | str | None]
"""Sizes of the axes of an input or output; a name or None for one that varies."""


class Graph:
    """Nodes and constants, gathered one by one. Methods that add to it return the names of what comes out.

    Parameters
    ----------
    parent
        The graph around this one, where it is a branch or the body of a loop: it may read all that stands there.
    """

    def __init__(self, parent: Graph | None = None) -> None:
        self._root: Graph = self if parent is None else parent._root
        self._nodes: list[onnx.NodeProto] = []
        if parent is None:
            self._tensors: dict[str, onnx.TensorProto] = {}
            self._by_content: dict[bytes, str] = {}
            self._n_names = 0
            self._opsets = {"": OPSET}
            self._ir_version = IR_VERSION

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Output of an operator."""
        return self.nodes(kind, *inputs, **attributes)[0]

    def nodes(self, kind: str, *inputs: str, n_outputs: int = 1, **attributes: Any) -> list[str]:
        """Outputs of an operator that has several."""
        name = self.new_name(kind)
        outputs = [name, *(f"{name}_{number}" for number in range(1, n_outputs))]
        self._nodes.append(helper.make_node(kind, list(inputs), outputs, name=name, **attributes))
        return outputs

    def new_name(self, stem: str) -> str:
        """A name that nothing has yet."""
        self._root._n_names += 1
        return f"{stem}_{self._root._n_names}"

    def constant(self, value: ArrayLike) -> str:
        """An array with its number type; Python's whole numbers as int64. What is equal is kept once."""
        array = np.asarray(value)
        array = np.ascontiguousarray(array).reshape(array.shape)
        key = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).digest()
        root = self._root
        if key not in root._by_content:
            name = self.new_name("constant")
            root._tensors[name] = numpy_helper.from_array(array, name)
            root._by_content[key] = name
        return root._by_content[key]

    def name(self, value: str, name: str) -> str:
        """Give a value the name by which the graph's outputs, or other tools, call it."""
        self._nodes.append(helper.make_node("Identity", [value], [name], name=name))
        return name

    def inline(self, model: onnx.ModelProto, given: Mapping[str, str], *, prefix: str) -> dict[str, str]:
        """Put a whole model into the graph.

        Parameters
        ----------
        model
            With all its weights inside.
        given
            What its inputs read, by their names.
        prefix
            Put before its names, so that they meet no others.

        Returns
        -------
        dict
            Names of its outputs here, by their names there.

        Raises
        ------
        EncoderError
            If its operators are of a version that can't be brought to that of the graph.
        """
        model = _with_prefix(_at_least(model, OPSET), prefix)
        root = self._root
        for entry in model.opset_import:
            root._opsets[entry.domain] = max(root._opsets.get(entry.domain, 0), entry.version)
        root._ir_version = max(root._ir_version, model.ir_version)
        root._tensors |= {tensor.name: tensor for tensor in model.graph.initializer}
        for name, value in given.items():
            self.name(value, prefix + name)
        self._nodes.extend(model.graph.node)
        return {each.name.removeprefix(prefix): each.name for each in model.graph.output}

    def body(
        self, name: str, *, inputs: Mapping[str, tuple[Any, Axes]], outputs: Mapping[str, tuple[Any, Axes]]
    ) -> onnx.GraphProto:
        """This graph as a branch or the body of a loop: its inputs and outputs by name, with number type and axes."""
        return helper.make_graph(self._nodes, name, _values(inputs), _values(outputs))

    def model(
        self,
        *,
        inputs: Mapping[str, tuple[Any, Axes]],
        outputs: Mapping[str, tuple[Any, Axes]],
        defaults: Mapping[str, ArrayLike],
        description: str,
        between: Mapping[str, tuple[Any, Axes]] | None = None,
    ) -> onnx.ModelProto:
        """The graph as a model.

        Parameters
        ----------
        inputs, outputs
            By name: number type as numpy has it, and axes.
        defaults
            What inputs are that nobody gives.
        description
            What the model is, for people.
        between
            Values inside at which other tools may cut the graph, told as inputs are.
        """
        tensors = [*self._tensors.values(), *(numpy_helper.from_array(np.asarray(v), k) for k, v in defaults.items())]
        graph = helper.make_graph(self._nodes, "inkling", _values(inputs), _values(outputs), tensors)
        graph.value_info.extend(_values(between or {}))
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid(domain, version) for domain, version in self._opsets.items()],
            ir_version=self._ir_version,
            producer_name="inkling",
            doc_string=description,
        )


def _values(described: Mapping[str, tuple[Any, Axes]]) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), list(axes))
        for name, (kind, axes) in described.items()
    ]


def _at_least(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """The model with operators of a version, or a later one."""
    version = next((entry.version for entry in model.opset_import if entry.domain == ""), 1)
    if version >= opset:
        return model
    try:
        return version_converter.convert_version(model, opset)
    except Exception as error:  # of onnx's converter in C++, whose kinds aren't public
        raise EncoderError(
            f"The encoder's model has operators of opset {version}, which can't be brought to {opset}: "
            f"{excerpt(error)}.",
            remedy=f"Export the encoder's model again with opset {opset} or later.",
        ) from error


def _with_prefix(model: onnx.ModelProto, prefix: str) -> onnx.ModelProto:
    for node in model.graph.node:
        if not node.name:
            node.name = node.output[0]
    return compose.add_prefix(model, prefix)
