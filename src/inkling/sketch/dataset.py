"""Drawn pictures as a folder of class folders, the way that people keep photographs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from inkling.errors import InputError
from inkling.outputs import told_as_unwritable
from inkling.sketch.scene import draw

FORMATS = ("png", "jpg")
JPEG_QUALITY = 92


def write_dataset(
    folder: str | Path,
    kinds: Sequence[str],
    per_class: int,
    *,
    seed: int,
    size: int = 96,
    style: str = "plain",
    format: str = "png",
) -> list[Path]:
    """Draw pictures into ``folder/<kind>/<kind>-<number>.<format>``.

    Parameters
    ----------
    folder
        Where the class folders go; made where it is missing. Files of the same names are replaced.
    kinds
        Names out of `KINDS`.
    per_class
        Pictures per kind.
    seed
        Different seeds give different pictures, so that one can be trained on and another be tested on.
    size, style
        As in `draw`.
    format
        ``png``, or ``jpg`` for files that lose a little and are a quarter of the size.

    Returns
    -------
    list of Path
        The files, kind by kind.

    Raises
    ------
    InputError
        If a kind, the style or the format does not exist, there is nothing to draw, or a file cannot be written.
    """
    if format not in FORMATS:
        raise InputError(f"Pictures are written as {' or '.join(FORMATS)}, not as {format!r}.")
    if per_class < 1 or not kinds:
        raise InputError(f"There is nothing to draw: {len(kinds)} kinds, {per_class} pictures of each.")
    written = []
    for kind in kinds:
        for number in range(per_class):
            picture = draw(kind, seed=picture_seed(seed, number), size=size, style=style)
            path = Path(folder) / kind / f"{kind}-{number:04d}.{format}"
            with told_as_unwritable(path):
                _save(picture, path)
            written.append(path)
    return written


def _save(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        picture.save(path, quality=JPEG_QUALITY)
    except OSError:
        path.unlink(missing_ok=True)  # a part of a picture
        raise


def picture_seed(seed: int, number: int) -> int:
    """Seed of one picture of a set. Sets of different seeds share no picture."""
    return seed * 1_000_000 + number
