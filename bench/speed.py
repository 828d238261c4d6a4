"""How long fitting and predicting take on vectors that are at hand, and how large a memory gets.

    python bench/speed.py

Times are medians of alternating rounds: in each, scikit-learn's logistic regression and `auto` take their turn.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from common import ROOT, SHARED, Row, at_most, record
from feature_tasks import FeatureTask, image_task
from inkling import FewShotClassifier
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.unknown import UnknownDetector

SEED = 0
ROUNDS = 7
SINGLES = 200
N_SMALL = 404
ENCODER = ROOT / "bench" / "encoders" / "surrogate-clip-b32"
CROPS = SHARED / "data" / "coco_crops" / "few_shot" / "train"


def main() -> None:
    """Measure, print and record."""
    task = image_task("Caltech-100", 16)
    rows = [*against_logistic_regression(task), single_vector(task), *memory_sizes()]
    record("speed", rows, seed=SEED, encoder="CLIP ViT-B/32 features; crops: surrogate-clip-b32", rounds=ROUNDS)


def against_logistic_regression(task: FeatureTask) -> list[Row]:
    """Fit of 16 images each of 100 classes, and the test images, in alternating rounds."""
    X, test_X = task.X.astype(np.float32), task.test_X.astype(np.float32)
    times: dict[str, list[float]] = {name: [] for name in ("lr fit", "lr predict", "auto fit", "auto predict")}
    vectors = LabelledVectors.of(X, task.y)
    for _ in range(ROUNDS):
        reference = timed(times["lr fit"], lambda: LogisticRegression(max_iter=1000).fit(X, task.y))
        timed(times["lr predict"], partial(reference.predict, test_X))
        head = timed(times["auto fit"], lambda: FittedHead.fit("auto", vectors, seed=SEED))
        head.probabilities(test_X[:1])
        timed(times["auto predict"], partial(head.probabilities, test_X))
    return [
        _ratio(f"auto on {len(X)} x {X.shape[1]}, 100 classes: fit, times logistic regression", times, "fit", 4.0),
        _ratio(f"auto: predict {len(test_X)} vectors, times logistic regression", times, "predict", 5.0),
    ]


def single_vector(task: FeatureTask) -> Row:
    """One more vector through head and detector of 100 classes with 10 images each."""
    kept = np.concatenate([np.flatnonzero(task.y == k)[:10] for k in np.unique(task.y)])
    vectors = LabelledVectors.of(task.X[kept].astype(np.float32), task.y[kept])
    head, detector = FittedHead.fit("auto", vectors, seed=SEED), UnknownDetector.fit(vectors, seed=SEED)
    times: list[float] = []
    for x in task.test_X[: SINGLES + 20].astype(np.float32):
        timed(times, lambda x=x: (head.probabilities(x[None]), detector.p_known(x[None])))
    milliseconds = [1000 * one for one in times[20:]]
    worst = float(np.quantile(milliseconds, 0.95))
    return at_most("predict one vector, head and detector, ms", statistics.median(milliseconds), 3.0, p95=worst)


def memory_sizes() -> list[Row]:
    """Files of a task of vectors, and of the crops with their thumbnails, in MB."""
    task, more = image_task("Caltech-100", 4), image_task("Caltech-100", 8)
    extra = [int(np.flatnonzero(more.y == k)[0]) for k in range(N_SMALL - len(task.X))]
    X = np.concatenate([task.X, more.X[extra]]).astype(np.float32)
    labels = [task.classes[k] for k in [*task.y.tolist(), *more.y[extra].tolist()]]
    of_vectors = FewShotClassifier(seed=SEED).fit_embeddings(X, labels)
    of_crops = FewShotClassifier(encoder=str(ENCODER), seed=SEED).fit(CROPS)
    return [
        at_most(f"memory of {N_SMALL} vectors of 512, 100 classes, MB", _megabytes(of_vectors), 4.0),
        at_most("memory of 234 crops with the surrogate, MB", _megabytes(of_crops), 8.0),
    ]


def timed(times: list[float], work: Callable[[], Any]) -> Any:
    """What the work gives; its seconds are added to the times."""
    start = time.perf_counter()
    found = work()
    times.append(time.perf_counter() - start)
    return found


def _ratio(what: str, times: dict[str, list[float]], verb: str, target: float) -> Row:
    ours, theirs = times[f"auto {verb}"], times[f"lr {verb}"]
    ratio = statistics.median(ours) / statistics.median(theirs)
    return at_most(what, ratio, target, seconds=ours, reference_seconds=theirs)


def _megabytes(classifier: FewShotClassifier) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.ink"
        classifier.save(path)
        return path.stat().st_size / 1e6


if __name__ == "__main__":
    main()
