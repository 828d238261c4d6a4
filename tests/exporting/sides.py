"""Image sides that run: vectors of pictures and of prepared pictures, as onnxruntime computes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
from PIL import Image

from inkling.encoders.base import Encoder
from inkling.exporting.graph import Graph
from inkling.exporting.image_side import ImageSide, image_side


def opened(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def of_pictures(side: ImageSide) -> onnx.ModelProto:
    """From one picture to its vectors."""
    graph = Graph()
    graph.name(side.encode(graph, side.prepare(graph, "image")), "X")
    inputs = {"image": (np.uint8, ("height", "width", 3))}
    return graph.model(inputs=inputs, outputs={"X": (np.float32, (None, None))}, defaults={}, description="under test")


def of_prepared(side: ImageSide) -> onnx.ModelProto:
    """From prepared pictures to their vectors."""
    graph = Graph()
    graph.name(side.encode(graph, [entry.name for entry in side.entries]), "X")
    inputs = {entry.name: (np.float32, ("n", *entry.axes)) for entry in side.entries}
    return graph.model(inputs=inputs, outputs={"X": (np.float32, (None, None))}, defaults={}, description="under test")


def prepared(encoder: Encoder, images: Sequence[Image.Image]) -> list[np.ndarray]:
    """Prepared pictures, an array for each entry."""
    made = [encoder.prepare(image) for image in images]
    of_parts = zip(*(one if isinstance(one, tuple) else (one,) for one in made), strict=True)
    return [np.stack(arrays) for arrays in of_parts]


def vectors(encoder: Encoder, images: Sequence[Image.Image]) -> np.ndarray:
    """What Inkling makes of pictures: embeddings, and beside them features."""
    found = encoder.encode_images([encoder.prepare(image) for image in images])
    return found.embeddings if found.features is None else np.hstack([found.embeddings, found.features])


def assert_answers_like(encoder: Encoder, images: Sequence[Image.Image], *, atol: float) -> None:
    """Whether the graph gives the encoder's vectors, of pictures one by one and of prepared ones in a batch."""
    side = image_side(encoder)
    expected = vectors(encoder, images)
    one_by_one = opened(of_pictures(side))
    alone = np.vstack([one_by_one.run(None, {"image": np.asarray(image)})[0] for image in images])
    given = {entry.name: array for entry, array in zip(side.entries, prepared(encoder, images), strict=True)}
    (together,) = opened(of_prepared(side)).run(None, given)
    for found in (alone, together):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=atol)
