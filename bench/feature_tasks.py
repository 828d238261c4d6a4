"""Tasks on real CLIP ViT-B/32 features: support, test images and, where they are known, text vectors of the classes.

Each row of a support set is the mean of 10 augmented views of one image, so a row is an image and there are no groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from common import SHARED
from inkling.heads.support import unit_rows
from inkling.types import FloatArray, IntArray

FEATURES = SHARED / "features" / "clip-vit-b32"
SETS = {"Caltech-100": "caltech101", "Flowers": "oxford_flowers", "Pets": "oxford_pets"}
ALL_SETS = {**SETS, "Cars": "stanford_cars", "UCF half": "ucf101_half"}
"""With those that nothing was tuned on before."""
SHOTS = (1, 2, 4, 8, 16)
IMAGENET_SHOTS = 4


@dataclass(frozen=True, eq=False)
class FeatureTask:
    """Support set X, y with text vectors (n_classes, d) or None, and the images of the final figure."""

    classes: tuple[str, ...]
    X: FloatArray
    y: IntArray
    text: FloatArray | None
    test_X: FloatArray
    test_y: IntArray


def image_task(name: str, shots: int, *, split: str = "test") -> FeatureTask:
    """All classes of a set, without texts."""
    arrays = _arrays(ALL_SETS[name])
    return _task(arrays, np.arange(len(arrays["class_names"])), shots, split=split, with_text=False)


def test_part(name: str) -> tuple[FloatArray, IntArray]:
    """Vectors of single views and their classes, also of the sets without names."""
    arrays = _arrays({**ALL_SETS, "UCF101": ALL_SETS["UCF half"]}[name])
    return _unit(arrays["test_x"]), arrays["test_y"].astype(np.int64)


def caltech_43(shots: int, *, split: str = "test") -> FeatureTask:
    """The classes of Caltech-101 whose text vectors are known."""
    arrays = _arrays("caltech101")
    return _task(arrays, np.flatnonzero(arrays["text_index"] >= 0), shots, split=split, with_text=True)


def imagenet_329(held_out: int) -> FeatureTask:
    """The 329 classes of ImageNet whose text vectors are known: three shots to fit, the one of `held_out` to test."""
    arrays = _arrays("imagenet_4shot")
    kept = np.flatnonzero(arrays["text_index"] >= 0)
    shots = _unit(arrays["x"]).reshape(len(arrays["class_names"]), IMAGENET_SHOTS, -1)[kept]
    fitted = np.delete(shots, held_out, axis=1)
    return FeatureTask(
        classes=_names(arrays, kept),
        X=fitted.reshape(-1, shots.shape[-1]),
        y=np.repeat(np.arange(len(kept)), IMAGENET_SHOTS - 1),
        text=_unit(arrays["text_x"][kept]),
        test_X=shots[:, held_out],
        test_y=np.arange(len(kept)),
    )


def _task(
    arrays: Mapping[str, np.ndarray[Any, Any]], kept: IntArray, shots: int, *, split: str, with_text: bool
) -> FeatureTask:
    column = np.full(len(arrays["class_names"]), -1)
    column[kept] = np.arange(len(kept))

    def part(name: str) -> tuple[FloatArray, IntArray]:
        labels = column[arrays[f"{name}_y"]]
        return _unit(arrays[f"{name}_x"][labels >= 0]), labels[labels >= 0]

    text = _unit(arrays["text_x"][kept]) if with_text else None
    return FeatureTask(_names(arrays, kept), *part(f"train{shots}"), text, *part(split))


def _names(arrays: Mapping[str, np.ndarray[Any, Any]], kept: IntArray) -> tuple[str, ...]:
    return tuple(str(name) for name in arrays["class_names"][kept])


def _arrays(file: str) -> dict[str, np.ndarray[Any, Any]]:
    with np.load(FEATURES / f"{file}.npz") as arrays:
        return dict(arrays)


def _unit(X: np.ndarray[Any, Any]) -> FloatArray:
    return unit_rows(X.astype(np.float64))
