"""Films that Chromium shows in place of a camera: photographs, each held for a while and moved a little."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 640, 480
FRAMES_A_SECOND = 20
SHAKE = 12
"""Pixels that a hand moves between two frames, at most."""


def film(pictures: Sequence[Path], target: Path, *, seconds_each: float, seed: int) -> None:
    """Write a film (YUV4MPEG2, 4:2:0) of pictures, one after the other; it is repeated as long as it is watched."""
    rng = np.random.default_rng(seed)
    with target.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FRAMES_A_SECOND}:1 Ip A1:1 C420jpeg\n".encode())
        for picture in pictures:
            whole = _filling(picture)
            for _ in range(round(seconds_each * FRAMES_A_SECOND)):
                left, top = (int(one) for one in rng.integers(0, 2 * SHAKE, 2))
                file.write(b"FRAME\n" + _planes(whole.crop((left, top, left + WIDTH, top + HEIGHT))))


def _filling(picture: Path) -> Image.Image:
    """The picture before a grey wall, as large as a frame and what a hand moves."""
    width, height = WIDTH + 2 * SHAKE, HEIGHT + 2 * SHAKE
    wall = Image.new("RGB", (width, height), "grey")
    with Image.open(picture) as opened:
        shown = opened.convert("RGB")
    scale = height / shown.height
    shown = shown.resize((min(round(shown.width * scale), width), height), Image.Resampling.BICUBIC)
    wall.paste(shown, ((width - shown.width) // 2, 0))
    return wall


def _planes(frame: Image.Image) -> bytes:
    """Brightness of every pixel, then the two colour differences of every fourth."""
    brightness, blue, red = frame.convert("YCbCr").split()
    half = (WIDTH // 2, HEIGHT // 2)
    return b"".join(
        one.tobytes() for one in (brightness, *(each.resize(half, Image.Resampling.BOX) for each in (blue, red)))
    )
