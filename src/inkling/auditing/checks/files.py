"""Pictures with nothing in them, too dark or too bright: by thumbnails alone."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import numpy as np
from PIL import Image

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.types import FloatArray

ONE_COLOUR = 3.0
"""Standard deviation of all colour channels, of 255, below which a picture has nothing in it."""
DARK, BRIGHT = 30.0, 225.0
"""Brightness, of 255, that 99 % of the pixels stay below or above in a picture that shows hardly anything."""
EXTREME_ASPECT = 5.0
"""Longer over shorter side from which the square crops that encoders read show little of a picture."""


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each image."""
    samples = subject.samples
    for path, label, jpeg in zip(samples.paths, samples.labels, samples.thumbnails, strict=True):
        if jpeg is not None and (seen := _seen(jpeg)) is not None:
            kind, told, score, suggestion = seen
            yield Finding(kind, (path,), told, score, suggestion, (str(label),))


def _seen(jpeg: bytes) -> tuple[str, str, float, str] | None:
    """Kind, evidence, score and suggestion; None for a sound picture, and for a thumbnail that can't be read."""
    try:
        with Image.open(BytesIO(jpeg)) as picture:
            pixels = np.asarray(picture.convert("RGB"), dtype=np.float64)
    except (OSError, ValueError):
        return None
    spread = float(pixels.std(axis=(0, 1)).max())
    if spread < ONE_COLOUR:
        told = f"Its colours differ by {spread:.1f} of 255 (standard deviation)."
        return "uniform", told, 1.0 - spread / ONE_COLOUR, "It shows nothing: leave it out."
    return _exposure(pixels.mean(axis=2)) or _shape(pixels.shape[1], pixels.shape[0])


def _exposure(grey: FloatArray) -> tuple[str, str, float, str] | None:
    low, high = np.quantile(grey, [0.01, 0.99]).tolist()
    if high < DARK:
        told = f"99 % of its pixels are darker than {high:.0f} of 255."
        return "dark", told, 1.0 - high / DARK, "Is anything to be seen? Else leave it out."
    if low > BRIGHT:
        told = f"99 % of its pixels are brighter than {low:.0f} of 255."
        return "bright", told, (low - BRIGHT) / (255.0 - BRIGHT), "Is anything to be seen? Else leave it out."
    return None


def _shape(width: int, height: int) -> tuple[str, str, float, str] | None:
    ratio = max(width, height) / min(width, height)
    if ratio < EXTREME_ASPECT:
        return None
    told = f"Its longer side is {ratio:.1f} times its shorter one."
    return "extreme_aspect", told, 1.0 - EXTREME_ASPECT / (2.0 * ratio), "Crop it to what it shows."


CHECK = Check("files", find)
