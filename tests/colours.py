"""Class folders of noisy colours, which the fake encoder of `tests.fakes` tells apart and can read the names of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 32
COLOURS = ("blue", "green", "red")


def picture(colour: str, seed: int, *, noise: float = 60.0) -> Image.Image:
    """A picture of one colour under noise."""
    rng = np.random.default_rng([seed, *colour.encode()])
    plain = np.asarray(Image.new("RGB", (SIDE, SIDE), colour), dtype=float)
    return Image.fromarray(np.clip(plain + rng.normal(0, noise, plain.shape), 0, 255).astype(np.uint8))


def write_colours(folder: Path, per_class: int = 5, *, colours: tuple[str, ...] = COLOURS, seed: int = 0) -> Path:
    """Pictures as ``folder/<colour>/<number>.png``."""
    for colour in colours:
        (folder / colour).mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            picture(colour, 1000 * seed + number).save(folder / colour / f"{number}.png")
    return folder
