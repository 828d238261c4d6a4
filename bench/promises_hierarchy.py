"""How often answers that may be groups of classes are wrong, and how many are classes.

Groups are the wider meanings that the names share as English nouns; shots and test images are drawn from one part, that
nothing was tuned on. Beside climbing stands the narrowest group that holds the prediction set of the same rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from common import Row, at_least, at_most
from feature_tasks import IMAGENET_SHOTS, FeatureTask, imagenet_329
from inkling.discovery.noun_groups import noun_groups
from inkling.heads.hierarchy import Levels, answers
from inkling.heads.prediction_sets import Coverage, SetCalibration, prediction_sets
from inkling.types import BoolArray, IntArray
from promises_coverage import drawn, exact_interval, fitted

RATES = (0.05, 0.1)


def hierarchy(draws: int) -> Iterator[Row]:
    """Realised error and share of answers that are classes, by set and shots."""
    inside: list[float] = []
    for name, tasks in _tasks(draws).items():
        found = [_measured(task, seed) for seed, task in enumerate(tasks)]
        for rate in RATES:
            here = [one[rate] for one in found]
            inside += [one["not above"] for one in here]
            mean = {key: float(np.mean([one[key] for one in here])) for key in here[0]}
            mean["draws no more wrong than asked"] = float(np.mean([one["wrong"] <= rate for one in here]))
            yield at_most(
                f"{name}, answers at an error rate of {rate:g}: wrong, mean of draws", mean["wrong"], rate, **mean
            )
    told = "answers at an error rate, all sets: draws with no more wrong than the exact 95 % interval"
    yield at_least(told, np.mean(inside), 0.9, n=len(inside))


def _tasks(draws: int) -> dict[str, list[FeatureTask]]:
    found = {
        f"Caltech-100, {shots} shots": [
            task for seed in range(draws) if (task := drawn("caltech101", shots, seed)) is not None
        ]
        for shots in (4, 8)
    }
    return found | {"ImageNet-329 with text, 3 shots": [imagenet_329(out) for out in range(min(draws, IMAGENET_SHOTS))]}


def _measured(task: FeatureTask, seed: int) -> dict[float, dict[str, float]]:
    head = fitted(task, seed)
    assert head.set_calibration is not None
    kept = _with_names(head.set_calibration, task.classes)
    p, y, classes = head.probabilities(task.test_X), task.test_y, task.classes
    levels = Levels.of(noun_groups(classes), classes)
    found = {}
    for rate in RATES:
        made = answers(p, levels, kept, rate)
        wrong = ~levels.members[made.groups, y]
        low, _ = exact_interval(len(kept), rate, len(y))
        sets = _above(prediction_sets(p, classes, kept, Coverage(1 - rate)), p.argmax(axis=1), levels)
        found[rate] = {
            "wrong": float(wrong.mean()),
            "not above": float(1 - wrong.mean() >= low),
            "classes": float((made.steps == 0).mean()),
            "of all": float((made.groups == len(levels.names) - 1).mean()),
            "top-1 wrong": float((p.argmax(axis=1) != y).mean()),
            "above the set: wrong": float((~levels.members[sets, y]).mean()),
            "above the set: classes": float((sets < len(classes)).mean()),
            "above the set: of all": float((sets == len(levels.names) - 1).mean()),
        }
    return found


def _with_names(kept: SetCalibration, names: tuple[str, ...]) -> SetCalibration:
    """The same with the names of classes, which vectors have numbers for."""
    likeliest = replace(kept.likeliest, classes=tuple(names[one] for one in kept.likeliest.classes))
    return replace(kept, labels=tuple(names[int(one)] for one in kept.labels), likeliest=likeliest)


def _above(members: BoolArray, best: IntArray, levels: Levels) -> IntArray:
    """The narrowest group above the likeliest class that holds the whole set, (n,)."""
    ways = levels.ways[best]
    holds = (levels.members[ways] >= members[:, None, :]).all(axis=2)
    return np.asarray(ways[np.arange(len(best)), holds.argmax(axis=1)])


PARTS = {"hierarchy": hierarchy}
