"""How often prediction sets hold the right class on data that nothing was tuned on, and how large they are.

*coverage*: shots and test images are drawn from one part of a set, the same number of each class, so that they are
alike. Beside it MAPIE (`pip install mapie`) on the same probabilities. *views*: the shots are means of ten views of an
image, which is stated, and the test images single ones, which breaks the promise: then there must be a warning.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from common import Row, at_least, at_most
from feature_tasks import ALL_SETS, FEATURES, IMAGENET_SHOTS, FeatureTask, imagenet_329
from inkling import FewShotClassifier
from inkling.discovery.p_values import UNLIKELY, PValues
from inkling.errors import UnlikeTrainingWarning
from inkling.heads.conformal import images_needed
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.prediction_sets import Coverage, prediction_sets
from inkling.heads.support import unit_rows
from inkling.types import BoolArray, FloatArray, IntArray

SEED = 0
SHOTS = (4, 8, 16)
MOST = 16
RATES = (0.9, 0.95)
LEAST_TESTED, LEAST_CLASSES = 4, 8
"""Test images of a class that a draw leaves, and classes that have as many."""
BELOW = 0.02
VIEWS = 10
"""Of which each shot of a set is the mean."""
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
    """Means of views as shots, which is stated: what falls short of the promise is warned of."""
    told: list[Shortfall] = []
    for name, file in ALL_SETS.items():
        arrays = np.load(FEATURES / f"{file}.npz")
        test_X, test_y = unit_rows(arrays["test_x"].astype(np.float64)), arrays["test_y"]
        for shots in SHOTS:
            found = [_as_views(arrays, shots, seed, test_X, test_y) for seed in range(draws if shots < MOST else 1)]
            for rate in RATES:
                those = [one[rate] for one in found]
                told += those
                mean = {key: float(np.mean([getattr(one, key) for one in those])) for key in SHOWN}
                what = f"{name}, {shots} views as shots, coverage {rate:g}: realised, worst draw"
                yield Row(what, min(one.realised for one in those), details=mean | {"draws": len(found)})
    short = [one for one in told if one.realised < one.asked - BELOW]
    what = f"views as shots: draws more than {BELOW:g} below the asked coverage without a warning"
    silent, unlike = (sum(not getattr(one, key) for one in short) for key in ("warned", "unlike"))
    yield at_most(what, silent, 0, below=len(short), of=len(told), silent_where_nobody_states_it=unlike)


@dataclass(frozen=True)
class Shortfall:
    """A draw with means of views as shots.

    Attributes
    ----------
    asked, realised, size
        Coverage, and classes in a set.
    warned
        Whether Python warns where the views are stated.
    unlike
        Whether it would where they are not, since the test images look unlike the shots.
    """

    asked: float
    realised: float
    size: float
    warned: bool
    unlike: bool


SHOWN = ("realised", "size", "warned", "unlike")


def _as_views(
    arrays: Mapping[str, Any], shots: int, seed: int, test_X: FloatArray, test_y: IntArray
) -> dict[float, Shortfall]:
    """By rate, with shots drawn from the means of views."""
    rng = np.random.default_rng(seed)
    y = arrays[f"train{MOST}_y"]
    rows = np.concatenate([rng.permutation(np.flatnonzero(y == k))[:shots] for k in range(int(y.max()) + 1)])
    X, y = unit_rows(arrays[f"train{MOST}_x"][rows].astype(np.float64)), y[rows].astype(np.int64)
    classifier = FewShotClassifier(seed=seed).fit_embeddings(X, y, views=VIEWS)
    found = {}
    for rate in RATES:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sets = classifier.predict_sets_embeddings(test_X, coverage=rate)
        p_known = classifier.fitted.p_known(unit_rows(test_X.astype(np.float32)))
        assert p_known is not None
        found[rate] = Shortfall(
            asked=rate,
            realised=float(np.mean([label in one for one, label in zip(sets, test_y.tolist(), strict=True)])),
            size=float(np.mean([len(one) for one in sets])),
            warned=any(issubclass(one.category, UnlikeTrainingWarning) for one in caught),
            unlike=bool(PValues.of(p_known).uniformity < UNLIKELY),
        )
    return found


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
