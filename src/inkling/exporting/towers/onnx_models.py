"""Towers of encoders that are ONNX models themselves: folders and repositories, and those of the package."""

from __future__ import annotations

from pathlib import Path

import onnx

from inkling.encoders.embedded import pocket, sketch
from inkling.encoders.embedded.pocket import PocketEncoder
from inkling.encoders.embedded.sketch import SketchEncoder
from inkling.encoders.onnx.encoder import OnnxEncoder
from inkling.exporting.towers.onnx_files import cut_to, fixed_rows, read_model
from inkling.exporting.towers.tower import Tower

SKETCH_WEIGHTS = "model.safetensors"


def of_onnx(encoder: OnnxEncoder) -> Tower:
    """The image tower of a folder with an `encoder.json`, or of a repository of ONNX files."""
    described = encoder.description
    outputs = [described.embeddings, *([described.features] if described.features else [])]
    whole = read_model(described.model, described.external)
    model = cut_to(whole, [described.input], outputs, given=encoder.other_inputs, where=str(described.model))
    return Tower(
        views=(described.preprocessing,),
        model=model,
        pixels=described.input,
        embeddings=described.embeddings,
        features=described.features,
        rows_at_once=1 if described.alone else fixed_rows(model, described.input),
    )


def of_pocket(_: PocketEncoder) -> Tower:
    """Both networks of the embedded encoder for photographs, each with its view."""
    file = pocket.folder() / pocket.IMAGE_TOWER
    return Tower(
        views=tuple(pocket.VIEWS.values()),
        model=_of_package(file, pocket.WEIGHTS),
        pixels=pocket.PIXELS,
        embeddings=pocket.IMAGE_VECTORS,
        features=pocket.FEATURES,
    )


def of_sketch(encoder: SketchEncoder) -> Tower:
    """The embedded encoder for drawn pictures, in its ONNX form."""
    return Tower(
        views=(encoder.folder.preprocessing,),
        model=_of_package(encoder.folder.path / sketch.IMAGE_TOWER, SKETCH_WEIGHTS),
        pixels=sketch.PIXELS,
        embeddings=sketch.IMAGE_VECTORS,
    )


def _of_package(file: Path, weights: str) -> onnx.ModelProto:
    """A tower that keeps its weights in the file from which other libraries read them."""
    return read_model(file, [file.with_name(weights)])
