"""The image side of an encoder as a graph: a picture is prepared, and prepared pictures become vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from onnx import TensorProto

from inkling.encoders.base import Encoder
from inkling.encoders.composed import ComposedEncoder, naming_the_part, parts_of
from inkling.encoders.cut import CutEncoder
from inkling.encoders.joined import JoinedEncoder
from inkling.errors import EncoderError
from inkling.exporting.graph import Graph
from inkling.exporting.pictures import add_preparation
from inkling.exporting.towers.kinds import tower_of
from inkling.exporting.towers.tower import Tower

TOWER_PREFIX = "tower_"
"""Begins the names of the nodes and weights of towers, and of nothing else."""

PIXELS = "pixel_values"


@dataclass(frozen=True)
class Entry:
    """An input for prepared pictures.

    Attributes
    ----------
    name
        Its name.
    axes
        Sizes of the axes after the first, which counts the pictures.
    """

    name: str
    axes: tuple[int, ...]


class _Vectors(NamedTuple):
    """Names of what `inkling.encoders.base.ImageVectors` holds."""

    embeddings: str
    features: str | None


@dataclass(frozen=True)
class ImageSide:
    """The image side of an encoder, as it adds itself to a graph.

    Attributes
    ----------
    encoder
        The encoder.
    towers
        Of each part of it.
    """

    encoder: Encoder
    towers: tuple[Tower, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Inputs for prepared pictures, one for each tower."""
        return tuple(
            Entry(PIXELS if not number else f"{PIXELS}_{number + 1}", tower.axes)
            for number, tower in enumerate(self.towers)
        )

    def prepare(self, graph: Graph, image: str) -> tuple[str, ...]:
        """Add what prepares a picture.

        Parameters
        ----------
        graph
            Takes the nodes.
        image
            Name of an RGB picture, uint8 (height, width, 3), not empty.

        Returns
        -------
        tuple
            Names of arrays (1, \\*axes) float32, one for each entry.
        """
        return tuple(_prepared(graph, tower, image) for tower in self.towers)

    def encode(self, graph: Graph, prepared: Sequence[str]) -> str:
        """Add the towers.

        Parameters
        ----------
        graph
            Takes the nodes.
        prepared
            Names of prepared pictures (n, \\*axes), one for each entry.

        Returns
        -------
        str
            Name of what `inkling.embeddings.samples.Samples.X` holds: embeddings, and beside them features where the
            encoder has such, (n, d + f) float32.
        """
        parts = [
            _encoded(graph, tower, pixels, prefix=f"{TOWER_PREFIX}{number}/")
            for number, (tower, pixels) in enumerate(zip(self.towers, prepared, strict=True), start=1)
        ]
        whole = _composed(graph, self.encoder, iter(parts))
        if whole.features is None:
            return whole.embeddings
        return graph.node("Concat", whole.embeddings, whole.features, axis=1)


def image_side(encoder: Encoder) -> ImageSide:
    """Read the image towers of an encoder.

    Raises
    ------
    EncoderError
        If it is of a kind of which no graph can be made, or its files can't be read.
    """
    towers = []
    for part in parts_of(encoder):
        with naming_the_part(part, of=encoder):
            towers.append(tower_of(part))
    return ImageSide(encoder, tuple(towers))


def _prepared(graph: Graph, tower: Tower, image: str) -> str:
    views = [add_preparation(graph, view, image) for view in tower.views]
    return views[0] if len(views) == 1 else graph.node("Concat", *views, axis=1)


def _encoded(graph: Graph, tower: Tower, pixels: str, *, prefix: str) -> _Vectors:
    """Unit vectors and raw features of a tower."""
    if tower.rows_at_once is None:
        return _in_one_run(graph, tower, pixels, prefix)
    return _in_several_runs(graph, tower, pixels, prefix, at_once=tower.rows_at_once)


def _in_one_run(graph: Graph, tower: Tower, pixels: str, prefix: str) -> _Vectors:
    kind = tower.element_types[tower.pixels]
    given = pixels if kind == TensorProto.FLOAT else graph.node("Cast", pixels, to=kind)
    outputs = graph.inline(tower.model, {tower.pixels: given}, prefix=prefix)
    embeddings = outputs[tower.embeddings]
    if tower.has_token_vectors:
        embeddings = graph.node("Gather", embeddings, graph.constant(0), axis=1)
    features = tower.features and graph.node("Cast", outputs[tower.features], to=TensorProto.FLOAT)
    return _Vectors(_unit_vectors(graph, embeddings), features)


def _in_several_runs(graph: Graph, tower: Tower, pixels: str, prefix: str, *, at_once: int) -> _Vectors:
    """As many rows at once as the model reads, the last row repeated to the end."""
    n_rows = graph.node("Squeeze", graph.node("Shape", pixels, start=0, end=1))
    filled = graph.node("Add", n_rows, graph.constant(at_once - 1))
    n_runs = graph.node("Div", filled, graph.constant(at_once))
    last = graph.node("Sub", n_rows, graph.constant(1))
    body = Graph(graph)
    number, goes_on = body.new_name("number"), body.new_name("goes_on")
    begin = body.node("Mul", number, body.constant(at_once))
    places = body.node("Min", body.node("Add", body.constant(np.arange(at_once)), begin), last)
    found = _in_one_run(body, tower, body.node("Gather", pixels, places, axis=0), prefix)
    vectors = [body.node("Identity", each) for each in found if each is not None]
    loop = body.body(
        body.new_name("rows"),
        inputs={number: (np.int64, ()), goes_on: (np.bool_, ())},
        outputs={body.node("Identity", goes_on): (np.bool_, ()), **dict.fromkeys(vectors, (np.float32, (None, None)))},
    )
    runs = graph.nodes("Loop", n_runs, graph.constant(True), n_outputs=len(vectors), body=loop)
    return _Vectors(*(_rows_of(graph, each, n_rows) for each in runs), *([None] * (2 - len(runs))))


def _rows_of(graph: Graph, runs: str, n_rows: str) -> str:
    """Rows (n, d) of all runs (runs, rows at once, d), without those that only filled the last one."""
    width = graph.node("Shape", runs, start=2)
    rows = graph.node("Reshape", runs, graph.node("Concat", graph.constant([-1]), width, axis=0))
    return graph.node("Slice", rows, graph.constant([0]), graph.node("Unsqueeze", n_rows, graph.constant([0])))


def _composed(graph: Graph, encoder: Encoder, parts: Iterator[_Vectors]) -> _Vectors:
    """Vectors of an encoder from those of its parts, which are taken in their order: its `compose` as a graph."""
    if isinstance(encoder, JoinedEncoder):
        return _joined(graph, [_composed(graph, one, parts) for one in encoder.encoders])
    whole = next(parts)
    if isinstance(encoder, CutEncoder):
        end = graph.constant([encoder.identity.dimension])
        first = graph.node("Slice", whole.embeddings, graph.constant([0]), end, graph.constant([1]))
        return _Vectors(_unit_vectors(graph, first), whole.features)
    if isinstance(encoder, ComposedEncoder):
        raise EncoderError(f"The encoder '{encoder.identity.name}' is composed in a way that has no form as a graph.")
    return whole


def _joined(graph: Graph, of_each: Sequence[_Vectors]) -> _Vectors:
    blocks = [_unit_vectors(graph, one.features or one.embeddings) for one in of_each]
    share = graph.constant(np.float32(np.sqrt(len(blocks))))
    return _Vectors(of_each[0].embeddings, graph.node("Div", graph.node("Concat", *blocks, axis=1), share))


def _unit_vectors(graph: Graph, vectors: str) -> str:
    """Rows of unit length in the steps of `inkling.encoders.vectors.unit_vectors`."""
    rows = graph.node("Cast", vectors, to=TensorProto.DOUBLE)
    squares = graph.node("ReduceSum", graph.node("Mul", rows, rows), graph.constant([1]), keepdims=1)
    lengths = graph.node("Sqrt", squares)
    is_zero = graph.node("Equal", lengths, graph.constant(0.0))
    divisors = graph.node("Where", is_zero, graph.constant(1.0), lengths)
    return graph.node("Cast", graph.node("Div", rows, divisors), to=TensorProto.FLOAT)
