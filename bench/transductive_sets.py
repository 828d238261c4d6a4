"""Prediction sets of a batch that are made together (Conf-OT), beside those of each image alone.

    python bench/transductive_sets.py [--draws 8]

Conf-OT (Silva-Rodriguez et al. 2025, 2505.24693): probabilities of held-out images and of a batch together, to the
power of 1 / .8, are scaled so that each class gets the share of it that held-out images say, and each image the same;
three rounds of Sinkhorn's iteration. What comes out takes the place of the probabilities. Shots and images to judge
are drawn from the validation part of each set, so nothing here is a final figure: it decides whether the product does
it. A batch is all images, those of a fifth of the classes, as a folder of one day may be, or 32 images.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from common import Row, at_least, at_most, record
from feature_tasks import ALL_SETS
from inkling.heads.calibration import apply_temperature
from inkling.heads.fitted import FittedHead
from inkling.heads.prediction_sets import Coverage, SetCalibration, prediction_sets
from inkling.types import FloatArray, IntArray
from promises_coverage import drawn, exact_interval, fitted

SEED = 0
SHOTS = (4, 8)
RATES = (0.9, 0.95)
POWER, ROUNDS = 1 / 0.8, 3
SHARE_OF_CLASSES, FEW = 0.2, 32
BATCHES = ("all images", "a fifth of the classes", f"{FEW} images")
ALONE, TOGETHER = "alone", "together"
SETS = {name: file for name, file in ALL_SETS.items() if name != "Cars"}
"""Cars has no validation part."""


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=8)
    draws = parser.parse_args().draws
    record("transductive_sets", list(measured(draws)), seed=SEED, draws=draws)


def measured(draws: int) -> Iterator[Row]:
    """Coverage and sizes by set, shots, batch and rate; then over all sets."""
    inside: dict[tuple[str, str], list[float]] = defaultdict(list)
    ratios: dict[str, list[float]] = defaultdict(list)
    for name, file in SETS.items():
        for shots in SHOTS:
            found = [_of_draw(file, shots, seed) for seed in range(draws)]
            for batch in BATCHES:
                for rate in RATES:
                    of_way = {way: [one[batch, rate, way] for one in found] for way in (ALONE, TOGETHER)}
                    for way, those in of_way.items():
                        inside[batch, way] += [one["inside"] for one in those]
                    mean = {way: _mean(those) for way, those in of_way.items()}
                    ratios[batch].append(mean[TOGETHER]["size"] / mean[ALONE]["size"])
                    what = f"{name}, {shots} shots, {batch}, coverage {rate:g}: realised together"
                    yield Row(what, mean[TOGETHER]["realised"], details=mean)
    for batch in BATCHES:
        for way in (ALONE, TOGETHER):
            n = len(inside[batch, way])
            told = f"{batch}, {way}: draws within the exact 95 % interval"
            yield at_least(told, np.mean(inside[batch, way]), 0.9, n=n)
        yield at_most(f"{batch}: size together over alone, mean", np.mean(ratios[batch]), 1.0, all=ratios[batch])


def _mean(found: list[dict[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([one[key] for one in found])) for key in found[0]}


def _of_draw(file: str, shots: int, seed: int) -> dict[tuple[str, float, str], dict[str, float]]:
    """Figures by batch, rate and way."""
    task = drawn(file, shots, seed, part="val")
    assert task is not None
    head = fitted(task, seed)
    assert head.held_out is not None
    p, held = head.probabilities(task.test_X), apply_temperature(head.held_out.logits, head.temperature)
    held_y = task.y[head.held_out.rows]
    found = {}
    for batch, rows in _batches(task.test_y, seed).items():
        both = transported(np.vstack([held, p[rows]]), held_y)
        for way, ours, theirs in ((ALONE, held, p[rows]), (TOGETHER, both[: len(held)], both[len(held) :])):
            calibration = _calibrated(head, ours, held_y, seed)
            for rate in RATES:
                found[batch, rate, way] = _figures(calibration, theirs, task.test_y[rows], rate, head.classes)
    return found


def transported(p: FloatArray, y: IntArray) -> FloatArray:
    """Probabilities (n, n_classes), scaled to the shares of the classes y (m,) of the held-out images among them."""
    share = np.bincount(y, minlength=p.shape[1]) / len(y)
    q = p**POWER
    for _ in range(ROUNDS):
        q *= share / np.maximum(q.sum(axis=0), np.finfo(np.float64).tiny)
        q /= len(q) * q.sum(axis=1, keepdims=True)
    return q / q.sum(axis=1, keepdims=True)


def _batches(y: IntArray, seed: int) -> dict[str, IntArray]:
    """Rows of each batch."""
    rng = np.random.default_rng(seed)
    n_classes = int(y.max()) + 1
    some = rng.permutation(n_classes)[: round(SHARE_OF_CLASSES * n_classes)]
    every = np.arange(len(y))
    return dict(zip(BATCHES, (every, np.flatnonzero(np.isin(y, some)), rng.permutation(every)[:FEW]), strict=True))


def _calibrated(head: FittedHead, p: FloatArray, y: IntArray, seed: int) -> SetCalibration:
    assert head.set_calibration is not None
    sources = np.arange(len(y))
    return SetCalibration.of(p, y, head.classes, sources=sources, folds=head.set_calibration.folds, seed=seed)


def _figures(
    calibration: SetCalibration, p: FloatArray, y: IntArray, rate: float, classes: tuple[str, ...]
) -> dict[str, float]:
    members = prediction_sets(p, classes, calibration, Coverage(rate))
    low, high = exact_interval(len(calibration), 1.0 - rate, len(y))
    realised = float(members[np.arange(len(y)), y].mean())
    return {
        "realised": realised,
        "inside": float(low <= realised <= high),
        "size": float(members.sum(axis=1).mean()),
        "top1": float((p.argmax(axis=1) == y).mean()),
    }


if __name__ == "__main__":
    main()
