"""What a Python caller hands over: paths, pictures, arrays, sources, and labels beside them."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from inkling.errors import InputError, UnreadableImageError
from inkling.images.decode import load
from inkling.images.handed_over import records_of
from inkling.types import ImageRecord

RED = Image.new("RGB", (8, 6), "red")
TENSOR = torch.from_numpy(np.asarray(RED).copy())


def encoded(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


PICTURES = [
    RED,
    np.asarray(RED),
    np.asarray(RED.convert("RGBA")),
    np.asarray(RED.convert("L")),
    encoded(RED),
    bytearray(encoded(RED)),
    memoryview(encoded(RED)),
    TENSOR,
    TENSOR.permute(2, 0, 1),
    TENSOR[:, :, :1].permute(2, 0, 1),
    TENSOR[:, :, 0],
]
"""One picture in each form that is read."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("train/ant/1.png", "train/bee/2.png", "test/ant/3.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        RED.save(path)
    return tmp_path


def test_a_source_is_read_as_on_the_command_line(folder: Path) -> None:
    assert [record.label for record in records_of(folder)] == ["ant", "ant", "bee"]
    assert [record.label for record in records_of(str(folder), split="train")] == ["ant", "bee"]


def test_labels_beside_a_source_take_the_place_of_its_own(folder: Path) -> None:
    records = records_of(folder / "train", ["wasp", "fly"])
    assert [(Path(record.path).name, record.label) for record in records] == [("1.png", "wasp"), ("2.png", "fly")]


def test_paths_and_records_stay_as_they_are() -> None:
    record = ImageRecord("c.png", label="bee")
    assert records_of(["a.png", Path("b.png"), record]) == [ImageRecord("a.png"), ImageRecord("b.png"), record]


def test_array_of_paths_will_do() -> None:
    assert [record.path for record in records_of(np.array(["a.png", "b.png"]))] == ["a.png", "b.png"]


@pytest.mark.parametrize("picture", PICTURES)
def test_pictures_in_memory_are_read(picture: Any) -> None:
    (record,) = records_of([picture])
    loaded = load(record)
    assert record.path == "image 0"
    assert loaded.image.mode == "RGB"
    assert loaded.image.size == (8, 6)


def test_an_array_of_pictures_is_several() -> None:
    assert len(records_of(np.zeros((5, 8, 6, 3), dtype=np.uint8))) == 5
    assert len(records_of(np.zeros((5, 8, 6), dtype=np.uint8))) == 5
    assert len(records_of(torch.zeros((5, 3, 8, 6), dtype=torch.uint8))) == 5


def test_channels_of_a_tensor_stand_first_or_last() -> None:
    first, last = (load(record).image for record in records_of([TENSOR.permute(2, 0, 1), TENSOR]))
    assert first.tobytes() == last.tobytes() == RED.tobytes()


def test_bytes_that_are_no_picture_cannot_be_read() -> None:
    (record,) = records_of([b"no picture"])
    with pytest.raises(UnreadableImageError):
        load(record)


@pytest.mark.parametrize("kind", [np.int32, np.uint16, np.int64, np.int8, np.float32])
@pytest.mark.parametrize("shape", [(8, 6), (8, 6, 3)])
def test_values_without_a_stated_range_are_refused(kind: type, shape: tuple[int, ...]) -> None:
    """They used to be stretched: 100..150 became black to white."""
    with pytest.raises(InputError, match="mapping it to 255") as caught:
        records_of([np.full(shape, 100, dtype=kind)])
    assert np.dtype(kind).name in caught.value.message


@pytest.mark.parametrize("picture", PICTURES)
def test_a_single_picture_is_refused_rather_than_cut_into_rows(picture: Any) -> None:
    with pytest.raises(InputError, match="single picture") as caught:
        records_of(picture)
    assert "[picture]" in str(caught.value)


@pytest.mark.parametrize(
    "odd",
    [
        np.zeros((8, 6, 3)),
        np.zeros((8, 6), dtype=np.float32),
        np.zeros(8, dtype=np.uint8),
        np.zeros((2, 8, 6, 3), dtype=np.uint8),
    ],
)
def test_arrays_that_are_no_picture_are_named(odd: Any) -> None:
    with pytest.raises(InputError) as caught:
        records_of([RED, odd])
    assert "Image 1 is an array of shape" in str(caught.value)
    assert str(odd.dtype) in str(caught.value)
    assert "uint8" in (caught.value.remedy or "")


@pytest.mark.parametrize(("odd", "kind"), [(3, "an int"), (None, "a NoneType"), ({"a": 1}, "a dict")])
def test_other_things_are_named(odd: Any, kind: str) -> None:
    with pytest.raises(InputError, match=f"Image 0 is {kind}"):
        records_of([odd])


@pytest.mark.parametrize("odd", [None, 7])
def test_what_cannot_be_gone_through_is_named(odd: Any) -> None:
    with pytest.raises(InputError, match="Images cannot be read from"):
        records_of(odd)


def test_labels_become_text_in_one_spelling() -> None:
    decomposed, composed = "cafe\u0301", "caf\u00e9"
    labels = ["1", np.str_("ant"), f" {decomposed} "]
    assert [record.label for record in records_of([RED] * 3, labels)] == ["1", "ant", composed]
    assert [record.label for record in records_of([RED] * 2, np.array([1, 10]))] == ["1", "10"]


def test_no_label_is_no_class_named_none() -> None:
    labels = [None, float("nan"), np.nan, " "]
    assert [record.label for record in records_of([RED] * 4, labels)] == [None] * 4


def test_labels_may_be_any_iterable() -> None:
    assert [record.label for record in records_of([RED, RED], iter("ab"))] == ["a", "b"]


def test_numbers_must_agree() -> None:
    with pytest.raises(InputError, match="2 images and 1 label"):
        records_of([RED, RED], ["ant"])


@pytest.mark.parametrize(
    "images",
    [
        "https://example.org/a.jpg",
        Path("https://example.org/a.jpg"),
        ["http://example.org/a.jpg"],
        ["a.png", Path("http://example.org/a.jpg")],
        np.array(["a.png", "HTTPS://example.org/a.jpg"]),
    ],
)
def test_an_address_is_refused_with_advice(images: Any) -> None:
    with pytest.raises(InputError, match="from files, not from the network") as caught:
        records_of(images)
    assert "Download it" in (caught.value.remedy or "")


def test_urls_of_stores_are_images_but_not_as_paths() -> None:
    assert [one.path for one in records_of(["memory://bucket/a.jpg"])] == ["memory://bucket/a.jpg"]
    with pytest.raises(InputError, match="lost one of its slashes"):
        records_of([Path("memory://bucket/a.jpg")])


@pytest.mark.parametrize("shape", [(32, 32, 7), (32,), (2, 32, 32, 3)])
def test_an_array_of_another_shape_is_refused_with_the_shapes_there_are(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=re.escape(f"shape {shape}")) as caught:
        records_of([np.zeros(shape, np.uint8)])
    assert "(height, width, 3) RGB" in (caught.value.remedy or "")
    assert "white" not in (caught.value.remedy or "")
