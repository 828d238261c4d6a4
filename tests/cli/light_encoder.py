"""An encoder that starts in a moment: the mean colours of a 4 x 4 grid, as an ONNX folder, without texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

SIDE, CELL, DIMENSION = 32, 8, 48

DESCRIPTION: dict[str, Any] = {
    "name": "light",
    "model": "model.onnx",
    "input": {
        "name": "pixels",
        "size": SIDE,
        "resize": "shorter_side",
        "interpolation": "bicubic",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
    },
    "outputs": {"embeddings": "vectors"},
    "dimension": DIMENSION,
    "logit_scale": 20.0,
    "licence": "Apache-2.0",
    "source": "made for tests",
}


def write_light_encoder(folder: Path, *, side: int = SIDE) -> Path:
    """Write it to a folder, and return that; it may read larger pictures."""
    cell = CELL * side // SIDE
    nodes = [
        helper.make_node("AveragePool", ["pixels"], ["grid"], kernel_shape=[cell, cell], strides=[cell, cell]),
        helper.make_node("Flatten", ["grid"], ["vectors"]),
    ]
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, side, side])
    vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", DIMENSION])
    graph = helper.make_graph(nodes, "light", [pixels], [vectors])
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), folder / "model.onnx"
    )
    (folder / "encoder.json").write_text(json.dumps(DESCRIPTION | {"input": DESCRIPTION["input"] | {"size": side}}))
    return folder
