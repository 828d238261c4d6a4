"""Write the ONNX form of the embedded encoder beside its weights: one graph a tower.

Usage: python tools/export_sketch.py

The graphs hold no weights: they point into model.safetensors by offset, so the two forms can't drift apart. The files
are equal byte for byte whenever this runs on the same weights. docs/decisions/light-install.md says what they are for.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from inkling.encoders.embedded.sketch import IMAGE_TOWER, IMAGE_VECTORS, PIXELS, TEXT_TOWER, TEXT_VECTORS, TOKENS
from inkling.sketch import weights_folder
from onnx_graph import Graph, write

QUICK_GELU = 1.702
FAR_BELOW = -1e9
"""Added to the score of a token that must not be seen; its softmax is zero in float32."""


def main() -> None:
    """Write both towers."""
    folder = weights_folder()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for file, model in ((IMAGE_TOWER, image_tower(folder, config)), (TEXT_TOWER, text_tower(folder, config))):
        write(model, folder / file)


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
    return graph.model(given, {IMAGE_VECTORS: (graph.linear(pooled, "visual_projection"), config["projection_dim"])})


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
    return graph.model(given, {TEXT_VECTORS: (graph.linear(pooled, "text_projection"), config["projection_dim"])})


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
    """Self-attention with its projections."""
    query, key, value = (graph.linear(x, f"{name}.{part}_proj") for part in "qkv")
    size = own["num_attention_heads"], own["hidden_size"]
    return graph.linear(graph.attention(query, key, value, size=size, mask=mask), f"{name}.out_proj")


if __name__ == "__main__":
    main()
