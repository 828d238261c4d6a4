"""What sorting a pool anew finds, where most of what a stream looked at is new, and where most of it is known.

A pool keeps the candidates alone. Sorted anew, it can be taken for all that was looked at, or beside the counts of what
was passed by, as `inkling.review.explore` does where a stream counted. Half of the classes are known with 16 shots; the
validation images of all of them are looked at, or those of the new classes and every tenth of the known ones.

    python bench/again_choice.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from common import ROOT, Row, at_least, at_most, record
from discovery import half
from discovery_scores import clusters_scored
from feature_tasks import FeatureTask, image_task
from inkling.classifier.few_shot import FewShotClassifier
from inkling.discovery import discover
from inkling.discovery.batch import GATE
from inkling.discovery.p_values import PValues
from inkling.review.known_images import KnownImages
from inkling.types import BoolArray, FloatArray

SETS = ("Caltech-100", "Flowers", "Pets", "UCF half")
SHOTS = 16
HALVES = 3
EVERY = 10
SEED = 0
WAYS = ("all at hand", "counted", "not counted")
FOUND, WRONG, PURE = "new classes with a proposal", "proposals of a known class", "purity of proposals"


def main() -> None:
    """Measure, print, keep."""
    rows = [row for name in SETS for row in measured(name)]
    print(f"Kept in {record('again_choice', rows, seed=SEED).relative_to(ROOT)}")


def measured(name: str) -> Iterator[Row]:
    """Rows of one set: the pool is sorted with counts as well as without, and nearly as if all were at hand."""
    scored: dict[tuple[str, str], list[dict[str, float]]] = {}
    for seed in range(HALVES):
        task = half(image_task(name, SHOTS, split="val"), seed)
        known, p_known = _fitted(task, seed)
        for looked_at, rows in _looked_at(task).items():
            for way in WAYS:
                scored.setdefault((looked_at, way), []).append(_scored(task, known, p_known, rows, way))
    for looked_at in ("most is known", "most is new"):
        figures = {way: _means(scored[looked_at, way]) for way in WAYS}
        counted, others = figures["counted"], {way: figures[way] for way in WAYS if way != "counted"}
        told = f"{name}, {looked_at}"
        yield at_least(f"{told}: {FOUND}", counted[FOUND], others["not counted"][FOUND], **others)
        yield at_most(f"{told}: {WRONG}", counted[WRONG], others["all at hand"][WRONG] + 1.0)
        yield at_least(f"{told}: {PURE}", counted[PURE], others["all at hand"][PURE] - 0.02)


def _fitted(task: FeatureTask, seed: int) -> tuple[KnownImages, FloatArray]:
    """The known images, and p-values of those that are looked at."""
    classifier = FewShotClassifier("none", seed=seed).fit_embeddings(task.X, task.y)
    detector = classifier.fitted.detector
    assert detector is not None  # 16 shots of 18 classes and more
    return KnownImages.of(classifier), np.asarray(detector.p_known(task.test_X))


def _looked_at(task: FeatureTask) -> dict[str, BoolArray]:
    new = task.test_y >= len(task.classes)
    return {"most is known": np.ones(len(new), dtype=bool), "most is new": new | (np.arange(len(new)) % EVERY == 0)}


def _scored(
    task: FeatureTask, known: KnownImages, p_known: FloatArray, looked_at: BoolArray, way: str
) -> dict[str, float]:
    rows = looked_at if way == "all at hand" else looked_at & (p_known <= GATE)
    seen = PValues.of(p_known[looked_at]) if way == "counted" else None
    found = discover(task.test_X[rows], p_known[rows], known.X, known.y, seen=seen)
    return clusters_scored([it.rows for it in found.proposals], task.test_y[rows], len(task.classes))


def _means(scores: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([one[key] for one in scores])) for key in scores[0]}


if __name__ == "__main__":
    main()
