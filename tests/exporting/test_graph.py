"""Graphs under construction: names never meet, constants are kept once, whole models fit in."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from inkling.errors import EncoderError
from inkling.exporting.graph import OPSET, Graph
from tests.exporting.graphs import run

VECTORS = (np.float32, ["n", 3])


def test_equal_constants_are_kept_once_and_others_apart() -> None:
    graph = Graph()
    names = [graph.constant(value) for value in (np.eye(2), np.eye(2), np.eye(2, dtype=np.float32), np.ones(4), 1, 1.0)]
    assert names[0] == names[1]
    assert len(set(names)) == 5
    branch = Graph(graph)
    assert branch.constant(np.eye(2)) == names[0]


def test_a_constant_keeps_its_shape_and_order() -> None:
    graph = Graph()
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    graph.name(graph.node("Add", graph.constant(turned), graph.constant(np.float32(0))), "y")
    model = graph.model(inputs={}, outputs={"y": (np.float32, [3, 2])}, defaults={}, description="")
    np.testing.assert_array_equal(run(model, {})["y"], turned)


def old_model(opset: int) -> onnx.ModelProto:
    """The sum of a row's squares, with the axes where operators of old versions have them."""
    nodes = [
        helper.make_node("Mul", ["x", "x"], ["squares"]),
        helper.make_node("ReduceMax", ["squares"], ["y"], axes=[1], keepdims=1),
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", d]) for name, d in (("x", 3), ("y", 1))]
    graph = helper.make_graph(nodes, "old", [values[0]], [values[1]])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def test_whole_models_fit_in_though_they_are_older_and_share_names() -> None:
    graph = Graph()
    first = graph.inline(old_model(13), {"x": "x"}, prefix="first_")["y"]
    second = graph.inline(old_model(13), {"x": "x"}, prefix="second_")["y"]
    graph.name(graph.node("Add", first, second), "y")
    model = graph.model(inputs={"x": VECTORS}, outputs={"y": (np.float32, ["n", 1])}, defaults={}, description="")
    assert {entry.domain: entry.version for entry in model.opset_import} == {"": OPSET}
    x = np.array([[1, -3, 2]], np.float32)
    np.testing.assert_array_equal(run(model, {"x": x})["y"], [[18.0]])


def test_a_later_opset_holds_for_the_whole() -> None:
    newer = old_model(13)
    newer = onnx.version_converter.convert_version(newer, 20)
    graph = Graph()
    graph.name(graph.inline(newer, {"x": "x"}, prefix="tower_")["y"], "y")
    model = graph.model(inputs={"x": VECTORS}, outputs={"y": (np.float32, ["n", 1])}, defaults={}, description="")
    assert model.opset_import[0].version == 20
    assert run(model, {"x": np.ones((2, 3), np.float32)})["y"].shape == (2, 1)


def test_a_model_that_cannot_be_brought_up_is_refused() -> None:
    odd = old_model(13)
    odd.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(EncoderError, match=f"opset 13, which can't be brought to {OPSET}"):
        Graph().inline(odd, {"x": "x"}, prefix="tower_")
