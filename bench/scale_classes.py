"""What a verdict costs where there are many classes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from common import Row, at_most
from drawn_mixture import Mixture
from inkling import FewShotClassifier
from inkling.classifier.inputs import samples_to_judge

SEED = 0
CLASSES = 10_000
SHOTS, BATCH, SINGLE = 10, 256, 32
HEAD = "gda"


def rows(n_classes: int = CLASSES) -> Iterator[Row]:
    """Verdicts on vectors at hand: label, probabilities, and whether it is unknown."""
    rng = np.random.default_rng(SEED)
    mixture = Mixture.of(n_classes, rng)
    y = np.repeat(np.arange(n_classes), SHOTS)
    X = mixture.images(y, rng)
    asked = mixture.images(rng.integers(n_classes, size=4 * BATCH), rng)
    started = time.perf_counter()
    classifier = FewShotClassifier(head=HEAD).fit_embeddings(X, [f"class {k:05d}" for k in y])
    what = f"{n_classes:,} classes x {SHOTS} exemplars, {HEAD}"
    yield Row(f"{what}: fit, s", time.perf_counter() - started)
    identity = classifier.fitted.samples.identity
    classifier.judge(samples_to_judge(asked[:BATCH], identity))
    for size, vectors, target in ((BATCH, asked, 5.0), (1, asked[:SINGLE], None)):
        took = []
        for start in range(0, len(vectors), size):
            started = time.perf_counter()
            classifier.judge(samples_to_judge(vectors[start : start + size], identity))
            took.append(1e3 * (time.perf_counter() - started) / size)
        name = f"{what}: predict beyond encoding, {size} at a time, ms a picture (p50)"
        p50 = float(np.median(took))
        yield Row(name, p50) if target is None else at_most(name, p50, target)


PARTS = {"classes": rows}
