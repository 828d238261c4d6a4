"""What is read of ONNX files without loading them."""

from __future__ import annotations

from pathlib import Path

from onnx import TensorProto, helper

from inkling.encoders.onnx.graph import read_graph


def test_a_graph_that_goes_in_a_circle_is_read_to_an_end(tmp_path: Path) -> None:
    nodes = [helper.make_node("Identity", ["t"], ["t"]), helper.make_node("Gather", ["t", "ids"], ["y"])]
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])
    graph = helper.make_graph(nodes, "g", [ids], [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])])
    (tmp_path / "m.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    assert read_graph(tmp_path / "m.onnx").rows_of_table("ids") is None
