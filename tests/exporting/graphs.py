"""Graphs that run: what the tests of this room share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime

from inkling.exporting.graph import Graph
from inkling.exporting.traced import Traced
from inkling.types import FloatArray

Arrays = Mapping[str, np.ndarray]


def run(model: onnx.ModelProto, given: Arrays) -> dict[str, Any]:
    """Outputs of a model by name, as onnxruntime computes them."""
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(given)), strict=True))


def traced(compute: Callable[[Traced], Mapping[str, Traced]], X: FloatArray) -> dict[str, Any]:
    """What code makes of an array (n, ...) once it has become a graph."""
    graph = Graph()
    found = compute(Traced(graph, "X", X.dtype, (None, *X.shape[1:])))
    for name, value in found.items():
        graph.name(value.name, name)
    model = graph.model(
        inputs={"X": (X.dtype, ["n", *X.shape[1:]])},
        outputs={name: (value.dtype, [*value.shape]) for name, value in found.items()},
        defaults={},
        description="under test",
    )
    return run(model, {"X": X})
