"""Models of images alone: the library's own are the reference."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    AutoImageProcessor,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    PreTrainedModel,
    ViTConfig,
    ViTForImageClassification,
    ViTModel,
)
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import EncoderError
from tests.encoders.folders import make_lively, pictures, reload

SIZES = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 32, "patch_size": 8}
OTHERS = {
    "DINOv2 with registers": lambda: Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**SIZES)),
    "ViT": lambda: ViTModel(ViTConfig(**SIZES, intermediate_size=96)),
    "classifier by ViT": lambda: ViTForImageClassification(ViTConfig(**SIZES, intermediate_size=96)),
}


def write_other(folder: Path, family: str) -> PreTrainedModel:
    """A tiny model of another family of images alone, with its image processor."""
    torch.manual_seed(0)
    model = OTHERS[family]()
    make_lively(model)
    model.save_pretrained(folder)
    sizes = {"size": {"shortest_edge": 38}, "crop_size": 32}
    processor = ViTImageProcessorPil(size=32) if "ViT" in family else BitImageProcessorPil(**sizes)
    processor.save_pretrained(folder)
    return model.eval()


@pytest.mark.parametrize("family", OTHERS)
def test_vectors_of_other_families_are_the_class_tokens_of_the_library(family: str, tmp_path: Path) -> None:
    model, images = write_other(tmp_path, family), pictures(9)
    pixels = AutoImageProcessor.from_pretrained(tmp_path)(images=images, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        tokens = getattr(model, "vit", model)(pixel_values=pixels).last_hidden_state[:, 0].numpy()
    expected = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
    encoder = TransformersEncoder(tmp_path, precision="float32")
    found = encoder.encode_images([encoder.prepare(image) for image in images]).embeddings
    assert np.ptp(expected @ expected.T) > 0.01  # otherwise the comparison would show nothing
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert not encoder.has_texts


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
