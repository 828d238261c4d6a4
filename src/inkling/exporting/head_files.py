"""The files of a linear head alone, for whoever computes embeddings elsewhere: ``head.npz`` and ``head.onnx``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx

from inkling.exporting.graph import Axes, Graph
from inkling.exporting.linear import LinearHead

LEAST_LENGTH = 1e-30
"""Vectors of zeros stay zeros."""


def write_head(head: LinearHead, folder: Path) -> onnx.ModelProto:
    """Write the layer as arrays and as a graph that takes vectors of any length; returns the graph."""
    np.savez(
        folder / "head.npz",
        weights=head.weights,
        bias=head.bias,
        logit_scale=head.logit_scale,
        temperature=head.temperature,
        labels=np.asarray(head.labels),
        dimension=head.dimension,
    )
    model = head_model(head)
    onnx.save_model(model, folder / "head.onnx")
    return model


def head_model(head: LinearHead) -> onnx.ModelProto:
    """The layer as a graph: ``embedding``, and ``feature`` where that counts, to ``probabilities`` and ``label_id``.

    It computes in float64, as Inkling does: weights of a Gaussian model are large, and differences of them count.
    """
    graph = Graph()
    inputs: dict[str, tuple[type, Axes]] = {"embedding": (np.float32, ("n", head.dimension))}
    if head.feature_dimension:
        inputs["feature"] = (np.float32, ("n", head.feature_dimension))
    units = [_unit(graph, name) for name in inputs]
    v = graph.node("Concat", *units, axis=1) if len(units) > 1 else units[0]
    scale = head.logit_scale / head.temperature
    z = graph.node("MatMul", v, graph.constant(scale * head.weights.T.astype(np.float64)))
    z = graph.node("Add", z, graph.constant(scale * head.bias.astype(np.float64)))
    p = graph.node("Softmax", z, axis=1)
    graph.name(graph.node("Cast", p, to=onnx.TensorProto.FLOAT), "probabilities")
    graph.name(graph.node("ArgMax", p, axis=1, keepdims=0), "label_id")
    model = graph.model(
        inputs=inputs,
        outputs={"probabilities": (np.float32, ("n", len(head.labels))), "label_id": (np.int64, ("n",))},
        defaults={},
        description="A linear classification layer on embeddings, which it brings to unit length itself.",
    )
    onnx.helper.set_model_props(model, {"labels": json.dumps(head.labels)})
    return model


def _unit(graph: Graph, name: str) -> str:
    """Rows at unit length."""
    wide = graph.node("Cast", name, to=onnx.TensorProto.DOUBLE)
    length = graph.node("ReduceL2", wide, graph.constant([1]), keepdims=1)
    return graph.node("Div", wide, graph.node("Max", length, graph.constant(np.float64(LEAST_LENGTH))))
