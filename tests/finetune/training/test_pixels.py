"""Kept images are those that the encoder prepares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.finetune.training.pixels import Pixels
from tests.encoders.folders import pictures


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_they_are_bit_for_bit_what_the_encoder_prepares(family: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(family)
    encoder, preprocessing = TransformersEncoder(folder), ModelFolder(folder).preprocessing
    images = pictures(5)
    kept = Pixels.of([preprocessing.levels(image) for image in images], preprocessing)
    rows = np.array([4, 0, 2])
    expected = np.stack([encoder.prepare(images[row]) for row in rows])
    np.testing.assert_array_equal(kept.prepared(rows, torch.device("cpu")).numpy(), expected)
    assert kept.levels.dtype == torch.uint8


def test_augmented_images_are_normalised_alike(clip: Path) -> None:
    preprocessing = ModelFolder(clip).preprocessing
    kept = Pixels.of([preprocessing.levels(image) for image in pictures(3)], preprocessing)
    rows, cpu = np.arange(3), torch.device("cpu")
    torch.testing.assert_close(kept.normalised(kept.unit(rows, cpu)), kept.prepared(rows, cpu), rtol=0, atol=1e-6)


def test_the_digest_tells_images_apart(clip: Path) -> None:
    preprocessing = ModelFolder(clip).preprocessing
    kept = Pixels.of([preprocessing.levels(image) for image in pictures(3)], preprocessing)
    assert kept.digest() == kept.only(np.arange(3)).digest()
    assert kept.digest() != kept.only(np.array([0, 2, 1])).digest()
    assert len(kept.only(np.array([1]))) == 1
