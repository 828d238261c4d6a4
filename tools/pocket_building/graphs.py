"""The two graphs of `pocket`. Their weights lie in one safetensors file, to which they point."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from inkling.encoders.embedded.pocket import (
    FEATURE_DIMENSION,
    FEATURES,
    IMAGE_VECTORS,
    PIXELS,
    SIDE,
    TEXT_DIMENSION,
    TEXT_VECTORS,
    TOKENS,
    VIEWS,
)
from onnx_graph import Graph

LIKELIEST = 10
"""Classes of ImageNet that an image's vector is made of."""
FAR_BELOW = -1e9
BERT_EPSILON, BERT_HEADS, BERT_LAYERS = 1e-12, 12, 6

_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Of EfficientNet-B0 (Tan and Le 2019, 1905.11946): repeats, kernel, stride, expansion, width."""
_STEM_WIDTH = 32
_SCALES = {"lite0": (1.0, 1.0), "lite2": (1.1, 1.2)}
"""Factors on width and depth. The Lite networks leave stem and head, and the depth of the first and last stage, as they
are, and have no squeeze-and-excitation."""


@dataclass(frozen=True)
class Block:
    """An inverted residual block: expand, convolve each channel, project."""

    kernel: int
    stride: int
    expansion: int
    width_in: int
    width: int


@dataclass(frozen=True)
class Convolution:
    """The shape of a convolution, and whether no activation follows it."""

    kernel: int = 1
    stride: int = 1
    groups: int = 1
    is_linear: bool = False


def blocks_of(network: str) -> Iterator[Block]:
    """The blocks of a network, in order."""
    wider, deeper = _SCALES[network]
    width = _STEM_WIDTH
    for number, (repeats, kernel, stride, expansion, base) in enumerate(_STAGES):
        is_scaled = number not in (0, len(_STAGES) - 1)
        for repeat in range(math.ceil(deeper * repeats) if is_scaled else repeats):
            wanted = _rounded(base * wider)
            yield Block(kernel, stride if repeat == 0 else 1, expansion, width, wanted)
            width = wanted


def _rounded(width: float) -> int:
    """To a multiple of 8, by at most a tenth down."""
    near = max(8, int(width + 4) // 8 * 8)
    return near + 8 if near < 0.9 * width else near


def image_graph(folder: Path) -> onnx.ModelProto:
    """Two views of a picture (n, 6, side, side) to unit vectors (n, d) and features (n, f).

    The vector is that of ConSE (Norouzi and others 2013, 1312.5650): the mean of the likeliest classes' text vectors.
    Their weights are square roots of the probabilities, whose mean over both networks is taken.
    """
    graph = Graph(folder)
    views = graph.nodes("Split", PIXELS, n_outputs=len(VIEWS), axis=1)
    features, probabilities = zip(
        *(network_outputs(graph, network, view) for network, view in zip(VIEWS, views, strict=True)), strict=True
    )
    mean = graph.node("Mul", graph.node("Sum", *probabilities), graph.constant(1.0 / len(VIEWS)))
    likely, which = graph.nodes("TopK", mean, graph.constant([LIKELIEST]), n_outputs=2)
    shares = graph.node("Unsqueeze", graph.node("Sqrt", likely), graph.constant([1]))
    named = graph.node("MatMul", shares, graph.node("Gather", graph.weight("names.vectors"), which))
    vectors = graph.unit(graph.node("Squeeze", named, graph.constant([1])))
    given = helper.make_tensor_value_info(PIXELS, TensorProto.FLOAT, ["n", 3 * len(VIEWS), SIDE, SIDE])
    joined = graph.node("Concat", *map(graph.unit, features), axis=1)
    return graph.model(given, {IMAGE_VECTORS: (vectors, TEXT_DIMENSION), FEATURES: (joined, FEATURE_DIMENSION)})


def network_outputs(graph: Graph, network: str, pixels: str) -> tuple[str, str]:
    """Penultimate features (n, 1280) and probabilities (n, 1000) of an EfficientNet-Lite."""
    x, side = _convolved(graph, pixels, f"{network}.convstem", SIDE, Convolution(kernel=3, stride=2))
    for number, block in enumerate(blocks_of(network)):
        x, side = _block(graph, x, f"{network}.blocks.{number}", block, side)
    x, _ = _convolved(graph, x, f"{network}.convhead", side, Convolution())
    features = graph.node("Flatten", graph.node("GlobalAveragePool", x))
    return features, graph.node("Softmax", graph.linear(features, f"{network}.classes"), axis=-1)


def _block(graph: Graph, x: str, name: str, block: Block, side: int) -> tuple[str, int]:
    y = x if block.expansion == 1 else _convolved(graph, x, f"{name}.expandconv", side, Convolution())[0]
    each_channel = Convolution(block.kernel, block.stride, groups=block.width_in * block.expansion)
    y, after = _convolved(graph, y, f"{name}.depthwiseconv", side, each_channel)
    y, _ = _convolved(graph, y, f"{name}.projectconv", after, Convolution(is_linear=True))
    is_residual = block.stride == 1 and block.width_in == block.width
    return (graph.node("Add", x, y) if is_residual else y), after


def _convolved(graph: Graph, x: str, name: str, side: int, how: Convolution) -> tuple[str, int]:
    """A convolution, cut to 0 to 6 unless it is linear, and the side of what comes out.

    Padded as TensorFlow does, where the weights come from: an odd pixel goes to the right and to the bottom.
    """
    after = -(-side // how.stride)
    pad = max((after - 1) * how.stride + how.kernel - side, 0)
    shape = {
        "kernel_shape": [how.kernel, how.kernel],
        "strides": [how.stride, how.stride],
        "pads": [pad // 2, pad // 2, pad - pad // 2, pad - pad // 2],
        "group": how.groups,
    }
    y = graph.node("Conv", x, graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias"), **shape)
    return (y if how.is_linear else graph.node("Clip", y, graph.constant(0.0), graph.constant(6.0))), after


def text_graph(folder: Path) -> onnx.ModelProto:
    """Tokens (n, t) to unit vectors (n, d): the mean of BERT's last states, seen from that of ImageNet's classes."""
    graph = Graph(folder)
    is_text = graph.node("Cast", graph.node("Greater", TOKENS, graph.constant([0])), to=TensorProto.FLOAT)
    x = _embedded(graph)
    hidden = graph.node("Mul", graph.node("Sub", is_text, graph.constant(1.0)), graph.constant(-FAR_BELOW))
    mask = graph.node("Unsqueeze", hidden, graph.constant([1, 2]))
    for number in range(BERT_LAYERS):
        x = _bert_layer(graph, x, f"text.layers.{number}", mask)
    seen = graph.node("Unsqueeze", is_text, graph.constant([2]))
    total = graph.node("ReduceSum", graph.node("Mul", x, seen), graph.constant([1]), keepdims=0)
    # The length of a sum is as good as that of a mean: what comes next makes unit vectors of it.
    vectors = graph.unit(graph.node("Sub", graph.unit(total), graph.weight("names.origin")))
    given = helper.make_tensor_value_info(TOKENS, TensorProto.INT64, ["n", "t"])
    return graph.model(given, {TEXT_VECTORS: (vectors, TEXT_DIMENSION)})


def _embedded(graph: Graph) -> str:
    """Word, place and kind of each token, normalised. Rows are widened after they are chosen: the table stays small."""
    length = graph.node("Slice", graph.node("Shape", TOKENS), graph.constant([1]), graph.constant([2]))
    places = graph.node("Slice", graph.weight("text.position.weight"), graph.constant([0]), length)
    rows, steps = (graph.node("Gather", graph.stored(f"text.word.weight{part}"), TOKENS) for part in ("", ".step"))
    words = graph.node("Mul", graph.node("Cast", rows, to=TensorProto.FLOAT), steps)
    tokens = graph.node("Add", graph.node("Add", words, places), graph.weight("text.kind.weight"))
    return graph.norm(tokens, "text.norm", BERT_EPSILON)


def _bert_layer(graph: Graph, x: str, name: str, mask: str) -> str:
    """Attention, then two layers with GELU between them; each normalised after its sum with what came in."""
    query, key, value = (graph.linear(x, f"{name}.attention.{part}") for part in ("query", "key", "value"))
    heads = graph.attention(query, key, value, size=(BERT_HEADS, TEXT_DIMENSION), mask=mask)
    x = graph.norm(
        graph.node("Add", x, graph.linear(heads, f"{name}.attention.output")), f"{name}.attention.norm", BERT_EPSILON
    )
    wide = graph.linear(x, f"{name}.mlp.input")
    half = graph.node("Erf", graph.node("Mul", wide, graph.constant(math.sqrt(0.5))))
    gate = graph.node("Mul", graph.node("Add", half, graph.constant(1.0)), graph.constant(0.5))
    out = graph.linear(graph.node("Mul", wide, gate), f"{name}.mlp.output")
    return graph.norm(graph.node("Add", x, out), f"{name}.mlp.norm", BERT_EPSILON)
