"""ONNX graphs whose weights lie in a safetensors file beside them: they point into it by offset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from inkling.encoders.transformers.weights import SAFETENSORS, WeightFiles

OPSET, IR_VERSION = 17, 8
_TYPES = {"F32": TensorProto.FLOAT, "F16": TensorProto.FLOAT16, "I8": TensorProto.INT8}


class Graph:
    """An ONNX graph under construction. Every method adds nodes and returns the name of what comes out.

    Parameters
    ----------
    folder
        Holds the weights.
    """

    def __init__(self, folder: Path) -> None:
        self._weights = WeightFiles.of(folder)
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: dict[str, onnx.TensorProto] = {}

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Output of an operator."""
        return self.nodes(kind, *inputs, **attributes)[0]

    def nodes(self, kind: str, *inputs: str, n_outputs: int = 1, **attributes: Any) -> list[str]:
        """Outputs of an operator that has several."""
        name = f"{kind}_{len(self._nodes)}"
        outputs = [name, *(f"{name}_{number}" for number in range(1, n_outputs))]
        self._nodes.append(helper.make_node(kind, list(inputs), outputs, name=name, **attributes))
        return outputs

    def constant(self, value: float | Sequence[int]) -> str:
        """A number as float32, or a list of whole numbers."""
        array = np.float32(value) if isinstance(value, float) else np.asarray(value, np.int64)
        name = f"constant_{value}"
        self._tensors[name] = numpy_helper.from_array(np.asarray(array), name)
        return name

    def stored(self, name: str) -> str:
        """A tensor of the weight file, by reference, in the number format that it has there."""
        entry = self._weights.entry(name)
        tensor = onnx.TensorProto(name=name, dims=entry.shape, data_type=_TYPES[entry.dtype])
        tensor.data_location = TensorProto.EXTERNAL
        where = {"location": SAFETENSORS, "offset": entry.start, "length": entry.stop - entry.start}
        for key, value in where.items():
            tensor.external_data.add(key=key, value=str(value))
        self._tensors[name] = tensor
        return name

    def weight(self, name: str) -> str:
        """A tensor of the weight file as float32; whole numbers come in steps of ``{name}.step``."""
        stored = self.stored(name)
        if self._weights.entry(name).dtype == "F32":
            return stored
        wide = self.node("Cast", stored, to=TensorProto.FLOAT)
        return self.node("Mul", wide, self.stored(f"{name}.step")) if self._weights.has(f"{name}.step") else wide

    def linear(self, x: str, name: str) -> str:
        """X W' + b, or X W' where the layer has no bias."""
        y = self.node("MatMul", x, self.node("Transpose", self.weight(f"{name}.weight"), perm=[1, 0]))
        return self.node("Add", y, self.weight(f"{name}.bias")) if self._weights.has(f"{name}.bias") else y

    def norm(self, x: str, name: str, epsilon: float) -> str:
        """Layer normalisation over the last axis."""
        scale, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=epsilon)

    def heads(self, x: str, n_heads: int, width: int) -> str:
        """Tokens (n, t, width) to (n, n_heads, t, width / n_heads)."""
        split = self.node("Reshape", x, self.constant([0, 0, n_heads, width // n_heads]))
        return self.node("Transpose", split, perm=[0, 2, 1, 3])

    def attention(self, query: str, key: str, value: str, *, size: tuple[int, int], mask: str | None = None) -> str:
        """Scaled dot-product attention of several heads (Vaswani and others 2017, 1706.03762).

        Parameters
        ----------
        query, key, value
            Tokens (n, t, width).
        size
            Number of heads, and width.
        mask
            Added to the scores (n, n_heads, t, t).
        """
        n_heads, width = size
        q, k, v = (self.heads(each, n_heads, width) for each in (query, key, value))
        scaled = self.node("Mul", q, self.constant(float((width // n_heads) ** -0.5)))
        scores = self.node("MatMul", scaled, self.node("Transpose", k, perm=[0, 1, 3, 2]))
        if mask is not None:
            scores = self.node("Add", scores, mask)
        heads = self.node("MatMul", self.node("Softmax", scores, axis=-1), v)
        return self.node("Reshape", self.node("Transpose", heads, perm=[0, 2, 1, 3]), self.constant([0, 0, width]))

    def unit(self, x: str) -> str:
        """Rows of length one."""
        return self.node("LpNormalization", x, axis=-1, p=2)

    def model(self, given: onnx.ValueInfoProto, outputs: dict[str, tuple[str, int]]) -> onnx.ModelProto:
        """The graph as a model with one input.

        Parameters
        ----------
        outputs
            By name: what comes out there, (n, dimension), and its dimension.
        """
        for name, (x, _) in outputs.items():
            self._nodes.append(helper.make_node("Identity", [x], [name], name=name))
        made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", d]) for name, (_, d) in outputs.items()]
        graph = helper.make_graph(self._nodes, "tower", [given], made, list(self._tensors.values()))
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="inkling"
        )


def write(model: onnx.ModelProto, file: Path) -> None:
    """Write a model, equal byte for byte whenever its weights are, and check it."""
    file.write_bytes(model.SerializeToString(deterministic=True))
    onnx.checker.check_model(file)
    print(f"Wrote {file}")
