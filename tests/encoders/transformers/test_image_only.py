"""Models of images alone: the library's own are the reference."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoImageProcessor

from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import EncoderError
from tests.encoders.folders import pictures, reload


def class_tokens(folder: Path, images: list) -> np.ndarray:
    """Unit class tokens of the library itself, by its own image processor."""
    pixels = AutoImageProcessor.from_pretrained(folder)(images=images, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        tokens = reload(folder)(pixel_values=pixels).last_hidden_state[:, 0].numpy()
    return tokens / np.linalg.norm(tokens, axis=1, keepdims=True)


@pytest.mark.parametrize("family", ["dinov2"])
def test_vectors_are_the_class_tokens_of_the_library(family: str, request: pytest.FixtureRequest) -> None:
    folder, images = request.getfixturevalue(f"{family}_folder"), pictures(9)
    expected = class_tokens(folder, images)
    encoder = TransformersEncoder(folder, precision="float32")
    found = encoder.encode_images([encoder.prepare(image) for image in images]).embeddings
    assert np.ptp(expected @ expected.T) > 0.01  # otherwise the comparison would show nothing
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert encoder.identity.dimension == found.shape[1]


def test_there_are_no_texts(dinov2_folder: Path) -> None:
    encoder = TransformersEncoder(dinov2_folder)
    assert not encoder.has_texts
    assert encoder.missing_texts(["a cat", "a dog"]) == ["a cat", "a dog"]
    with pytest.raises(EncoderError, match=r"is a DINOv2, which has no text tower[\s\S]*Fit on images alone"):
        encoder.encode_texts(["a cat"])


def test_the_logit_scale_is_a_fixed_one(dinov2_folder: Path) -> None:
    assert TransformersEncoder(dinov2_folder).identity.logit_scale == pytest.approx(1 / 0.07)


def test_pictures_need_not_be_square(dinov2_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(dinov2_folder, tmp_path / "wide")
    config = json.loads((folder / "preprocessor_config.json").read_text())
    changed = config | {"crop_size": {"height": 24, "width": 37}}
    (folder / "preprocessor_config.json").write_text(json.dumps(changed))
    images = pictures(5)
    encoder = TransformersEncoder(folder, precision="float32")
    found = encoder.encode_images([encoder.prepare(image) for image in images]).embeddings
    np.testing.assert_allclose(found, class_tokens(folder, images), atol=1e-4)
