"""What unlabelled images give `auto`: top-1 on test images with and without a pool.

Shots are the official ones; the pool is the validation part, its labels unread, or what of it is of a fifth of the
classes. Cars, which has no validation part, lends the training images beyond the shots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from common import Row, at_least, at_most
from feature_tasks import ALL_SETS
from inkling.heads.calibration import expected_calibration_error
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import FloatArray, IntArray
from promises_accuracy import ECE, TOP1, part_arrays

SHOTS = (1, 2, 4, 16)
POOLS = ("all classes", "a fifth of the classes")
LARGEST_LOSS = 0.003
EVERY = 5
SAME_IMAGE = 0.95
"""Cosine from which two rows are views of one image: rows of different shots are means of other views."""


def unlabelled(_draws: int) -> Iterator[Row]:
    """Top-1 with the pool by set, shots and what the pool holds; and the worst of gains and calibration."""
    gains: dict[str, float] = {}
    ece: dict[int, dict[str, float]] = {shots: {} for shots in SHOTS}
    for name, file in ALL_SETS.items():
        arrays = part_arrays(file)
        for shots in SHOTS:
            pool, pool_y = _pool(arrays, shots)
            vectors = LabelledVectors.of(*arrays[f"train{shots}"])
            plain = _top1(FittedHead.fit("auto", vectors, seed=0), arrays["test"]) if len(pool) else 0.0
            for kind in POOLS if len(pool) else ():
                kept = np.full(len(pool), True) if kind == POOLS[0] else pool_y % EVERY == 0
                told = f"{name}, {shots} shots, with an unlabelled pool of {kind}"
                fitted = FittedHead.fit("auto", replace(vectors, unlabelled=pool[kept]), seed=0)
                X, y = arrays["test"]
                got, off = _top1(fitted, (X, y)), expected_calibration_error(fitted.probabilities(X), y)
                gains[told], ece[shots][f"{name}, {kind}"] = got - plain, off
                details = {"plain": plain, "n_pool": int(kept.sum()), "ece": off, "finding": fitted.finding}
                target = TOP1.get(shots, {}).get(name) if kind == POOLS[0] else None
                yield at_least(told, got, target, **details) if target else Row(told, got, details=details)
    yield at_least(
        "unlabelled pools: worst change of top-1 by what ships", min(gains.values()), -LARGEST_LOSS, all=gains
    )
    for shots, found in ece.items():
        yield at_most(
            f"with unlabelled pools, {shots} shots: ECE, worst set", max(found.values()), ECE[shots], all=found
        )


PARTS: dict[str, Callable[[int], Iterator[Row]]] = {"unlabelled": unlabelled}


def _pool(arrays: dict[str, tuple[FloatArray, IntArray]], shots: int) -> tuple[FloatArray, IntArray]:
    """Images that are neither shots nor test images, and the classes that nobody tells the head."""
    if "val" in arrays:
        return arrays["val"]
    X, y = arrays["train16"]
    rest = (X @ arrays[f"train{shots}"][0].T).max(axis=1) < SAME_IMAGE
    return X[rest], y[rest]


def _top1(fitted: FittedHead, test: tuple[FloatArray, IntArray]) -> float:
    X, y = test
    return float((fitted.probabilities(X).argmax(axis=1) == y).mean())
