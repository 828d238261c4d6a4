"""Vectors of known and new kinds, a memory of the known ones, and a name for one of the new."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inkling.classifier.few_shot import FewShotClassifier
from inkling.discovery.naming import Namer
from inkling.discovery.vocabulary import Vocabulary
from inkling.embeddings.samples import Samples, given_samples
from inkling.types import FloatArray

KNOWN = ("ant", "bee", "cat", "dog", "eel", "fox")
NEW = ("bench", "lamp")
DIMS = 24
APART = 5.0


def centre(kind: str) -> FloatArray:
    """Where a kind lies."""
    return APART * np.eye(DIMS)[[*KNOWN, *NEW].index(kind)]


def vectors(kind: str, n: int, *, seed: int) -> FloatArray:
    """Vectors (n, DIMS) of a kind."""
    rng = np.random.default_rng([seed, [*KNOWN, *NEW].index(kind)])
    return np.asarray(centre(kind) + 0.7 * rng.standard_normal((n, DIMS)))


def seen(*kinds: str, n: int = 10, seed: int = 1) -> Samples:
    """Unlabelled images of some kinds, each of its own content."""
    X = np.concatenate([vectors(kind, n, seed=seed) for kind in kinds])
    samples = given_samples(X, [None] * len(X), logit_scale=100.0)
    names = tuple(f"{kind}-{seed}-{number}" for kind in kinds for number in range(n))
    return Samples(samples.identity, names, samples.labels, names, samples.thumbnails, samples.views, samples.X)


def fitted_memory(path: Path, *, false_alarms: float | None = None, shots: int = 12) -> FewShotClassifier:
    """A classifier of the known kinds, saved."""
    X = np.concatenate([vectors(kind, shots, seed=0) for kind in KNOWN])
    labels = [kind for kind in KNOWN for _ in range(shots)]
    classifier = FewShotClassifier("none", false_alarms=false_alarms).fit_embeddings(X, labels)
    classifier.save(path)
    return classifier


class Named(FewShotClassifier):
    """Knows the name of one of the new kinds, and two that suit nothing."""

    def namer(self, background: FloatArray | None = None) -> Namer:
        """Without an encoder."""
        rng = np.random.default_rng(3)
        text = np.stack([centre("bench"), *rng.standard_normal((2, DIMS))])
        names = ["bench", "zebra", "quay"]
        images = self.fitted.samples.embeddings if background is None else background
        return Namer.of(names, text, images, vocabulary=Vocabulary.of_names(names), taken=KNOWN)
