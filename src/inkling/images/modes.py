"""Every pixel mode that Pillow opens, to 8-bit RGB."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops

_BITS_PER_SAMPLE = 258
_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0


def to_rgb(image: Image.Image) -> Image.Image:
    """A loaded picture as 8-bit RGB; transparent parts lie on white.

    16-bit values (12-bit in some TIFF) map from their full range, black to white, so that two pictures of one
    camera keep their relative brightness. 32-bit integers and floats have no customary range: theirs is
    stretched from the darkest to the brightest finite value.
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
    values = np.minimum(np.asarray(image), full).astype(np.uint32)
    grey = ((values * 255 + full // 2) // full).astype(np.uint8)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        grey = 255 - grey
    return Image.fromarray(grey).convert("RGB")


def _stretched(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float64)
    finite = np.isfinite(values)
    low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 0.0)
    if high == low:
        return Image.new("RGB", image.size)
    unit = np.nan_to_num((values - low) / (high - low), nan=0.0, posinf=1.0, neginf=0.0)
    return Image.fromarray(np.rint(unit * 255).astype(np.uint8)).convert("RGB")


def _from_cmyk(image: Image.Image) -> Image.Image:
    # Pillow reads every CMYK JPEG as Adobe stores it, inverted; files without Adobe's marker are not.
    if getattr(image, "format", None) == "JPEG" and "adobe" not in image.info:
        image = ImageChops.invert(image)
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(rgba, mask=rgba)
    return canvas
