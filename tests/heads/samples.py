"""Tasks for the heads: drawn ones, small and known in full, and real CLIP features where the data lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inkling.heads import HEADS, Head
from inkling.types import FloatArray, IntArray

IMAGE_HEADS = tuple(name for name in HEADS if name != "zero-shot")
"""Heads that learn from images alone."""
SINGLE_HEADS = tuple(name for name in IMAGE_HEADS if name != "auto")
"""Those of them that are not made of others."""


@dataclass(frozen=True, eq=False)
class Task:
    """Support and test images of a task, with the text vectors of its classes."""

    X: FloatArray
    y: IntArray
    text: FloatArray | None
    test_X: FloatArray
    test_y: IntArray

    @property
    def n_classes(self) -> int:
        return int(self.y.max()) + 1


def unit(X: FloatArray) -> FloatArray:
    """Rows of unit length."""
    return np.asarray(X / np.linalg.norm(X, axis=1, keepdims=True))


def draw_task(
    seed: int = 0,
    *,
    n_classes: int = 4,
    shots: int | Sequence[int] = 5,
    dims: int = 12,
    spread: float = 0.6,
    text_noise: float | None = 1.0,
    n_test: int = 200,
) -> Task:
    """Classes around random centres; texts are the centres, blurred and moved across a gap, or None.

    `shots` is one number for all classes, or one each, which tells their number; `spread` is the distance of an image
    to its centre, in units of the centre's length, and `text_noise` that of the text.
    """
    rng = np.random.default_rng(seed)
    counts = np.full(n_classes, shots) if isinstance(shots, int) else np.asarray(shots)
    centres = unit(rng.normal(size=(len(counts), dims)))
    y, test_y = np.repeat(np.arange(len(counts)), counts), np.arange(n_test) % len(counts)
    gap = 0.5 * unit(rng.normal(size=(1, dims)))

    def images(labels: IntArray) -> FloatArray:
        return unit(centres[labels] + spread * rng.normal(size=(len(labels), dims)) / np.sqrt(dims))

    text = None
    if text_noise is not None:
        text = unit(centres + text_noise * rng.normal(size=centres.shape) / np.sqrt(dims) - gap)
    return Task(images(y), y, text, images(test_y), test_y)


def real_task(shared: Path, name: str, *, shots: int, with_text: bool = False) -> Task:
    """Real CLIP features: so many shots, validation images as test; with text, the classes that have one."""
    arrays = np.load(shared / "features" / "clip-vit-b32" / f"{name}.npz")
    classes = np.flatnonzero(arrays["text_index"] >= 0) if with_text else np.arange(len(arrays["class_names"]))
    column = np.full(len(arrays["class_names"]), -1)
    column[classes] = np.arange(len(classes))

    def part(split: str) -> tuple[FloatArray, IntArray]:
        labels = column[arrays[f"{split}_y"]]
        return unit(arrays[f"{split}_x"].astype(np.float64)[labels >= 0]), labels[labels >= 0]

    text = unit(arrays["text_x"][classes].astype(np.float64)) if with_text else None
    return Task(*part(f"train{shots}"), text, *part("val"))


def quick(name: str, text: FloatArray | None = None, **options: Any) -> Head:
    """A head by name; the adapter with few steps, which change nothing of what is tested."""
    few_steps = {"steps": 20} if name == "adapter" else {}
    return HEADS[name](text, **{**few_steps, **options})
