"""Wrong labels that were planted: how well they are ranked and counted, and what correcting them gains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache

import numpy as np
from scipy.stats import t as student
from scipy.stats import ttest_rel
from sklearn.metrics import average_precision_score

from audit_planted import Planted, audited, cleanlab_ranking, coco_crops, feature_task, planted
from common import Row, at_least
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import FloatArray, IntArray

GOALS = {"Caltech-100": 0.995, "Flowers": 0.995, "Pets": 0.975}
CROPS, CROPS_GOAL = "coco_crops", 0.93
SETS = (*GOALS, CROPS)
DRAWS = {"random": 5, "confused": 10}
COUNT_TOLERANCE, COUNT_GOAL = 0.25, 0.8
LEVEL = 0.05
SEED = 0


@dataclass(frozen=True)
class Draw:
    """What came of one draw of wrong labels.

    Attributes
    ----------
    precision, cleanlab
        Average precision of the two rankings.
    expected, real
        How many of the labels that are said to be wrong are expected to be, and how many are.
    top1
        On the test part, by how the labels were: as they are, as planted, corrected, and without what was found.
    """

    precision: float
    cleanlab: float
    expected: float
    real: int
    top1: dict[str, float]

    @property
    def counted(self) -> bool:
        """Whether the expected number is near the real one."""
        return abs(self.expected - self.real) <= COUNT_TOLERANCE * self.real


def rows(name: str) -> Iterator[Row]:
    """Rows about one set."""
    for kind, n in DRAWS.items():
        draws = [_draw(name, kind, seed) for seed in range(n)]
        yield from _ranking(name, kind, draws)
        yield _counted(name, kind, draws)
        yield _recovered(f"{name}, {kind} wrong labels", draws, "corrected")


def together(rows: Sequence[Row]) -> Iterator[Row]:
    """Rows about all draws that the rows of the sets keep."""
    kept = [draw for row in rows for draw in (row.details or {}).get("draws", ())]
    draws = [draw if isinstance(draw, Draw) else Draw(**draw) for draw in kept]
    if draws:
        what = "all draws: share in which the expected number of wrong labels is within 25 % of the real one"
        yield at_least(what, float(np.mean([one.counted for one in draws])), COUNT_GOAL, n=len(draws))
        for way in ("corrected", "dropped"):
            row = _recovered("all draws", draws, way)
            yield at_least(row.what, row.got, 0.5, **(row.details or {}))


@cache
def _task(name: str) -> tuple[LabelledVectors, FloatArray, IntArray]:
    return coco_crops() if name == CROPS else feature_task(name)


@cache
def _right_top1(name: str) -> float:
    right, test_X, test_y = _task(name)
    return _top1(right, test_X, test_y)


def _top1(vectors: LabelledVectors, test_X: FloatArray, test_y: IntArray) -> float:
    """Of `auto` on the test part."""
    return float((FittedHead.fit("auto", vectors, seed=SEED).logits(test_X).argmax(axis=1) == test_y).mean())


def _draw(name: str, kind: str, seed: int) -> Draw:
    right, test_X, test_y = _task(name)
    drawn = planted(right, kind, seed=seed)
    judged = audited(drawn.vectors, seed=seed)
    other = cleanlab_ranking(drawn.vectors, seed=seed)

    corrected = np.where(judged.found, judged.likeliest, drawn.vectors.y)
    return Draw(
        float(average_precision_score(drawn.wrong, judged.p_wrong)),
        float(average_precision_score(drawn.wrong, other)),
        float(judged.p_wrong[judged.found].sum()),
        int(drawn.wrong[judged.found].sum()),
        {
            "right": _right_top1(name),
            "planted": _top1(drawn.vectors, test_X, test_y),
            "corrected": _top1(replace(drawn.vectors, y=corrected), test_X, test_y),
            "dropped": _top1(_without(drawn, judged.found), test_X, test_y),
        },
    )


def _without(drawn: Planted, found: FloatArray) -> LabelledVectors:
    """Without the images that were found, where their class keeps one."""
    kept = ~found
    lost = np.bincount(drawn.vectors.y[kept], minlength=drawn.vectors.n_classes) == 0
    return drawn.vectors.only(kept | lost[drawn.vectors.y])


def _ranking(name: str, kind: str, draws: Sequence[Draw]) -> Iterator[Row]:
    """Average precision, and how it compares with cleanlab's ranking of the same labels."""
    ours, theirs = np.array([one.precision for one in draws]), np.array([one.cleanlab for one in draws])
    all_of_it = {"interval": _interval(ours), "worst": float(ours.min()), "draws": [asdict(one) for one in draws]}
    what = f"{name}, {kind} wrong labels: average precision"
    goal = {**GOALS, CROPS: CROPS_GOAL}[name] if kind == "random" else None
    mean = float(ours.mean())
    yield Row(what, mean, details=all_of_it) if goal is None else at_least(what, mean, goal, **all_of_it)
    yield Row(f"{name}, {kind} wrong labels: average precision of cleanlab as it comes", float(theirs.mean()))
    p = float(ttest_rel(ours, theirs, alternative="greater").pvalue)
    gain = float((ours - theirs).mean())
    what = f"{name}, {kind} wrong labels: gain in average precision over cleanlab"
    yield Row(what, gain, f"> 0, p < {LEVEL:g}", gain > 0 and p < LEVEL, {"p": p, "interval": _interval(ours - theirs)})


def _counted(name: str, kind: str, draws: Sequence[Draw]) -> Row:
    expected, real = (float(np.mean([getattr(one, of) for one in draws])) for of in ("expected", "real"))
    within = float(np.mean([one.counted for one in draws]))
    details = {"expected": expected, "real": real, "within 25 %": within}
    return Row(f"{name}, {kind} wrong labels: expected over real number", expected / max(real, 1.0), details=details)


def _recovered(what: str, draws: Sequence[Draw], way: str) -> Row:
    """Share of the top-1 lost by wrong labels that comes back."""
    of = {way: float(np.mean([one.top1[way] for one in draws])) for way in draws[0].top1}
    share = (of[way] - of["planted"]) / (of["right"] - of["planted"])
    return Row(f"{what}, those found are {way}: share of the lost top-1 that comes back", share, details=of)


def _interval(values: FloatArray) -> list[float]:
    """95 % of the mean over draws."""
    half = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return [float(values.mean()) - half, float(values.mean()) + half]
