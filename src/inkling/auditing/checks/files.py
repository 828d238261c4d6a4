"""Pictures with nothing in them, too dark or bright, framed, blurred, or grey among coloured ones: by thumbnails."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.images.frame import frame_of
from inkling.images.thumbnails import decoded
from inkling.types import FloatArray

ONE_COLOUR = 3.0
"""Standard deviation of all colour channels, of 255, below which a picture has nothing in it."""
DARK, BRIGHT = 30.0, 225.0
"""Brightness, of 255, that 99 % of the pixels stay below or above in a picture that shows hardly anything."""
EXTREME_ASPECT = 5.0
"""Longer over shorter side from which the square crops that encoders read show little of a picture."""
BLURRED, LEAST_TO_BE_SHARP = 0.5, 20
"""Laplacian of the sharpest hundredth of a picture, in standard deviations of its grey pixels, below which nothing is
sharp in it; and pixels of a side from which on that says something. Chosen on Caltech-101, clothing and crops of
vehicles, as they are and after a Gaussian blur of radius 4 % of the longer side: docs/decisions/audit.md."""
GREY = 8.0
"""Difference of a pixel's colour channels, of 255, that 99 % of the pixels of a grey picture have at most."""
ODD, LEAST_TO_BE_ODD = 0.05, 20
"""Share of grey pictures up to which one is odd, and pictures from which on that says something."""


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each image, and then the grey ones where most have colours."""
    samples, grey, n_seen = subject.samples, list[int](), 0
    for row, (path, label, jpeg) in enumerate(zip(samples.paths, samples.labels, samples.thumbnails, strict=True)):
        if (picture := decoded(jpeg, "RGB")) is None:
            continue
        n_seen, pixels = n_seen + 1, np.asarray(picture, dtype=np.float64)
        if (seen := _seen(pixels)) is not None:
            kind, told, score, suggestion = seen
            yield Finding(kind, (path,), told, score, suggestion, (str(label),))
        elif np.quantile(_colourfulness(pixels), 0.99) <= GREY:
            grey.append(row)
    if n_seen >= LEAST_TO_BE_ODD and len(grey) <= ODD * n_seen:
        share = len(grey) / n_seen
        for row in grey:
            told = f"It is grey, as are {share:.1%} of the images."
            suggestion = "Are those that it will be used on grey, too? Else leave it out."
            yield Finding(
                "colour_mode", (samples.paths[row],), told, 1.0 - share, suggestion, (str(samples.labels[row]),)
            )


def _colourfulness(pixels: FloatArray) -> FloatArray:
    """Difference of each pixel's colour channels, (height, width). Along an axis of 3 it takes seven times as long."""
    red, green, blue = np.moveaxis(pixels, 2, 0)
    most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    return np.asarray(most - least)


def _seen(pixels: FloatArray) -> tuple[str, str, float, str] | None:
    """Kind, evidence, score and suggestion; None for a sound picture."""
    spread = float(pixels.std(axis=(0, 1)).max())
    if spread < ONE_COLOUR:
        told = f"Its colours differ by {spread:.1f} of 255 (standard deviation)."
        return "uniform", told, 1.0 - spread / ONE_COLOUR, "It shows nothing: leave it out."
    grey = pixels.mean(axis=2)
    return _exposure(grey) or _shape(grey.shape[1], grey.shape[0]) or _border(pixels) or _blur(grey)


def _border(pixels: FloatArray) -> tuple[str, str, float, str] | None:
    if (frame := frame_of(pixels)) is None:
        return None
    told = f"A frame of one colour takes {frame.area:.0%} of it."
    suggestion = "Crop the frame away, above all where one class has it more often."
    return "border", told, min(2.0 * frame.area, 1.0), suggestion


def _blur(grey: FloatArray) -> tuple[str, str, float, str] | None:
    """By the sharpest of it, as a thing before a soft background is sound; thumbnails are never enlarged."""
    if min(grey.shape) < LEAST_TO_BE_SHARP or (contrast := float(grey.std())) < ONE_COLOUR:
        return None
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    sharpest = float(np.quantile(np.abs(around - 4.0 * grey[1:-1, 1:-1]), 0.99)) / contrast
    if sharpest >= BLURRED:
        return None
    told = f"Even its sharpest edges are soft: {sharpest:.2f} of its contrast, {BLURRED} and more in sharp pictures."
    return "blurred", told, 1.0 - sharpest / BLURRED, "Can you tell what it shows? Else leave it out."


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


CHECK = Check("files", ("uniform", "dark", "bright", "blurred", "extreme_aspect", "border", "colour_mode"), find)
