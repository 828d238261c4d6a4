"""How bright, contrasted, colourful and sharp pictures are, by their thumbnails."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inkling.images.thumbnails import decoded
from inkling.types import FloatArray

MEASURES = ("brightness", "contrast", "saturation", "sharpness")


def appearance_of(thumbnails: Sequence[bytes | None]) -> FloatArray:
    """Brightness, contrast, saturation and sharpness of thumbnails, (n, 4).

    Brightness and contrast are mean and deviation of the grey pixels, saturation is the mean, all of 255; sharpness is
    the deviation of the Laplacian in multiples of the contrast. NaN for a picture that is missing or cannot be read, or
    is smaller than three pixels.

    Examples
    --------
    >>> appearance_of([None]).shape
    (1, 4)
    """
    return np.array([_measured(jpeg) for jpeg in thumbnails]).reshape(-1, len(MEASURES))


def _measured(jpeg: bytes | None) -> list[float]:
    picture = decoded(jpeg, "RGB")
    if picture is None or min(picture.size) < 3:
        return [np.nan] * len(MEASURES)
    grey = np.asarray(picture.convert("L"), dtype=np.float32)
    saturation = np.asarray(picture.convert("HSV").getchannel("S"), dtype=np.float32)
    inside = grey[1:-1, 1:-1]
    laplacian = 4.0 * inside - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    contrast = float(grey.std())
    return [float(grey.mean()), contrast, float(saturation.mean()), float(laplacian.std()) / max(contrast, 1.0)]
