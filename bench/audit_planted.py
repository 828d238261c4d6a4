"""Labelled vectors with wrong labels planted among the right ones, and rankings of what is wrong.

A tenth of the labels is wrong: any other class (`random`), or the class that the right one is most often confused with
(`confused`), by logistic regression out of fold on the right labels. Both draw which labels are wrong, and so does a
seed that was not looked at before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from common import SHARED
from feature_tasks import image_task
from inkling.auditing.judged_labels import LIKELY, judged_labels
from inkling.classifier.class_texts import embedded_entries
from inkling.classifier.fitted import labelled_vectors
from inkling.classifier.labelled import labelled_samples
from inkling.embeddings.cache import EmbeddingCache
from inkling.encoders.registry import load_encoder
from inkling.heads.labelled_vectors import LabelledVectors, columns_of
from inkling.images.handed_over import read_images
from inkling.types import BoolArray, FloatArray, IntArray

SURROGATE = "bench/encoders/surrogate-clip-b32"
CROPS, PARTS = SHARED / "data" / "coco_crops" / "few_shot", ("train", "test")
SHARE = 0.1
SHOTS = 16
FOLDS = 5


@dataclass(frozen=True, eq=False)
class Planted:
    """Vectors with labels of which some are wrong, and which those are, (n,)."""

    vectors: LabelledVectors
    wrong: BoolArray


@dataclass(frozen=True, eq=False)
class Judged:
    """What an audit finds: how likely each label is wrong, and which class is likeliest, (n,)."""

    p_wrong: FloatArray
    likeliest: IntArray

    @property
    def found(self) -> BoolArray:
        """Which labels are said to be wrong, (n,)."""
        return self.p_wrong >= LIKELY


def feature_task(name: str) -> tuple[LabelledVectors, FloatArray, IntArray]:
    """Vectors of one of the sets of features, without texts, and its test part with the column of each label."""
    task = image_task(name, SHOTS)
    return LabelledVectors.of(task.X, task.y, classes=range(len(task.classes))), task.test_X, task.test_y


def coco_crops() -> tuple[LabelledVectors, FloatArray, IntArray]:
    """The crops of the original experiment, with texts, by the surrogate."""
    encoder = load_encoder(SURROGATE)
    with EmbeddingCache() as cache:
        train, test = (
            labelled_samples(read_images(str(CROPS / part)), encoder=encoder, cache=cache, progress=None)
            for part in PARTS
        )
        entries = embedded_entries(set(train.labels), (), encoder=encoder, cache=cache, templates=None)
    vectors = labelled_vectors(train, sorted(entries, key=lambda entry: entry.name))
    return vectors, test.X, columns_of(test.labels, vectors.classes)


def planted(right: LabelledVectors, kind: str, *, seed: int) -> Planted:
    """Copies of the labels with some of them wrong."""
    rng = np.random.default_rng(seed)
    n, wrong = len(right), np.zeros(len(right), dtype=bool)
    wrong[rng.choice(n, round(SHARE * n), replace=False)] = True
    other = KINDS[kind](right, rng)
    return Planted(replace(right, y=np.where(wrong, other, right.y)), wrong)


def _any_other(right: LabelledVectors, rng: np.random.Generator) -> IntArray:
    return (right.y + rng.integers(1, right.n_classes, len(right))) % right.n_classes


def _confused(right: LabelledVectors, _: np.random.Generator) -> IntArray:
    return _confused_with(right)[right.y]


@cache
def _confused_with(right: LabelledVectors) -> IntArray:
    """The class that each is most often confused with."""
    p = logistic_out_of_fold(right.X, right.y)
    mean = np.stack([p[right.y == k].mean(axis=0) for k in range(right.n_classes)])
    np.fill_diagonal(mean, -1.0)
    return np.asarray(mean.argmax(axis=1))


KINDS: Mapping[str, Callable[[LabelledVectors, np.random.Generator], IntArray]] = {
    "random": _any_other,
    "confused": _confused,
}


def logistic_out_of_fold(X: FloatArray, y: IntArray) -> FloatArray:
    """Probabilities (n, n_classes) by scikit-learn's logistic regression as it comes."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    return np.asarray(cross_val_predict(LogisticRegression(), X, y, cv=folds, method="predict_proba"))


def audited(vectors: LabelledVectors, *, seed: int) -> Judged:
    """As `inkling audit` judges labels."""
    found = judged_labels(vectors, seed=seed)
    assert len(found.rows) == len(vectors)
    return Judged(found.p_wrong, found.p.argmax(axis=1))


def cleanlab_ranking(vectors: LabelledVectors, *, seed: int) -> FloatArray:
    """How doubtful each label is by cleanlab as it comes: one minus its label quality, (n,)."""
    from cleanlab.classification import CleanLearning

    found = CleanLearning(seed=seed).find_label_issues(vectors.X, vectors.y)
    return 1.0 - np.asarray(found["label_quality"], dtype=np.float64)
