"""Preparing a picture within the graph: what `inkling.encoders.preprocessing` does to one, as ONNX operators.

Sizes are computed in whole numbers, as `Preprocessing` computes them, and grey levels become floats by its own table.
The resize is Pillow's, see `inkling.exporting.resizing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from onnx import TensorProto

from inkling.encoders.open_clip.preprocessing import OpenClipPreprocessing
from inkling.encoders.preprocessing import FloatPreprocessing, Preprocessing
from inkling.errors import EncoderError
from inkling.exporting.graph import Graph
from inkling.exporting.resizing import Axis, resized_floats, resized_levels, vector

_LEVELS = 256


class _Crop(NamedTuple):
    """What the crop keeps of an axis after resizing, and the black around it: names of scalars."""

    start: str
    kept: str
    before: str
    after: str


def add_preparation(graph: Graph, preprocessing: Preprocessing, image: str) -> str:
    """From an RGB picture, uint8 (height, width, 3), to the array that a model reads.

    Parameters
    ----------
    graph
        Takes the nodes.
    preprocessing
        Of the encoder.
    image
        Name of the picture.

    Returns
    -------
    str
        Name of an array (1, 3, height, width) float32.

    Raises
    ------
    EncoderError
        If the model reads pictures of any shape.
    """
    check_preprocessing(preprocessing)
    shape = graph.node("Shape", image)
    lengths = [graph.node("Gather", shape, graph.constant(axis)) for axis in (0, 1)]
    targets, crops = _GEOMETRIES[type(preprocessing)](graph, preprocessing, lengths)
    rows, columns = (
        Axis(length, target, crop.start, crop.kept)
        for length, target, crop in zip(lengths, targets, crops, strict=True)
    )
    channels = graph.node("Transpose", image, perm=[2, 0, 1])
    if isinstance(preprocessing, FloatPreprocessing):
        pixels = resized_floats(graph, channels, rows, columns, resample=preprocessing.resample)
        return _normalised(graph, preprocessing, _widened(graph, preprocessing, pixels, crops))
    levels = resized_levels(graph, channels, rows, columns, resample=preprocessing.resample)
    return _looked_up(graph, preprocessing, _widened(graph, preprocessing, levels, crops))


def check_preprocessing(preprocessing: Preprocessing) -> None:
    """Refuse a preprocessing that has no form as a graph.

    Raises
    ------
    EncoderError
        If it makes arrays of different shapes of pictures of different shapes.
    """
    if type(preprocessing) not in _GEOMETRIES:
        raise EncoderError(
            "The encoder reads pictures of any shape (NaFlex); an exported graph needs one size of prepared pictures.",
            remedy="Export with an encoder of fixed resolution; such models are published with one, too.",
        )


def _as_processors(graph: Graph, preprocessing: Preprocessing, lengths: Sequence[str]) -> _Sizes:
    """Of image processors of `transformers`. The upper and left margin is the wider one."""
    targets = _resized_lengths(graph, preprocessing, *lengths)
    crops = []
    for target, size in zip(targets, preprocessing.crop or (None, None), strict=True):
        beyond, missing = _excess(graph, target, size)
        half = graph.node("Div", beyond, graph.constant(2))
        wider = graph.node("Div", graph.node("Add", missing, graph.constant(1)), graph.constant(2))
        crops.append(_Crop(half, graph.node("Sub", target, beyond), wider, graph.node("Sub", missing, wider)))
    return targets, crops


def _as_open_clip(graph: Graph, preprocessing: Preprocessing, lengths: Sequence[str]) -> _Sizes:
    """Of OpenCLIP: halves are rounded to even numbers where pictures are cut, and down where they are filled."""
    fits = isinstance(preprocessing, OpenClipPreprocessing) and preprocessing.fits_longer
    find_lengths = _fitting_lengths if fits else _resized_lengths
    targets = find_lengths(graph, preprocessing, *lengths)
    two, crops = graph.constant(2), []
    for target, size in zip(targets, preprocessing.output, strict=True):
        beyond, missing = _excess(graph, target, size)
        half = graph.node("Div", beyond, two)
        is_odd = graph.node("Mul", graph.node("Mod", beyond, two), graph.node("Mod", half, two))
        narrower = graph.node("Div", missing, two)
        kept = graph.node("Sub", target, beyond)
        crops.append(_Crop(graph.node("Add", half, is_odd), kept, narrower, graph.node("Sub", missing, narrower)))
    return targets, crops


def _resized_lengths(graph: Graph, preprocessing: Preprocessing, height: str, width: str) -> tuple[str, str]:
    """Height and width after resizing.

    The longer side is that of `Preprocessing`: its quotient of floats, cut to a whole number, is that of whole numbers
    as long as the product is below 2^53.
    """
    if preprocessing.resized is not None:
        rows, columns = preprocessing.resized
        return graph.constant(rows), graph.constant(columns)
    if preprocessing.shorter_edge is None:
        return height, width
    edge = graph.constant(preprocessing.shorter_edge)
    longer, shorter = graph.node("Max", height, width), graph.node("Min", height, width)
    long_edge = graph.node("Div", graph.node("Mul", edge, longer), shorter)
    is_upright = graph.node("LessOrEqual", width, height)
    return graph.node("Where", is_upright, long_edge, edge), graph.node("Where", is_upright, edge, long_edge)


def _fitting_lengths(graph: Graph, preprocessing: Preprocessing, height: str, width: str) -> tuple[str, str]:
    """Height and width that fit into the crop."""
    sides = [graph.node("Cast", side, to=TensorProto.DOUBLE) for side in (height, width)]
    ratios = [
        graph.node("Div", side, graph.constant(float(size)))
        for side, size in zip(sides, preprocessing.output, strict=True)
    ]
    ratio = graph.node("Max", *ratios)
    rounded = [graph.node("Round", graph.node("Div", side, ratio)) for side in sides]
    rows, columns = (
        graph.node("Max", graph.node("Cast", side, to=TensorProto.INT64), graph.constant(1)) for side in rounded
    )
    return rows, columns


def _excess(graph: Graph, length: str, size: int | None) -> tuple[str, str]:
    """What an axis has beyond a crop, and what it lacks; none of both where nothing is cropped."""
    zero = graph.constant(0)
    if size is None:
        return zero, zero
    beyond = graph.node("Sub", length, graph.constant(size))
    return graph.node("Max", beyond, zero), graph.node("Max", graph.node("Neg", beyond), zero)


def _widened(graph: Graph, preprocessing: Preprocessing, pixels: str, crops: Sequence[_Crop]) -> str:
    """Channels (3, rows, columns) with black, or the filling, where the crop sticks out of them."""
    if preprocessing.crop is None or preprocessing.crop == preprocessing.resized:
        return pixels
    zero = graph.constant(0)
    rows, columns = crops
    pads = vector(graph, zero, rows.before, columns.before, zero, rows.after, columns.after)
    if isinstance(preprocessing, OpenClipPreprocessing):
        return graph.node("Pad", pixels, pads, graph.constant(np.uint8(preprocessing.fill)))
    return graph.node("Pad", pixels, pads)


def _looked_up(graph: Graph, preprocessing: Preprocessing, levels: str) -> str:
    """What the table of each channel makes of its levels."""
    offsets = (np.arange(3, dtype=np.int32) * _LEVELS)[:, None, None]
    places = graph.node("Add", graph.node("Cast", levels, to=TensorProto.INT32), graph.constant(offsets))
    values = graph.node("Gather", graph.constant(preprocessing.table.reshape(-1)), places)
    return graph.node("Unsqueeze", values, graph.constant([0]))


def _normalised(graph: Graph, preprocessing: Preprocessing, pixels: str) -> str:
    """Rescaled and normalised in the steps of `FloatPreprocessing`."""
    if preprocessing.rescale is not None:
        pixels = graph.node("Mul", pixels, graph.constant(np.float32(preprocessing.rescale)))
    mean, std = (np.asarray(each, np.float32)[:, None, None] for each in (preprocessing.mean, preprocessing.std))
    centred = graph.node("Sub", pixels, graph.constant(mean))
    return graph.node("Unsqueeze", graph.node("Div", centred, graph.constant(std)), graph.constant([0]))


_Sizes = tuple[tuple[str, str], list[_Crop]]
_Geometry = Callable[[Graph, Preprocessing, Sequence[str]], _Sizes]

_GEOMETRIES: Mapping[type[Preprocessing], _Geometry] = {
    Preprocessing: _as_processors,
    FloatPreprocessing: _as_processors,
    OpenClipPreprocessing: _as_open_clip,
}
"""From height and width to those after resizing, and to what is kept of them."""
