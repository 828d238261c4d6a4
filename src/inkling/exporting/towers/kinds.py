"""Kinds of encoders as a table: how each gives its image tower."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inkling.encoders.base import Encoder
from inkling.encoders.embedded.pocket import PocketEncoder
from inkling.encoders.embedded.sketch import SketchEncoder
from inkling.encoders.onnx.encoder import OnnxEncoder
from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import EncoderError
from inkling.exporting.towers.onnx_models import of_onnx, of_pocket, of_sketch
from inkling.exporting.towers.tower import Tower
from inkling.exporting.towers.transformers import of_transformers

KINDS: tuple[tuple[type[Any], Callable[[Any], Tower]], ...] = (
    (OnnxEncoder, of_onnx),
    (PocketEncoder, of_pocket),
    (SketchEncoder, of_sketch),
    (TransformersEncoder, of_transformers),
)
"""The first that an encoder is of is taken."""


def tower_of(encoder: Encoder) -> Tower:
    """The image tower of an encoder that isn't composed.

    Raises
    ------
    EncoderError
        If the encoder is of a kind of which no graph can be made, or its files can't be read.
    """
    for kind, tower in KINDS:
        if isinstance(encoder, kind):
            return tower(encoder)
    raise EncoderError(
        f"The encoder '{encoder.identity.name}' is code of another package ({type(encoder).__name__}), and only a "
        "model can be written into a graph.",
        remedy="Export its image tower as an ONNX model, describe it by an encoder.json (docs/how-to/encoders.md), and "
        "fit with that folder as the encoder.",
    )
