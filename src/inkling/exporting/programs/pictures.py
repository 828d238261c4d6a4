"""Reads pictures as Inkling does, so that the model sees the same pixels: upright, 8-bit RGB, large JPEGs scaled down.

Needs numpy and Pillow, and pillow-heif for HEIC.
"""

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops
from PIL.JpegImagePlugin import JpegImageFile

with suppress(ImportError):
    from pillow_heif import register_heif_opener

    register_heif_opener()

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
MOST_PIXELS, MOST_DECODED_PIXELS, MOST_ELONGATED = 250_000_000, 89_000_000, 100
TURNED = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""Pillow's transposition for each orientation that EXIF knows."""

Image.MAX_IMAGE_PIXELS = None  # the limits above hold, as they do in Inkling


def shorter_side() -> int:
    """Pixels that the model resizes the shorter side to."""
    manifest = json.loads((Path(__file__).resolve().parent / "manifest.json").read_text(encoding="utf-8"))
    return int(manifest["preprocessing"]["shorter_side"])


def read_picture(path: str) -> np.ndarray:
    """The picture in a file, uint8 of shape (height, width, 3)."""
    if Path(path).is_dir():
        raise ValueError("it is a folder; name the pictures in it")
    with Image.open(path, formats=FORMATS) as image:
        width, height = image.size
        if width * height > MOST_PIXELS or max(width, height) > MOST_ELONGATED * min(width, height):
            raise ValueError(f"{width} x {height} pixels is too large or too elongated")
        if isinstance(image, JpegImageFile):
            image.draft(None, draft_size(width, height, 2 * shorter_side()))
        if image.width * image.height > MOST_DECODED_PIXELS:
            raise ValueError(f"{width} x {height} pixels is too large")
        image.load()
        turn = TURNED.get(orientation(image))
        rgb = to_rgb(image)
    return np.array(rgb if turn is None else rgb.transpose(turn))


def draft_size(width: int, height: int, least: int) -> tuple[int, int]:
    """Size that a JPEG is decoded at: an eighth, a quarter or half where that divides both sides and stays large."""
    scales = (s for s in (8, 4, 2) if all(side % s == 0 and side // s >= least for side in (width, height)))
    scale = next(scales, 1)
    return width // scale, height // scale


def orientation(image: Image.Image) -> int:
    """How the picture is to be turned, by its EXIF data. A HEIC is turned by its reader."""
    try:
        if image.format == "HEIF":
            return 1
        exif = Image.Exif() if image.format == "AVIF" else image.getexif()
        if image.format == "AVIF":
            exif.load(image.info.get("exif", b""))
        return int(exif.get(0x0112, 1))
    except Exception:  # damaged EXIF is no reason to lose a picture
        return 1


def to_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB of any mode, transparent parts on white; numbers without a customary range are stretched."""
    if image.mode.startswith("I;16"):
        return Image.fromarray(from_16_bit(image)).convert("RGB")
    if image.mode in ("I", "F"):
        return Image.fromarray(stretched(np.asarray(image, dtype=np.float64))).convert("RGB")
    if image.mode == "CMYK":  # Pillow takes every such JPEG for one of Adobe's, which are inverted
        plain = isinstance(image, JpegImageFile) and "adobe" not in image.info
        return (ImageChops.invert(image) if plain else image).convert("RGB")
    if image.has_transparency_data:
        rgba, canvas = image.convert("RGBA"), Image.new("RGB", image.size, "white")
        canvas.paste(rgba, mask=rgba)
        return canvas
    return image.convert("RGB")


def from_16_bit(image: Image.Image) -> np.ndarray:
    """Grey levels of 16-bit values, or of the fewer bits that a TIFF tells of, from their full range."""
    tags = getattr(image, "tag_v2", {})
    full = (1 << tags.get(258, (16,))[0]) - 1
    values = np.minimum(np.asarray(image), full).astype(np.uint32)
    levels = ((values * 255 + full // 2) // full).astype(np.uint8)
    return 255 - levels if tags.get(262) == 0 else levels  # a TIFF may have white as zero


def stretched(values: np.ndarray) -> np.ndarray:
    """Grey levels of numbers, from the darkest to the brightest finite one."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise ValueError("none of its values is a finite number")
    low, high = finite.min(), finite.max()
    if low == high:
        return np.zeros(values.shape, np.uint8)
    unit = np.nan_to_num((values - low) / (high - low), nan=0.0, posinf=1.0, neginf=0.0)
    return np.rint(unit * 255).astype(np.uint8)
