"""Static quantisation of the image towers in an exported model to 8 bits (Jacob et al. 2018, 1712.05877).

onnxruntime's quantiser rounds weights in 7 bits a channel, and activations in 8 bits by the range that they have on
pictures that are handed over. An eighth bit of weights would overflow on processors that add pairs of products in 16
bits (those without VNNI): on training images of clothes, the mean cosine to float32 was .9988 with it there, and .9998
without. What it is asked to round, and the correction after it, were chosen on training images by the error of the
features of two MobileNetV2 (.143 of their length without the last two of these, .070 with all):

- Layers that see one vector a picture stay in float: they take no time, and their rounding would go straight into
  embeddings and features. So do products of activations, normalisations, softmax and sums, which carry the residual
  stream of a transformer.
- Convolutions at half of the picture's resolution that read at most three channels, of pixels or depthwise, stay in
  float: they have few weights, and half of the squared error came of them.
- Rounded weights shift the mean of what a layer gives, by their error times the mean of what it reads. That is taken
  off its bias (Nagel et al. 2019, 1906.04721, section 4.2).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import compose, helper, numpy_helper

from inkling.encoders.precision import INT8
from inkling.errors import InputError
from inkling.exporting.image_side import TOWER_PREFIX
from inkling.exporting.silence import in_silence

ENOUGH_PICTURES = 100
"""They show the ranges of activations well; more take longer."""

_LAYERS = ("Conv", "MatMul")
"""Operators that multiply by weights."""
_BOUNDS = ("Clip", "Relu")
"""Operators that bound what a layer gives: what comes after them is what must be rounded finely."""

_FEW_CHANNELS = 3

_MOST_BYTES = 2**31 - 2**26
"""Of the weights of a model that onnxruntime's quantiser reads."""

_DEQUANTISE, _QUANTISE = "DequantizeLinear", "QuantizeLinear"


@dataclass(frozen=True)
class _Tower:
    """The part of a model that is an image tower.

    Attributes
    ----------
    prefix
        Of its names.
    entry
        Input of the model for its prepared pictures.
    place
        Number of its first node.
    model
        As a model of its own.
    """

    prefix: str
    entry: str
    place: int
    model: onnx.ModelProto

    @property
    def input(self) -> onnx.ValueInfoProto:
        """What it reads."""
        return self.model.graph.input[0]


def quantised(model: onnx.ModelProto, pictures: Mapping[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """An exported model with its image towers in 8 bits.

    Parameters
    ----------
    model, pictures
        As for `inkling.exporting.precision.shrunk`.

    Raises
    ------
    InputError
        If there is no picture, the model is too large, or nothing in a tower can be quantised.
    """
    if not all(len(pictures.get(entry.name, ())) for entry in _entries(model)):
        raise InputError(
            "An export in int8 needs pictures that show the ranges of activations, and there is none.",
            remedy="Have exemplars where they were when the classifier was fitted, or export in float32 or float16.",
        )
    size = sum(len(tensor.raw_data) for tensor in model.graph.initializer)
    if size > _MOST_BYTES:
        raise InputError(
            f"Models above 2 GB can't be quantised to int8; this one has {size / 1e9:.1f} GB of weights.",
            remedy="Export in float16, which halves its file.",
        )
    towers = [*_towers(model)]
    if not towers:
        raise InputError(
            "The encoder's model reads a fixed number of pictures at once, or rounds by what it is given, so it can't "
            "be quantised to int8.",
            remedy="Export in float32 or float16, or export the encoder's model again with a batch of any size.",
        )
    for tower in towers:
        model = _replaced(model, tower, _in_8_bits(tower, pictures[tower.entry]))
    return model


def _entries(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """Inputs for prepared pictures."""
    return [each for each in model.graph.input if len(each.type.tensor_type.shape.dim) == 4]


def _towers(model: onnx.ModelProto) -> Iterator[_Tower]:
    for number, entry in enumerate(_entries(model), start=1):
        prefix = f"{TOWER_PREFIX}{number}/"
        own = [node for node in model.graph.node if node.name.startswith(prefix)]
        if own:
            place = next(at for at, node in enumerate(model.graph.node) if node.name.startswith(prefix))
            yield _Tower(prefix, entry.name, place, _alone(model, own, entry))


def _alone(model: onnx.ModelProto, nodes: list[onnx.NodeProto], entry: onnx.ValueInfoProto) -> onnx.ModelProto:
    """Nodes of a model as a model of their own, which reads what `entry` is for."""
    own = {id(node) for node in nodes}
    made = {name for node in nodes for name in node.output}
    read = {name for node in nodes for name in node.input if name}
    read_outside = {name for node in model.graph.node if id(node) not in own for name in node.input}
    weights = [tensor for tensor in model.graph.initializer if tensor.name in read]
    (pixels,) = read - made - {tensor.name for tensor in weights}
    value = onnx.ValueInfoProto()
    value.CopyFrom(entry)
    value.name = pixels
    outputs = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in sorted(made & read_outside)
    ]
    graph = helper.make_graph(nodes, "tower", [value], outputs, weights)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def _in_8_bits(tower: _Tower, pictures: NDArray[np.float32]) -> onnx.ModelProto:
    """Quantised by the ranges that activations have on pictures."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    with tempfile.TemporaryDirectory() as folder, in_silence():
        plain, coarse = (str(Path(folder) / name) for name in ("plain.onnx", "coarse.onnx"))
        simplified = _simplified(tower.model, plain)
        layers, bounds = _chosen(simplified, tower.input)
        if not layers:
            raise InputError(
                "The encoder's image tower has no layer that could be quantised to int8: it is quantised already, or "
                "built of other operators.",
                remedy="Export in float32 or float16.",
            )
        quantize_static(
            plain,
            coarse,
            _Reader(tower.input.name, pictures),
            quant_format=QuantFormat.QDQ,
            nodes_to_quantize=[node.name for node in (*layers, *bounds)],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=True,
        )
        read = _means_of_what_is_read(simplified, layers, tower.input.name, pictures)
        return _with_shifts_taken_off(onnx.load(coarse), simplified, layers, read)


def _simplified(model: onnx.ModelProto, file: str) -> onnx.ModelProto:
    """The model written to a file, with constants computed and normalisations multiplied into layers."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = file
    options.log_severity_level = 3
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.shape_inference.infer_shapes(onnx.load(file))


def _chosen(model: onnx.ModelProto, pixels: onnx.ValueInfoProto) -> tuple[list[onnx.NodeProto], list[onnx.NodeProto]]:
    """Layers to be quantised, and what bounds them."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    shapes = {each.name: each.type.tensor_type.shape.dim for each in model.graph.value_info}
    height = pixels.type.tensor_type.shape.dim[2].dim_value

    def is_chosen(node: onnx.NodeProto) -> bool:
        axes = shapes.get(node.output[0], ())
        if node.op_type not in _LAYERS or node.input[1] not in weights or not _has_places(axes):
            return False
        reads_few = node.op_type == "Conv" and weights[node.input[1]].dims[1] <= _FEW_CHANNELS
        return not (reads_few and 2 * axes[2].dim_value >= height)

    layers = [node for node in model.graph.node if is_chosen(node)]
    given = {node.output[0] for node in layers}
    return layers, [node for node in model.graph.node if node.op_type in _BOUNDS and node.input[0] in given]


def _has_places(axes: Any) -> bool:
    """Whether a value has more than one vector a picture: for each token, or place of a feature map."""
    sizes = [axis.dim_value for axis in axes]
    return sizes[1:-1] not in ([], [1]) if len(sizes) == 3 else len(sizes) == 4 and sizes[2:] != [1, 1]


class _Reader:
    """Hands pictures one by one to the quantiser."""

    def __init__(self, name: str, pictures: NDArray[np.float32]) -> None:
        self._rows = iter({name: pictures[at : at + 1]} for at in range(len(pictures)))

    def get_next(self) -> Mapping[str, NDArray[np.float32]] | None:
        """The next one; None after the last."""
        return next(self._rows, None)


def _means_of_what_is_read(
    model: onnx.ModelProto, layers: Sequence[onnx.NodeProto], name: str, pictures: NDArray[np.float32]
) -> dict[str, NDArray[np.float64]]:
    """For each layer by its name, the mean of each channel that it reads, (channels,)."""
    import onnxruntime

    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    for kind in {layer.op_type for layer in layers}:
        axes = np.array((0, 2, 3) if kind == "Conv" else (0, 1))
        watched.graph.initializer.append(numpy_helper.from_array(axes, f"axes of {kind}"))
    for layer in layers:
        reads = [layer.input[0], f"axes of {layer.op_type}"]
        watched.graph.node.append(helper.make_node("ReduceMean", reads, [f"mean of {layer.name}"], keepdims=0))
        watched.graph.output.append(helper.make_empty_tensor_value_info(f"mean of {layer.name}"))
    session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = [f"mean of {layer.name}" for layer in layers]
    rows = [session.run(wanted, {name: pictures[at : at + 1]}) for at in range(len(pictures))]
    means = (np.mean(of_layer, axis=0, dtype=np.float64) for of_layer in zip(*rows, strict=True))
    return dict(zip((layer.name for layer in layers), means, strict=True))


def _with_shifts_taken_off(
    coarse: onnx.ModelProto,
    plain: onnx.ModelProto,
    layers: Sequence[onnx.NodeProto],
    read: Mapping[str, NDArray[np.float64]],
) -> onnx.ModelProto:
    """Biases less what rounded weights add to the mean of a layer's results."""
    exact = {tensor.name: tensor for tensor in plain.graph.initializer}
    kept = {tensor.name: tensor for tensor in coarse.graph.initializer}
    makers = {name: node for node in coarse.graph.node for name in node.output}
    of_names = {node.name: node for node in coarse.graph.node}
    for layer in layers:
        node = of_names[layer.name]
        maker = makers.get(node.input[1])
        bias = _bias_of(coarse, node, makers, kept) if maker is not None and maker.op_type == _DEQUANTISE else None
        if maker is None or bias is None:
            continue
        rounded = _dequantised(maker, kept)
        error = rounded - numpy_helper.to_array(exact[layer.input[1]]).astype(np.float64)
        _take_off(bias, _shift(layer.op_type, error, read[layer.name]), kept)
    return coarse


def _shift(kind: str, error: NDArray[np.float64], read: NDArray[np.float64]) -> NDArray[np.float64]:
    """What an error of weights adds to the mean of each channel that a layer gives."""
    if kind == "MatMul":
        return np.asarray(read @ error)
    of_channels = error.reshape(*error.shape[:2], -1).sum(axis=2)
    groups = len(read) // of_channels.shape[1]
    of_groups = of_channels.reshape(groups, -1, of_channels.shape[1])
    return np.asarray(np.einsum("goc,gc->go", of_groups, read.reshape(groups, -1))).reshape(-1)


def _bias_of(
    model: onnx.ModelProto,
    node: onnx.NodeProto,
    makers: Mapping[str, onnx.NodeProto],
    kept: Mapping[str, onnx.TensorProto],
) -> onnx.NodeProto | None:
    """Node that gives a layer's bias from weights: its own, or the sum after it; None where there is no such bias."""
    if len(node.input) > 2:
        maker = makers.get(node.input[2])
        return maker if maker is not None and maker.op_type == _DEQUANTISE else None
    name, following = node.output[0], None
    for each in model.graph.node:  # in the order of a graph
        if name in each.input and each.op_type in (_QUANTISE, _DEQUANTISE):
            name = each.output[0]
        elif name in each.input:
            following = each
            break
    is_sum = following is not None and following.op_type == "Add" and any(each in kept for each in following.input)
    return following if is_sum else None


def _dequantised(node: onnx.NodeProto, kept: Mapping[str, onnx.TensorProto]) -> NDArray[np.float64]:
    """What a node makes of whole numbers, a scale a channel; their zero is 0."""
    numbers, scales = (numpy_helper.to_array(kept[name]).astype(np.float64) for name in node.input[:2])
    axis = next((each.i for each in node.attribute if each.name == "axis"), 1)
    shape = [1] * numbers.ndim
    shape[axis] = -1
    return np.asarray(numbers * (scales.reshape(shape) if scales.ndim else scales))


def _take_off(node: onnx.NodeProto, shift: NDArray[np.float64], kept: Mapping[str, onnx.TensorProto]) -> None:
    if node.op_type == _DEQUANTISE:
        tensor = kept[node.input[0]]
        places = np.rint(shift / numpy_helper.to_array(kept[node.input[1]]).astype(np.float64))
    else:
        tensor = next(kept[name] for name in node.input if name in kept)
        places = shift
    bias = numpy_helper.to_array(tensor)
    tensor.CopyFrom(numpy_helper.from_array((bias - places).astype(bias.dtype), tensor.name))


def _replaced(model: onnx.ModelProto, tower: _Tower, coarse: onnx.ModelProto) -> onnx.ModelProto:
    """The model with another form of a tower in its place."""
    prefix = f"{tower.prefix}{INT8}/"
    form = compose.add_prefix(coarse, prefix)
    given = helper.make_node("Identity", [tower.input.name], [form.graph.input[0].name], name=prefix)
    results = [
        helper.make_node("Identity", [each.name], [each.name.removeprefix(prefix)], name=f"{each.name}/result")
        for each in form.graph.output
    ]
    own = {tensor.name for tensor in tower.model.graph.initializer}
    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    others = [node for node in model.graph.node if not node.name.startswith(tower.prefix)]
    weights = [tensor for tensor in model.graph.initializer if tensor.name not in own]
    del graph.node[:], graph.initializer[:]
    graph.node.extend([*others[: tower.place], given, *form.graph.node, *results, *others[tower.place :]])
    graph.initializer.extend([*weights, *form.graph.initializer])
    known = {entry.domain for entry in made.opset_import}
    made.opset_import.extend(entry for entry in form.opset_import if entry.domain not in known)
    return made
