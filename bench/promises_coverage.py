"""How often prediction sets hold the right class on data that nothing was tuned on, and how large they are.

*coverage*: shots and test images are drawn from one part of a set, the same number of each class, so that they are
alike. Beside it MAPIE (`pip install mapie`) on the same probabilities. *views*: the shots are means of ten views of an
image and the test images single ones, which breaks the promise: then it must be said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from common import Row, at_least, at_most
from feature_tasks import FEATURES
from inkling.discovery.p_values import UNLIKELY, PValues
from inkling.heads.conformal import images_needed
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.prediction_sets import Coverage, prediction_sets
from inkling.heads.support import unit_rows
from inkling.types import BoolArray, FloatArray, IntArray
from inkling.unknown import UnknownDetector

SEED = 0
SETS = {
    "Caltech-100": "caltech101",
    "Flowers": "oxford_flowers",
    "Pets": "oxford_pets",
    "Cars": "stanford_cars",
    "UCF half": "ucf101_half",
}
SHOTS = (4, 8, 16)
RATES = (0.9, 0.95)
LEAST_TESTED, LEAST_CLASSES = 4, 8
"""Test images of a class that a draw leaves, and classes that have as many."""
BELOW = 0.02
MAPIE_METHODS = ("lac", "aps", "top_k")
KEEPS = 0.01
"""How far below the asked coverage a method of MAPIE may be in the mean to be compared with."""


def coverage(draws: int) -> Iterator[Row]:
    """Realised coverage and sizes of sets, by set and shots, and over all draws."""
    inside: dict[float, list[bool]] = defaultdict(list)
    ratios: dict[float, list[float]] = defaultdict(list)
    for name, file in SETS.items():
        for shots in SHOTS:
            for rate in RATES:
                found = [one for seed in range(draws) if (one := _draw(file, shots, rate, seed)) is not None]
                if not found:
                    continue
                inside[rate] += [one["inside"] for one in found]
                mean = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
                best = _best_of_mapie(mean, rate)
                ratios[rate].append(mean["size"] / mean[f"{best} size"])
                what = f"{name}, {shots} shots, coverage {rate:g}: realised"
                yield Row(what, mean["realised"], details={**mean, "draws": len(found), "best of MAPIE": best})
    for rate in RATES:
        told = f"coverage {rate:g}, all sets and shots"
        yield at_least(f"{told}: draws within the exact 95 % interval", np.mean(inside[rate]), 0.9, n=len(inside[rate]))
        yield at_most(f"{told}: size over that of MAPIE's best, worst set", max(ratios[rate]), 1.0, by_set=ratios[rate])


def _best_of_mapie(mean: dict[str, float], rate: float) -> str:
    """The method with the smallest sets among those that keep the promise in the mean."""
    keeping = [one for one in MAPIE_METHODS if mean[f"{one} realised"] >= rate - KEEPS] or ["lac"]
    return min(keeping, key=lambda one: mean[f"{one} size"])


def _draw(file: str, shots: int, rate: float, seed: int) -> dict[str, float] | None:
    """Figures of one draw; None where too few classes have the images."""
    from scipy.stats import betabinom

    task = drawn(file, shots, seed)
    if task is None:
        return None
    X, y, test_X, test_y = task
    head = fitted(X, y, seed)
    p, names, asked = head.probabilities(test_X), head.classes, Coverage(rate)
    assert head.set_calibration is not None
    assert head.held_out is not None
    members = prediction_sets(p, names, head.set_calibration, asked, seed=seed)
    n, rank = len(head.set_calibration), int(np.floor((len(head.set_calibration) + 1) * asked.alpha + 1e-9))
    low, high = betabinom.ppf([0.025, 0.975], len(test_y), n + 1 - rank, rank) / len(test_y)
    realised = _realised(members, test_y)
    found = {
        "realised": realised,
        "inside": float(low <= realised <= high),
        "size": float(members.sum(axis=1).mean()),
        "empty": float((members.sum(axis=1) == 0).mean()),
    }
    return found | _by_mapie(head, y, p, test_y, rate)


def _by_mapie(head: FittedHead, y: IntArray, p: FloatArray, test_y: IntArray, rate: float) -> dict[str, float]:
    """Coverage and size of MAPIE's sets from the same probabilities, held-out and of test images."""
    from mapie.classification import SplitConformalClassifier

    from inkling.heads.calibration import apply_temperature

    assert head.held_out is not None
    held = apply_temperature(head.held_out.logits, head.temperature)
    found = {}
    for method in MAPIE_METHODS:
        model = SplitConformalClassifier(
            _Given(p.shape[1]), confidence_level=rate, conformity_score=method, prefit=True, random_state=SEED
        )
        model.conformalize(held, y[head.held_out.rows])
        _, sets = model.predict_set(p)
        found[f"{method} realised"] = _realised(sets[:, :, 0], test_y)
        found[f"{method} size"] = float(sets[:, :, 0].sum(axis=1).mean())
    return found


class _Given:
    """What MAPIE takes for a fitted classifier: probabilities are its input."""

    def __init__(self, n_classes: int) -> None:
        self.classes_ = np.arange(n_classes)
        self.n_features_in_ = n_classes

    def fit(self, *_: Any) -> _Given:
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        return np.asarray(X) / np.asarray(X).sum(axis=1, keepdims=True)

    def predict(self, X: FloatArray) -> IntArray:
        return np.asarray(X).argmax(axis=1)


def views(_: int) -> Iterator[Row]:
    """Means of views as shots: what falls short of the promise is warned of."""
    short, silent = 0, 0
    for name, file in SETS.items():
        arrays = np.load(FEATURES / f"{file}.npz")
        test_X, test_y = unit_rows(arrays["test_x"].astype(np.float64)), arrays["test_y"]
        for shots in SHOTS:
            X, y = unit_rows(arrays[f"train{shots}_x"].astype(np.float64)), arrays[f"train{shots}_y"]
            head = fitted(X, y, SEED)
            p_known = _p_known(X, y, test_X)
            likeness = PValues.of(p_known).uniformity
            for rate in RATES:
                members = prediction_sets(
                    head.probabilities(test_X), head.classes, head.set_calibration, Coverage(rate)
                )
                realised = _realised(members, test_y)
                short += realised < rate - BELOW
                silent += realised < rate - BELOW and likeness >= UNLIKELY
                what = f"{name}, {shots} views as shots, coverage {rate:g}: realised"
                yield Row(what, realised, details={"likeness_p": likeness, "warned": bool(likeness < UNLIKELY)})
    told = f"views as shots: cases more than {BELOW:g} below the asked coverage without a warning"
    yield at_most(told, silent, 0, below=int(short), of=len(SETS) * len(SHOTS) * len(RATES))


def _p_known(X: FloatArray, y: IntArray, test_X: FloatArray) -> FloatArray:
    detector = UnknownDetector.fit(vectors(X, y), seed=SEED)
    return detector.conformal.p_values(detector.fused_scores(test_X))


def drawn(file: str, shots: int, seed: int) -> tuple[FloatArray, IntArray, FloatArray, IntArray] | None:
    """Shots and test images of the test part, as many of each class; None where there are too few."""
    arrays = np.load(FEATURES / f"{file}.npz")
    X, y = unit_rows(arrays["test_x"].astype(np.float64)), arrays["test_y"]
    counts = np.bincount(y)
    kept = np.flatnonzero(counts >= shots + LEAST_TESTED)
    if len(kept) < LEAST_CLASSES or len(kept) * shots < images_needed(1 - max(RATES)):
        return None
    n_tested = int(counts[kept].min()) - shots
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(y == k)) for k in kept]
    shot = np.concatenate([one[:shots] for one in rows])
    tested = np.concatenate([one[shots : shots + n_tested] for one in rows])
    column = np.arange(len(kept))
    return X[shot], np.repeat(column, shots), X[tested], np.repeat(column, n_tested)


def fitted(X: FloatArray, y: IntArray, seed: int) -> FittedHead:
    """`auto` on shots."""
    return FittedHead.fit("auto", vectors(X, y), seed=seed)


def vectors(X: FloatArray, y: IntArray) -> LabelledVectors:
    """Shots as heads take them; the columns are the labels."""
    return LabelledVectors.of(X, y, classes=range(int(y.max()) + 1))


def _realised(members: BoolArray, y: IntArray) -> float:
    return float(members[np.arange(len(y)), y].mean())


PARTS = {"coverage": coverage, "views": views}
"""Each takes the number of draws, where it draws."""
