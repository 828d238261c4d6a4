"""A picture of something else in a class, and what keeps it from being told."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import inkling
from inkling.auditing.audit import audit_subject
from inkling.auditing.subject import Subject
from inkling.embeddings.samples import given_samples
from inkling.sketch import write_dataset
from inkling.types import ClassEntry, FloatArray

RNG = np.random.default_rng(0)
CLASSES = ("car", "cat", "tree", "house")


def found(X: FloatArray, labels: list[str]) -> inkling.Audit:
    samples = given_samples(X.astype(np.float32), labels, logit_scale=100.0)
    return audit_subject(Subject(samples, tuple(ClassEntry(name) for name in sorted(set(labels)))))


def vectors(n_classes: int) -> tuple[FloatArray, list[str]]:
    centres = RNG.normal(size=(n_classes, 48))
    labels = np.repeat(np.arange(n_classes), 12)
    return centres[labels] + 0.5 * RNG.normal(size=(len(labels), 48)), [f"class {k}" for k in labels]


def test_images_of_none_of_the_classes_are_found_once() -> None:
    """As outliers, or as wrong labels where a head takes them for another class."""
    X, labels = vectors(20)
    foreign = (3, 40, 77, 150)
    X[list(foreign)] = RNG.normal(size=(len(foreign), 48))
    named = [(one.kind, one.files[0]) for one in found(X, labels).findings if one.kind in ("outlier", "mislabelled")]
    assert sorted(row for _, row in named) == sorted(f"row {k}" for k in foreign)
    assert "outlier" in {kind for kind, _ in named}


def test_of_sound_drawings_next_to_none_is_one(tmp_path: Path) -> None:
    """The small encoder does not place one house of the 48."""
    write_dataset(tmp_path, CLASSES, 12, seed=5)
    assert inkling.audit(str(tmp_path), encoder="sketch", cache=False).counts.get("outlier", 0) <= 1


def test_a_wrong_label_is_no_outlier_as_well() -> None:
    X, labels = vectors(8)
    labels[3] = "class 5"
    kinds = [one.kind for one in found(X, labels).findings if "row 3" in one.files]
    assert kinds == ["mislabelled"]


def test_one_class_alone_says_why_not() -> None:
    assert "other classes" in found(*vectors(1)).not_checked["outliers"]


def test_an_image_a_class_says_why_not() -> None:
    X, _ = vectors(1)
    assert "fewer than 4" in found(X, [f"class {k}" for k in range(len(X))]).not_checked["outliers"]
