"""A classifier as one ONNX model: a picture goes in, and what Inkling would answer comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import onnx

from inkling.classifier.fitted import FittedClassifier
from inkling.exporting.answers import answers
from inkling.exporting.graph import Axes, Graph
from inkling.exporting.traced import Traced

IMAGE = "image"
"""Input for one RGB picture, uint8 (height, width, 3); of size 0 x 0 where there are prepared pictures alone."""
PREPARED = "prepared"
"""What the image tower reads: other tools can cut the graph there."""
VECTORS = "vectors"
"""Embedding and feature, which head and detector read: likewise."""


class Entry(Protocol):
    """An input for prepared pictures, ``float32`` (n, \\*axes)."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def axes(self) -> tuple[int, ...]:
        """Sizes of the axes after the first."""
        ...


class ReadsPictures(Protocol):
    """The image side of an encoder, as it adds itself to a graph."""

    @property
    def entries(self) -> Sequence[Entry]:
        """Inputs for prepared pictures, one for each encoder that is joined."""
        ...

    def prepare(self, graph: Graph, image: str) -> Sequence[str]:
        """Add what prepares a picture: values (1, \\*axes), one an entry."""
        ...

    def encode(self, graph: Graph, prepared: Sequence[str]) -> str:
        """Add the towers: vectors (n, d + f), as `Samples.X` holds them."""
        ...


def build_model(fitted: FittedClassifier, image_side: ReadsPictures, *, description: str) -> onnx.ModelProto:
    """The classifier as a model with two entries.

    Its rows are those of the picture in ``image``, unless that is empty, and then those of the prepared pictures in
    ``pixel_values``, which may be left out.

    Parameters
    ----------
    description
        What it is, for people.

    Raises
    ------
    InputError
        If the head or the detector has no form as a graph.
    """
    graph = Graph()
    prepared = _prepared(graph, image_side)
    identity = fitted.samples.identity
    width = identity.dimension + identity.feature_dimension
    vectors = graph.name(image_side.encode(graph, prepared), VECTORS)
    X = Traced(graph, vectors, np.float32, (None, width))
    found = answers(fitted.fitted_head, fitted.detector, X, dimension=identity.dimension)
    for name, value in found.items():
        graph.name(value.name, name)
    entries = {entry.name: _pixels("n", entry) for entry in image_side.entries}
    return graph.model(
        inputs={IMAGE: (np.uint8, ["height", "width", 3]), **entries},
        outputs={name: (value.dtype, ["rows", *value.shape[1:]]) for name, value in found.items()},
        defaults={entry.name: _no_rows(entry) for entry in image_side.entries},
        between={
            **{name: _pixels("rows", entry) for name, entry in zip(prepared, image_side.entries, strict=True)},
            VECTORS: (np.float32, ["rows", width]),
        },
        description=description,
    )


def _prepared(graph: Graph, image_side: ReadsPictures) -> list[str]:
    """The picture, if there is one, and after it the prepared ones, for each entry."""
    of_picture, nothing = Graph(graph), Graph(graph)
    made = [*image_side.prepare(of_picture, IMAGE)]
    none = [nothing.constant(_no_rows(entry)) for entry in image_side.entries]
    is_there = graph.node("Greater", graph.node("Size", IMAGE), graph.constant(0))
    rows = graph.nodes(
        "If",
        is_there,
        n_outputs=len(made),
        then_branch=_branch(of_picture, "prepare", made, image_side.entries),
        else_branch=_branch(nothing, "no_picture", none, image_side.entries),
    )
    return [
        graph.name(graph.node("Concat", row, entry.name, axis=0), PREPARED if not at else f"{PREPARED}_{at + 1}")
        for at, (row, entry) in enumerate(zip(rows, image_side.entries, strict=True))
    ]


def _branch(graph: Graph, name: str, values: Sequence[str], entries: Sequence[Entry]) -> onnx.GraphProto:
    outputs = {
        graph.name(value, graph.new_name(name)): _pixels("rows", entry)
        for value, entry in zip(values, entries, strict=True)
    }
    return graph.body(name, inputs={}, outputs=outputs)


def _pixels(rows: str, entry: Entry) -> tuple[type, Axes]:
    return np.float32, [rows, *entry.axes]


def _no_rows(entry: Entry) -> np.ndarray:
    return np.zeros((0, *entry.axes), np.float32)
