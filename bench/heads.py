"""The heads on real CLIP ViT-B/32 features, on noise, and against the clock.

Test images are read for the final figures only: nothing is chosen by them. Probabilities are those that the product
gives, with the temperature found out of fold; one shot a class leaves none to find.

    python bench/heads.py
    python bench/heads.py --heads auto gda prototype logistic zero-shot    # without the slow ones
    python bench/heads.py --times                                          # on a quiet machine
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
from scipy.stats import t as student

from common import ROOT, Row, at_least, at_most, record, retaken
from feature_tasks import IMAGENET_SHOTS, SETS, SHOTS, FeatureTask, caltech_43, image_task, imagenet_329
from inkling.evaluate.protocol import evaluate_predictions
from inkling.heads import HEADS, AutoHead
from inkling.heads.auto import GAIN_LEVEL
from inkling.heads.experts import ZERO_SHOT
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.support import unit_rows
from inkling.types import FloatArray, IntArray

IMAGE_TARGETS = {
    16: {"Caltech-100": 0.942, "Flowers": 0.963, "Pets": 0.868},
    4: {"Caltech-100": 0.907, "Flowers": 0.909, "Pets": 0.762},
    1: {"Caltech-100": 0.79, "Flowers": 0.67, "Pets": 0.41},
}
CALTECH_43_TARGETS = {16: 0.982}
CALTECH_43_FLOOR = 0.970
IMAGENET_TARGET = 0.690
NEAREST_MEAN = "nearest mean"
DRAWS = 10
PERMUTATIONS = 20
REPEATS = 9
SEED = 0


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heads", nargs="+", choices=HEADS, help="measure these alone, and keep all else as it is")
    parser.add_argument("--times", action="store_true", help="take the times alone, and keep all else as it is")
    options = parser.parse_args()
    if options.times:
        rows = retaken("heads", list(times()))
    elif options.heads:
        rows = retaken("heads", list(accuracy(options.heads)))
    else:
        rows = [*accuracy(list(HEADS)), *times()]
    print(f"Kept in {record('heads', rows, seed=SEED, encoder='CLIP ViT-B/32 features').relative_to(ROOT)}")


def accuracy(heads: Sequence[str]) -> Iterator[Row]:
    """What does not depend on the machine."""
    yield from image_side([name for name in heads if name != ZERO_SHOT])
    yield from support_draws()
    yield from with_text(heads)
    yield from imagenet(heads)
    yield from permuted_labels()


def times() -> Iterator[Row]:
    """Seconds and memory, on a quiet machine."""
    yield from fit_time()
    yield from many_images()


def image_side(heads: Sequence[str]) -> Iterator[Row]:
    """Every head on images alone; `logistic` (C = 10) and `gda` are references too, and the nearest mean is one."""
    for set_name in SETS:
        for shots in SHOTS:
            task = image_task(set_name, shots)
            for head in (*heads, NEAREST_MEAN):
                target = IMAGE_TARGETS.get(shots, {}).get(set_name) if head == AutoHead.name else None
                p = _nearest_mean(task) if head == NEAREST_MEAN else _probabilities(head, task)
                yield _row(f"{set_name}, {_shots(shots)}, {head}", p, task, target)


def support_draws() -> Iterator[Row]:
    """Other supports of the same size, drawn from the largest: how much of a figure is the luck of the draw."""
    for set_name in SETS:
        largest = image_task(set_name, max(SHOTS))
        for shots in SHOTS[:-1]:
            tasks = [_drawn(largest, shots, seed) for seed in range(DRAWS)]
            for head in (AutoHead.name, "logistic", "gda", NEAREST_MEAN):
                top1 = [_top1(_nearest_mean(t) if head == NEAREST_MEAN else _scores(head, t), t.test_y) for t in tasks]
                yield Row(
                    f"{set_name}, {_shots(shots)}, {head}, mean of {DRAWS} draws",
                    float(np.mean(top1)),
                    details={"ci95": _interval_of_mean(top1), "worst": min(top1), "all": top1},
                )


def with_text(heads: Sequence[str]) -> Iterator[Row]:
    """Every head on Caltech-43; `auto` must never fall below a floor."""
    for shots in SHOTS:
        task = caltech_43(shots)
        for head in heads:
            target = CALTECH_43_TARGETS.get(shots, CALTECH_43_FLOOR) if head == AutoHead.name else None
            yield _row(f"Caltech-43 with text, {_shots(shots)}, {head}", _probabilities(head, task), task, target)


def imagenet(heads: Sequence[str]) -> Iterator[Row]:
    """Each of four shots held out in turn, the predictions put together."""
    rotations = [imagenet_329(held_out) for held_out in range(IMAGENET_SHOTS)]
    together = replace(rotations[0], test_y=np.concatenate([task.test_y for task in rotations]))
    for head in heads:
        p = np.concatenate([_probabilities(head, task) for task in rotations])
        target = IMAGENET_TARGET if head == AutoHead.name else None
        yield _row(f"ImageNet-329 with text, 3 shots, {head}", p, together, target)


def permuted_labels() -> Iterator[Row]:
    """Shots that bring nothing: how often `auto` sees it and ships zero-shot."""
    for shots in (2, 4, 16):
        task = caltech_43(shots)
        shipped = [
            AutoHead(task.text, seed=seed).fit(task.X, np.random.default_rng(seed).permutation(task.y))
            for seed in range(PERMUTATIONS)
        ]
        yield at_least(
            f"Caltech-43, {_shots(shots)}, labels permuted: share of {PERMUTATIONS} that ships zero-shot",
            float(np.mean([head.chosen_ == ZERO_SHOT for head in shipped])),
            1.0 - GAIN_LEVEL,
            says_so=float(np.mean(["no gain detected" in head.finding_ for head in shipped])),
            worst_top1=min(_top1(head.logits(task.test_X), task.test_y) for head in shipped),
        )


def fit_time() -> Iterator[Row]:
    """`auto` on 234 x 512, 18 classes of 13 images, with and without text."""
    task = caltech_43(max(SHOTS))
    rows = np.concatenate([np.flatnonzero(task.y == k)[:13] for k in range(18)])
    X, y, text = task.X[rows], task.y[rows], None if task.text is None else task.text[:18]
    for what, vectors in (("with text", text), ("without text", None)):
        seconds = [_timed(lambda vectors=vectors: AutoHead(vectors).fit(X, y)) for _ in range(REPEATS)]
        yield at_most(f"fit of auto on 234 x 512, {what}, s", median(seconds), 2.0, all=seconds)


def many_images() -> Iterator[Row]:
    """100,000 x 512 with 1,000 classes, each head in a process of its own."""
    for head in ("gda", "prototype", AutoHead.name):
        found = json.loads(
            subprocess.run(
                [sys.executable, Path(__file__).with_name("large_fit.py"), head], capture_output=True, check=True
            ).stdout
        )
        if head == AutoHead.name:
            yield Row("fit of auto on 100,000 x 512, s", found["seconds"], details=found)
        else:
            yield at_most(f"fit of {head} on 100,000 x 512, s", found["seconds"], 60.0)
            yield at_most(f"fit of {head} on 100,000 x 512, whole process, GiB", found["peak_gib"], 4.0)


def _probabilities(head: str, task: FeatureTask) -> FloatArray:
    """Calibrated probabilities of the test images, (n, n_classes)."""
    vectors = LabelledVectors.of(task.X, task.y, classes=range(len(task.classes)), text_vectors=task.text)
    return FittedHead.fit(head, vectors, seed=SEED).probabilities(task.test_X)


def _scores(head: str, task: FeatureTask) -> FloatArray:
    return HEADS[head](task.text).fit(task.X, task.y).logits(task.test_X)


def _nearest_mean(task: FeatureTask) -> FloatArray:
    """Softmax of the cosines to the plain class means: for its order alone."""
    means = unit_rows(np.stack([task.X[task.y == k].mean(axis=0) for k in range(len(task.classes))]))
    z = np.exp(100.0 * (task.test_X @ means.T - 1.0))
    return np.asarray(z / z.sum(axis=1, keepdims=True))


def _drawn(task: FeatureTask, shots: int, seed: int) -> FeatureTask:
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.permutation(np.flatnonzero(task.y == k))[:shots] for k in range(len(task.classes))])
    return replace(task, X=task.X[rows], y=task.y[rows])


def _row(what: str, p: FloatArray, task: FeatureTask, target: float | None) -> Row:
    """Top-1 with its interval, and the measures of calibration."""
    found = evaluate_predictions(p, task.test_y, task.classes, seed=SEED).to_json()
    details = {key: found[key] for key in ("n", "ci95", "ece", "nll")}
    top1 = float(found["top1"])
    return Row(what, top1, details=details) if target is None else at_least(what, top1, target, **details)


def _top1(z: FloatArray, y: IntArray) -> float:
    return float((z.argmax(axis=1) == y).mean())


def _interval_of_mean(values: list[float]) -> list[float]:
    """95 % interval of the mean over draws, by Student's t."""
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return [float(np.mean(values) - half), float(np.mean(values) + half)]


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _shots(number: int) -> str:
    return f"{number} shot" if number == 1 else f"{number} shots"


if __name__ == "__main__":
    main()
