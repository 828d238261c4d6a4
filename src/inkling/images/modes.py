"""Every pixel mode that Pillow opens, to 8-bit RGB.

What passes through numpy or needs an intermediate picture goes band by band, so that a conversion never holds more than
the picture, its RGB form and a few megabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from inkling.errors import UnreadableImageError

BAND_PIXELS = 1 << 20

_BITS_PER_SAMPLE = 258
_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0


def to_rgb(image: Image.Image) -> Image.Image:
    """A loaded picture as 8-bit RGB; transparent parts lie on white.

    16-bit values (12-bit in some TIFF) map from their full range, black to white, so that two pictures of one
    camera keep their relative brightness. 32-bit integers and floats have no customary range: theirs is
    stretched from the darkest to the brightest finite value.

    Raises
    ------
    UnreadableImageError
        If no value of the picture is a finite number.
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16"):
        return _from_16_bit(image)
    if image.mode in ("I", "F"):
        return _stretched(image)
    if image.mode == "CMYK":
        return _from_cmyk(image)
    if image.has_transparency_data:
        return _on_white(image)
    return image.convert("RGB")


def _from_16_bit(image: Image.Image) -> Image.Image:
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
    full = (1 << bits) - 1
    inverted = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO

    def grey(band: Image.Image) -> Image.Image:
        values = np.minimum(np.asarray(band), full).astype(np.uint32)
        levels = ((values * 255 + full // 2) // full).astype(np.uint8)
        return Image.fromarray(255 - levels if inverted else levels)

    return _by_bands(image, grey)


def _stretched(image: Image.Image) -> Image.Image:
    low, high = _finite_range(image)

    def grey(band: Image.Image) -> Image.Image:
        if high == low:
            return Image.new("L", band.size)
        unit = np.nan_to_num((_values(band) - low) / (high - low), nan=0.0, posinf=1.0, neginf=0.0)
        return Image.fromarray(np.rint(unit * 255).astype(np.uint8))

    return _by_bands(image, grey)


def _finite_range(image: Image.Image) -> tuple[float, float]:
    low, high = np.inf, -np.inf
    for _, band in _bands(image):
        values = _values(band)
        finite = values[np.isfinite(values)]
        if finite.size:
            low, high = min(low, finite.min()), max(high, finite.max())
    if low > high:
        raise UnreadableImageError("none of its values is a finite number")
    return float(low), float(high)


def _values(band: Image.Image) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # there are forms of NaN that warn when they are cast
        return np.asarray(band, dtype=np.float64)


def _from_cmyk(image: Image.Image) -> Image.Image:
    # Pillow reads every CMYK JPEG as Adobe stores it, inverted; files without Adobe's marker are not.
    if getattr(image, "format", None) == "JPEG" and "adobe" not in image.info:
        return _by_bands(image, lambda band: ImageChops.invert(band).convert("RGB"))
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", image.size, "white")
    for place, band in _bands(image):
        rgba = band.convert("RGBA")
        canvas.paste(rgba, place, mask=rgba)
    return canvas


def _by_bands(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    canvas = Image.new("RGB", image.size)
    for place, band in _bands(image):
        canvas.paste(convert(band), place)
    return canvas


def _bands(image: Image.Image) -> Iterator[tuple[tuple[int, int, int, int], Image.Image]]:
    """Horizontal parts of the picture from top to bottom, each with its place."""
    width, height = image.size
    rows = max(1, BAND_PIXELS // max(1, width))
    for top in range(0, height, rows):
        place = (0, top, width, min(height, top + rows))
        yield place, image.crop(place)
