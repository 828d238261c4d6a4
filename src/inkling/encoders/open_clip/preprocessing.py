"""Preprocessing as OpenCLIP describes it (``preprocess_cfg``): keys ``size``, ``mean``, ``std``, ``interpolation``,
``resize_mode`` and ``fill_color``.

Sizes and crops are rounded as OpenCLIP does, which differs from `transformers` by a pixel where the margin is odd.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inkling.encoders.preprocessing import BICUBIC, BILINEAR, Preprocessing, Size, checked
from inkling.errors import EncoderError
from inkling.wording import excerpt, quoted

SHORTEST, LONGEST, SQUASH = "shortest", "longest", "squash"
"""What is made the size of the input: the shorter side, and the centre is cropped; the longer side, and the rest is
filled; or both."""

_FILTERS = {"bicubic": BICUBIC, "bilinear": BILINEAR, "random": BICUBIC}
"""``random`` concerns training alone."""

_DEFAULTS: Mapping[str, Any] = {
    "size": 224,
    "mean": (0.48145466, 0.4578275, 0.40821073),
    "std": (0.26862954, 0.26130258, 0.27577711),
    "interpolation": "bicubic",
    "resize_mode": SHORTEST,
    "fill_color": 0,
}


@dataclass(frozen=True)
class OpenClipPreprocessing(Preprocessing):
    """Resizing by the shorter or the longer side, then cutting or filling to `crop`.

    Attributes
    ----------
    fits_longer
        Whether the longer side is resized to the input's, so that nothing is cut.
    fill
        Value of the margins.
    """

    fits_longer: bool = False
    fill: int = 0

    def levels(self, image: Image.Image) -> NDArray[np.uint8]:
        """An RGB picture resized and cut or filled, (height, width, 3)."""
        crop = self.output
        height, width = self._fitting(image.height, image.width, crop)
        if (height, width) != (image.height, image.width):
            image = image.resize((width, height), resample=Image.Resampling(self.resample))
        pixels = np.asarray(image)
        if not self.fits_longer:
            top, left = round((height - crop[0]) / 2), round((width - crop[1]) / 2)
            return pixels[top : top + crop[0], left : left + crop[1]]
        out = np.full((*crop, 3), self.fill, dtype=np.uint8)
        top, left = (crop[0] - height) // 2, (crop[1] - width) // 2
        out[top : top + height, left : left + width] = pixels
        return out

    def _fitting(self, height: int, width: int, crop: Size) -> Size:
        if not self.fits_longer:
            return self._resized_size(height, width)
        ratio = max(height / crop[0], width / crop[1])
        return max(1, round(height / ratio)), max(1, round(width / ratio))


def is_open_clip(config: Mapping[str, Any]) -> bool:
    """Whether the configuration of an image processor is of OpenCLIP's kind."""
    return "image_mean" not in config and "mean" in config


def from_open_clip_config(config: Mapping[str, Any], *, size: object = None) -> Preprocessing:
    """Read a ``preprocess_cfg``.

    Parameters
    ----------
    config
        Its content; what it leaves out is as OpenCLIP has it.
    size
        Size of the image tower's input, for configurations that leave it to the model.

    Raises
    ------
    EncoderError
        If it asks for what OpenCLIP doesn't know.
    """
    given = {key: value for key, value in config.items() if key in _DEFAULTS and value is not None}
    settings = {**_DEFAULTS, **({} if size is None else {"size": size}), **given}
    mode, interpolation = settings["resize_mode"], settings["interpolation"]
    _choice("resize_mode", mode, (SHORTEST, LONGEST, SQUASH))
    _choice("interpolation", interpolation, tuple(_FILTERS))
    height, width = _size(settings["size"])
    if mode == SHORTEST and height != width:
        raise EncoderError(
            f"The preprocessing cuts {height} x {width} pixels out of pictures; known are squares.",
            remedy="A model of another shape works with the resize_mode squash or longest, if it was trained so.",
        )
    common: dict[str, Any] = {
        "mean": _three(settings["mean"]),
        "std": _three(settings["std"]),
        "resample": _FILTERS[interpolation],
    }
    if mode == SQUASH:
        return checked(Preprocessing(None, (height, width), None, **common))
    fits, fill = mode == LONGEST, settings["fill_color"]
    if not isinstance(fill, int) or not 0 <= fill <= 255:
        raise ValueError("fill_color must be a number from 0 to 255")
    shorter = min(height, width)
    return checked(OpenClipPreprocessing(shorter, None, (height, width), **common, fits_longer=fits, fill=fill))


def _choice(key: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise EncoderError(f"The preprocessing has the {key} {quoted(value)}; known are {', '.join(known)}.")


def _size(size: object) -> Size:
    if isinstance(size, Sequence) and not isinstance(size, str):
        numbers = [int(each) for each in size]
        if len(numbers) in (1, 2):
            return numbers[0], numbers[-1]
    elif isinstance(size, int):
        return size, size
    raise EncoderError(f"The preprocessing has the size {excerpt(size)}; expected a number, or two.")


def _three(values: float | Sequence[float]) -> tuple[float, ...]:
    return (float(values),) * 3 if isinstance(values, int | float) else tuple(float(value) for value in values)
