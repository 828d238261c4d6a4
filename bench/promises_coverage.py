"""How often prediction sets hold the right class on data that nothing was tuned on, and how large they are.

*coverage*: shots and test images are drawn from one part of a set, the same number of each class, so that they are
alike. Beside it MAPIE (`pip install mapie`) on the same probabilities. *views*: the shots are means of ten views of an
image and the test images single ones, which breaks the promise: then it must be said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from common import Row, at_least, at_most
from feature_tasks import ALL_SETS, FEATURES, IMAGENET_SHOTS, FeatureTask, imagenet_329
from inkling.discovery.p_values import UNLIKELY, PValues
from inkling.heads.conformal import images_needed
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.prediction_sets import Coverage, prediction_sets
from inkling.heads.support import unit_rows
from inkling.types import BoolArray, FloatArray, IntArray
from inkling.unknown import UnknownDetector

SEED = 0
SHOTS = (4, 8, 16)
MOST = 16
RATES = (0.9, 0.95)
LEAST_TESTED, LEAST_CLASSES = 4, 8
"""Test images of a class that a draw leaves, and classes that have as many."""
BELOW = 0.02
MAPIE_METHODS = ("lac", "aps", "top_k")
KEEPS = 0.01
"""How far below the asked coverage a method of MAPIE may be in the mean to be compared with."""


def coverage(draws: int) -> Iterator[Row]:
    """Realised coverage and sizes of sets, by set and shots, and over all draws."""
    inside: dict[float, list[float]] = defaultdict(list)
    ratios: dict[float, list[float]] = defaultdict(list)
    for (name, shots), tasks in _tasks(draws).items():
        drawn = [_measured(task, seed) for seed, task in enumerate(tasks)]
        for rate in RATES:
            found = [one[rate] for one in drawn]
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


def _tasks(draws: int) -> dict[tuple[str, int], Iterator[FeatureTask]]:
    """Tasks whose shots and test images are alike, by set and shots."""
    found: dict[tuple[str, int], Iterator[FeatureTask]] = {
        (name, shots): _draws(file, shots, draws)
        for name, file in ALL_SETS.items()
        for shots in SHOTS
        if drawn(file, shots, 0)
    }
    found["ImageNet-329 with text", 3] = (imagenet_329(held_out) for held_out in range(min(draws, IMAGENET_SHOTS)))
    return found


def _draws(file: str, shots: int, draws: int) -> Iterator[FeatureTask]:
    return (task for seed in range(draws) if (task := drawn(file, shots, seed)))


def _best_of_mapie(mean: dict[str, float], rate: float) -> str:
    """The method with the smallest sets among those that keep the promise in the mean."""
    keeping = [one for one in MAPIE_METHODS if mean[f"{one} realised"] >= rate - KEEPS] or ["lac"]
    return min(keeping, key=lambda one: mean[f"{one} size"])


def _measured(task: FeatureTask, seed: int) -> dict[float, dict[str, float]]:
    """Figures of one draw by coverage."""
    head = fitted(task, seed)
    p, y = head.probabilities(task.test_X), task.test_y
    found = {}
    for rate in RATES:
        assert head.set_calibration is not None
        members = prediction_sets(p, head.classes, head.set_calibration, Coverage(rate), seed=seed)
        low, high = exact_interval(len(head.set_calibration), 1.0 - rate, len(y))
        realised = _realised(members, y)
        found[rate] = {
            "realised": realised,
            "inside": float(low <= realised <= high),
            "size": float(members.sum(axis=1).mean()),
            "empty": float((members.sum(axis=1) == 0).mean()),
            **_by_mapie(head, task.y, p, y, rate),
        }
    return found


def exact_interval(n: int, alpha: float, n_tested: int) -> tuple[float, float]:
    """95 % of the shares of n_tested images that split conformal on n covers: beta-binomial, both draws by chance."""
    from scipy.stats import betabinom

    rank = int(np.floor((n + 1) * alpha + 1e-9))
    low, high = betabinom.ppf([0.025, 0.975], n_tested, n + 1 - rank, rank) / n_tested
    return float(low), float(high)


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


def views(draws: int) -> Iterator[Row]:
    """Means of views as shots: what falls short of the promise is warned of."""
    below, silent, n = 0, 0, 0
    for name, file in ALL_SETS.items():
        arrays = np.load(FEATURES / f"{file}.npz")
        test_X, test_y = unit_rows(arrays["test_x"].astype(np.float64)), arrays["test_y"]
        for shots in SHOTS:
            found = [_as_views(arrays, shots, seed, test_X, test_y) for seed in range(draws if shots < MOST else 1)]
            for rate in RATES:
                short = np.array([one[rate] < rate - BELOW for one in found])
                warned = np.array([one["warned"] for one in found], dtype=bool)
                below, silent, n = below + int(short.sum()), silent + int((short & ~warned).sum()), n + len(found)
                what = f"{name}, {shots} views as shots, coverage {rate:g}: realised, worst draw"
                details = {"mean": float(np.mean([one[rate] for one in found])), "warned": float(warned.mean())}
                yield Row(what, min(one[rate] for one in found), details=details | {"draws": len(found)})
    told = f"views as shots: draws more than {BELOW:g} below the asked coverage without a warning"
    yield at_most(told, silent, 0, below=below, of=n)


def _as_views(arrays: Mapping[str, Any], shots: int, seed: int, test_X: FloatArray, test_y: IntArray) -> dict[Any, Any]:
    """Realised coverage by rate with shots drawn from the means of views, and whether that was warned of."""
    rng = np.random.default_rng(seed)
    y = arrays[f"train{MOST}_y"]
    rows = np.concatenate([rng.permutation(np.flatnonzero(y == k))[:shots] for k in range(int(y.max()) + 1)])
    X, y = unit_rows(arrays[f"train{MOST}_x"][rows].astype(np.float64)), y[rows]
    task = FeatureTask(tuple(map(str, range(int(y.max()) + 1))), X, y, None, test_X, test_y)
    head = fitted(task, seed)
    assert head.set_calibration is not None
    p = head.probabilities(test_X)
    detector = UnknownDetector.fit(vectors(task), seed=seed)
    likeness = PValues.of(detector.conformal.p_values(detector.fused_scores(test_X))).uniformity
    sets = {rate: prediction_sets(p, head.classes, head.set_calibration, Coverage(rate)) for rate in RATES}
    return {"warned": likeness < UNLIKELY} | {rate: _realised(members, test_y) for rate, members in sets.items()}


def drawn(file: str, shots: int, seed: int, *, part: str = "test") -> FeatureTask | None:
    """Shots and test images of one part, as many of each class; None where there are too few."""
    arrays = np.load(FEATURES / f"{file}.npz")
    X, y = unit_rows(arrays[f"{part}_x"].astype(np.float64)), arrays[f"{part}_y"]
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
    names = tuple(str(name) for name in arrays["class_names"][kept])
    return FeatureTask(names, X[shot], np.repeat(column, shots), None, X[tested], np.repeat(column, n_tested))


def fitted(task: FeatureTask, seed: int) -> FittedHead:
    """`auto` on shots."""
    return FittedHead.fit("auto", vectors(task), seed=seed)


def vectors(task: FeatureTask) -> LabelledVectors:
    """Shots as heads take them; the columns are the labels."""
    return LabelledVectors.of(task.X, task.y, classes=range(len(task.classes)), text_vectors=task.text)


def _realised(members: BoolArray, y: IntArray) -> float:
    return float(members[np.arange(len(y)), y].mean())


PARTS = {"coverage": coverage, "views": views}
"""Each takes the number of draws, where it draws."""
