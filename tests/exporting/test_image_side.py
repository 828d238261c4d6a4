"""The image side of an encoder as a graph gives the vectors that the encoder gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from inkling.encoders.registry import load_encoder
from inkling.errors import EncoderError
from inkling.exporting.image_side import image_side
from tests.encoders.folders import pictures
from tests.encoders.onnx.test_encoder import SURROGATE
from tests.exporting.sides import assert_answers_like
from tests.fakes import FakeEncoder


@pytest.mark.parametrize("name", ["sketch", "pocket", "sketch@40", "sketch@40 + pocket", "pocket+sketch"])
def test_encoders_of_the_package(name: str) -> None:
    assert_answers_like(load_encoder(name), pictures(5), atol=1e-6)


@pytest.mark.shared
def test_the_surrogate_on_photographs(shared: Path) -> None:
    files = sorted((shared / "data/coco_crops/few_shot/test").glob("*/*.jpg"))[::60]
    assert_answers_like(load_encoder(SURROGATE), [Image.open(file).convert("RGB") for file in files], atol=1e-6)


def test_each_entry_says_what_it_reads() -> None:
    entries = image_side(load_encoder("sketch + pocket")).entries
    assert [(entry.name, entry.axes) for entry in entries] == [
        ("pixel_values", (3, 48, 48)),
        ("pixel_values_2", (6, 260, 260)),
    ]


def test_code_of_another_package_is_refused() -> None:
    with pytest.raises(EncoderError, match=r"'fake' is code of another package \(FakeEncoder\)") as refusal:
        image_side(FakeEncoder())
    assert "encoder.json" in str(refusal.value.remedy)
