"""Bit for bit what the image processors of `transformers` do on their Pillow back end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.chinese_clip.image_processing_pil_chinese_clip import ChineseCLIPImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import (
    Siglip2ImageProcessorPil,
    get_image_size_for_max_num_patches,
)
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from inkling.encoders.preprocessing import from_processor_config
from inkling.errors import EncoderError

PROCESSORS: dict[str, Any] = {
    "clip": CLIPImageProcessorPil(),
    "siglip": SiglipImageProcessorPil(),
    "odd crop, padded": CLIPImageProcessorPil(size=30, crop_size=47),
    "even crop, padded": CLIPImageProcessorPil(size=30, crop_size=48),
    "crop of another shape": CLIPImageProcessorPil(size=30, crop_size={"height": 31, "width": 20}),
    "bilinear": CLIPImageProcessorPil(size=40, crop_size=40, resample=2),
    "not normalised": CLIPImageProcessorPil(size=40, crop_size=40, do_normalize=False),
    "not rescaled": CLIPImageProcessorPil(size=40, crop_size=40, do_rescale=False),
    "not resized": CLIPImageProcessorPil(do_resize=False, crop_size=40),
    "vit": ViTImageProcessorPil(size={"height": 30, "width": 40}),
    "chinese-clip": ChineseCLIPImageProcessorPil(size=30, crop_size=24),
    "bit": BitImageProcessorPil(size={"shortest_edge": 32}, crop_size=28),
    "not cropped": SiglipImageProcessorPil(size={"height": 20, "width": 50}),
}


@pytest.mark.parametrize("name", PROCESSORS)
@settings(max_examples=25, deadline=None)
@given(height=st.integers(1, 300), width=st.integers(1, 300), seed=st.integers(0, 2**32 - 1))
def test_equal_to_the_reference_bit_for_bit(name: str, height: int, width: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, size=(height, width, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    processor = PROCESSORS[name]
    expected = processor(images=image, return_tensors="np")["pixel_values"][0]
    found = from_processor_config(processor.to_dict())(image)
    assert found.dtype == expected.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("patch", "most"), [(16, 256), (14, 100), (8, 7)])
@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 3000), width=st.integers(1, 3000))
def test_the_size_of_pictures_of_any_shape_is_that_of_the_reference(
    patch: int, most: int, height: int, width: int
) -> None:
    found = from_processor_config(Siglip2ImageProcessorPil(patch_size=patch, max_num_patches=most).to_dict())
    assert found._resized_size(height, width) == get_image_size_for_max_num_patches(height, width, patch, most)


@settings(max_examples=25, deadline=None)
@given(height=st.integers(1, 300), width=st.integers(1, 300))
def test_patches_of_pictures_of_any_shape_hold_the_pixels_of_the_reference(height: int, width: int) -> None:
    image = Image.fromarray(np.random.default_rng(height).integers(0, 256, size=(height, width, 3), dtype=np.uint8))
    processor = Siglip2ImageProcessorPil(patch_size=8, max_num_patches=30)
    reference = processor(images=image, return_tensors="np")
    rows, columns = reference["spatial_shapes"][0]
    found = from_processor_config(processor.to_dict())(image)
    assert found.shape == (3, 8 * rows, 8 * columns)
    patches = found.reshape(3, rows, 8, columns, 8).transpose(1, 3, 2, 4, 0).reshape(rows * columns, -1)
    np.testing.assert_array_equal(patches, reference["pixel_values"][0][: rows * columns])


def test_configurations_of_older_releases() -> None:
    old = from_processor_config(
        {"feature_extractor_type": "CLIPFeatureExtractor", "size": 224, "crop_size": 224, "do_center_crop": True}
    )
    assert old == from_processor_config(CLIPImageProcessorPil().to_dict())
    chinese = {"feature_extractor_type": "ChineseCLIPFeatureExtractor", "crop_size": 224, "do_center_crop": False}
    found = from_processor_config({**chinese, "size": {"height": 224, "width": 224}})
    assert (found.resized, found.crop) == ((224, 224), None)
    assert from_processor_config({"feature_extractor_type": "ViTFeatureExtractor", "size": 224}).resized == (224, 224)
    fast = from_processor_config({"image_processor_type": "SiglipImageProcessorFast"})
    assert fast == from_processor_config(SiglipImageProcessorPil().to_dict())


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"image_processor_type": "BlipImageProcessor"}, "BlipImageProcessor isn't known"),
        ({"do_pad": True}, "pads pictures"),
        ({"size": {"longest_edge": 300}}, "expected shortest_edge"),
    ],
)
def test_other_processors_are_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(EncoderError, match=message):
        from_processor_config(config)


def test_arrays_of_varying_shape_are_refused() -> None:
    preprocessing = from_processor_config({"do_center_crop": False})
    with pytest.raises(EncoderError, match="neither crops nor resizes"):
        _ = preprocessing.output


def test_the_shorter_side_is_that_after_resizing() -> None:
    sizes = [{"size": {"shortest_edge": 256}}, {"size": {"height": 100, "width": 90}}, {"do_resize": False}]
    assert [from_processor_config(size).shorter_side for size in sizes] == [256, 90, 224]
