"""Write the ONNX form of the embedded encoder beside its weights: one graph a tower.

Usage: python tools/export_sketch.py

The graphs hold no weights: they point into model.safetensors by offset, so the two forms can't drift apart. The files
are equal byte for byte whenever this runs on the same weights. docs/decisions/light-install.md says what they are for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from inkling.encoders.embedded.sketch import IMAGE_TOWER, IMAGE_VECTORS, PIXELS, TEXT_TOWER, TEXT_VECTORS, TOKENS
from inkling.encoders.transformers.weights import SAFETENSORS, WeightFiles
from inkling.sketch import weights_folder

OPSET, IR_VERSION = 17, 8
QUICK_GELU = 1.702
FAR_BELOW = -1e9
"""Added to the score of a token that must not be seen; its softmax is zero in float32."""


class Graph:
    """An ONNX graph under construction. Every method adds nodes and returns the name of what comes out."""

    def __init__(self, folder: Path) -> None:
        self._weights = WeightFiles.of(folder)
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: dict[str, onnx.TensorProto] = {}

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Output of an operator."""
        name = f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, value: float | Sequence[int]) -> str:
        """A number as float32, or a list of whole numbers."""
        array = np.float32(value) if isinstance(value, float) else np.asarray(value, np.int64)
        name = f"constant_{value}"
        self._tensors[name] = numpy_helper.from_array(np.asarray(array), name)
        return name

    def weight(self, name: str) -> str:
        """A tensor of the weight file, by reference."""
        entry = self._weights.entry(name)
        tensor = onnx.TensorProto(name=name, dims=entry.shape, data_type=TensorProto.FLOAT)
        tensor.data_location = TensorProto.EXTERNAL
        where = {"location": SAFETENSORS, "offset": entry.start, "length": entry.stop - entry.start}
        for key, value in where.items():
            tensor.external_data.add(key=key, value=str(value))
        self._tensors[name] = tensor
        return name

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

    def model(self, x: str, given: onnx.ValueInfoProto, name: str, dimension: int) -> onnx.ModelProto:
        """The graph as a model with one input, and with `x` (n, dimension) as its output under a name."""
        self._nodes.append(helper.make_node("Identity", [x], [name], name=name))
        made = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", dimension])
        graph = helper.make_graph(self._nodes, "tower", [given], [made], list(self._tensors.values()))
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="inkling"
        )


def main() -> None:
    """Write both towers."""
    folder = weights_folder()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for file, model in ((IMAGE_TOWER, image_tower(folder, config)), (TEXT_TOWER, text_tower(folder, config))):
        (folder / file).write_bytes(model.SerializeToString(deterministic=True))
        onnx.checker.check_model(folder / file)
        print(f"Wrote {folder / file}")


def image_tower(folder: Path, config: dict[str, Any]) -> onnx.ModelProto:
    """Pixels (n, 3, side, side) to vectors (n, d), not yet of unit length."""
    own, graph, root = config["vision_config"], Graph(folder), "vision_model"
    side, patch, width = own["image_size"], own["patch_size"], own["hidden_size"]
    grid = graph.node("Conv", PIXELS, graph.weight(f"{root}.embeddings.patch_embedding.weight"), strides=[patch, patch])
    patches = graph.node("Transpose", graph.node("Reshape", grid, graph.constant([0, width, -1])), perm=[0, 2, 1])
    number = graph.node("Slice", graph.node("Shape", grid), graph.constant([0]), graph.constant([1]))
    shape = graph.node("Concat", number, graph.constant([1, width]), axis=0)
    first = graph.node("Expand", graph.weight(f"{root}.embeddings.class_embedding"), shape)
    tokens = graph.node("Concat", first, patches, axis=1)
    x = graph.node("Add", tokens, graph.weight(f"{root}.embeddings.position_embedding.weight"))
    x = layers(graph, graph.norm(x, f"{root}.pre_layrnorm", own["layer_norm_eps"]), root, own)
    pooled = graph.norm(
        graph.node("Gather", x, graph.constant(0), axis=1), f"{root}.post_layernorm", own["layer_norm_eps"]
    )
    given = helper.make_tensor_value_info(PIXELS, TensorProto.FLOAT, ["n", 3, side, side])
    return graph.model(graph.linear(pooled, "visual_projection"), given, IMAGE_VECTORS, config["projection_dim"])


def text_tower(folder: Path, config: dict[str, Any]) -> onnx.ModelProto:
    """Tokens (n, t) to vectors (n, d), not yet of unit length; read at the first end token, as CLIP does."""
    own, graph, root = config["text_config"], Graph(folder), "text_model"
    length = graph.node("Slice", graph.node("Shape", TOKENS), graph.constant([1]), graph.constant([2]))
    table = graph.weight(f"{root}.embeddings.position_embedding.weight")
    positions = graph.node("Slice", table, graph.constant([0]), length)
    tokens = graph.node("Gather", graph.weight(f"{root}.embeddings.token_embedding.weight"), TOKENS)
    x = layers(graph, graph.node("Add", tokens, positions), root, own, mask=causal_mask(graph, length))
    x = graph.norm(x, f"{root}.final_layer_norm", own["layer_norm_eps"])
    is_end = graph.node("Cast", graph.node("Equal", TOKENS, graph.constant(own["eos_token_id"])), to=TensorProto.INT64)
    end = graph.node("ArgMax", is_end, axis=1, keepdims=1)
    pooled = graph.node("GatherND", x, end, batch_dims=1)
    given = helper.make_tensor_value_info(TOKENS, TensorProto.INT64, ["n", "t"])
    return graph.model(graph.linear(pooled, "text_projection"), given, TEXT_VECTORS, config["projection_dim"])


def causal_mask(graph: Graph, length: str) -> str:
    """(t, t): zero where a token sees itself and those before it, far below zero elsewhere."""
    square = graph.node("Concat", length, length, axis=0)
    full = graph.node("Expand", graph.constant(FAR_BELOW), square)
    return graph.node("Trilu", full, graph.constant(1), upper=1)


def layers(graph: Graph, x: str, root: str, own: dict[str, Any], *, mask: str | None = None) -> str:
    """The transformer layers of a tower."""
    for number in range(own["num_hidden_layers"]):
        name = f"{root}.encoder.layers.{number}"
        seen = graph.norm(x, f"{name}.layer_norm1", own["layer_norm_eps"])
        x = graph.node("Add", x, attention(graph, seen, f"{name}.self_attn", own, mask))
        seen = graph.norm(x, f"{name}.layer_norm2", own["layer_norm_eps"])
        wide = graph.linear(seen, f"{name}.mlp.fc1")
        gate = graph.node("Sigmoid", graph.node("Mul", wide, graph.constant(QUICK_GELU)))
        x = graph.node("Add", x, graph.linear(graph.node("Mul", wide, gate), f"{name}.mlp.fc2"))
    return x


def attention(graph: Graph, x: str, name: str, own: dict[str, Any], mask: str | None) -> str:
    """Scaled dot-product attention of several heads (Vaswani and others 2017, 1706.03762)."""
    n_heads, width = own["num_attention_heads"], own["hidden_size"]
    query, key, value = (graph.heads(graph.linear(x, f"{name}.{part}_proj"), n_heads, width) for part in "qkv")
    scaled = graph.node("Mul", query, graph.constant(float((width // n_heads) ** -0.5)))
    scores = graph.node("MatMul", scaled, graph.node("Transpose", key, perm=[0, 1, 3, 2]))
    if mask is not None:
        scores = graph.node("Add", scores, mask)
    heads = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), value)
    joined = graph.node("Reshape", graph.node("Transpose", heads, perm=[0, 2, 1, 3]), graph.constant([0, 0, width]))
    return graph.linear(joined, f"{name}.out_proj")


if __name__ == "__main__":
    main()
