"""Drawn pictures as an array, ready for the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from inkling.sketch import Scene, plan, render

SIDE = 48
"""Pixels of the square that the encoder reads."""


@dataclass(frozen=True)
class Pictures:
    """Drawn pictures, (n, SIDE, SIDE, 3) uint8, and what they show."""

    pixels: np.ndarray
    scenes: tuple[Scene, ...]


def draw_pictures(
    kinds: Sequence[str], per_kind: int, *, first_seed: int, style: str = "plain", workers: int = 1
) -> Pictures:
    """Pictures of all kinds, resized as the image processor does."""
    seeds = range(first_seed, first_seed + per_kind)
    scenes = tuple(plan(kind, seed=seed, style=style) for kind in kinds for seed in seeds)
    if workers == 1:
        return Pictures(np.stack([_pixels(scene) for scene in scenes]), scenes)
    with ProcessPoolExecutor(workers) as pool:
        return Pictures(np.stack(list(pool.map(_pixels, scenes, chunksize=256))), scenes)


def _pixels(scene: Scene) -> np.ndarray:
    # Several sizes, so that the encoder is not tied to the traces of one scale of resizing.
    size = (64, 96, 96, 128)[scene.seed % 4]
    return np.asarray(render(scene, size=size).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def to_pixel_values(pixels: np.ndarray) -> torch.Tensor:
    """(n, SIDE, SIDE, 3) uint8 to (n, 3, SIDE, SIDE) in -1..1."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)
