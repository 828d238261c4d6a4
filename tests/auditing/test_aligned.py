"""Copies lie over each other in every place and in colour; other pictures of one thing don't."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from inkling.auditing.aligned import same_picture
from inkling.auditing.same_picture import Overlays, best_start
from inkling.images.decode import thumbnail

SIZE = (320, 240)


def busy(seed: int, patches: tuple[int, int] = (40, 30)) -> Image.Image:
    """Patches, each of a colour of its own."""
    small = np.random.default_rng(seed).integers(0, 256, (*patches[::-1], 3), dtype=np.uint8)
    return Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC)


def thing(colour: str = "navy", *, engine: str = "grey") -> Image.Image:
    """A thing on a white ground, as in a catalogue."""
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((40, 120, 130, 210), outline="black", width=14)
    draw.ellipse((190, 120, 280, 210), outline="black", width=14)
    draw.polygon([(80, 110), (150, 60), (240, 110), (160, 160)], fill=colour)
    draw.rectangle((140, 160, 180, 200), fill=engine)
    return picture


def encoded(picture: Image.Image, quality: int = 90) -> Image.Image:
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def same(one: Image.Image, other: Image.Image) -> bool:
    both = Overlays([thumbnail(one), thumbnail(other)])
    start = best_start(both.crops(0), both.crops(1))
    return same_picture(both.pixels(0), both.pixels(1), start) is not None


@pytest.mark.parametrize("left", [0.0, 0.0125, 0.0375, 0.05])
@pytest.mark.parametrize("top", [0.0, 0.0125, 0.05])
def test_a_busy_picture_cropped_anywhere(left: float, top: float) -> None:
    """However fine its patches are: a crop lies between those that are tried at first."""
    whole, (w, h) = busy(1), SIZE
    crop = whole.crop((round(w * left), round(h * top), round(w * (left + 0.95)), round(h * (top + 0.95))))
    assert same(whole, encoded(crop))
    assert same(encoded(crop), whole)
    assert not same(busy(2), encoded(crop))


def test_what_is_done_to_a_copy() -> None:
    whole = thing()
    recoloured = ImageEnhance.Brightness(ImageEnhance.Color(whole).enhance(0.8)).enhance(1.1)
    for copy in (encoded(whole, 40), whole.resize((224, 168)), ImageOps.mirror(whole), recoloured):
        assert same(whole, copy)
    assert same(whole.convert("L").convert("RGB"), encoded(whole.convert("L").convert("RGB"), 40))


def test_another_engine_is_another_picture() -> None:
    assert not same(thing(engine="grey"), thing(engine="white"))


def test_another_colour_is_another_picture() -> None:
    """Of the same brightness, so that nothing but the colour tells."""
    red, blue = "#b03030", "#3050c0"
    assert not same(thing(red), thing(blue))


def test_plain_pictures_are_not_copies() -> None:
    assert not same(Image.new("RGB", SIZE, "white"), Image.new("RGB", SIZE, "white"))
