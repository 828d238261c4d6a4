"""A burst planted among drawn pictures: views of one scene that are too far apart for copies."""

from __future__ import annotations

import numpy as np

from inkling.auditing.audit import audit_subject
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.embeddings.samples import given_samples
from inkling.types import ClassEntry, FloatArray

RNG = np.random.default_rng(0)


def vectors() -> tuple[FloatArray, list[str]]:
    centres = RNG.normal(size=(3, 48))
    labels = np.repeat(np.arange(3), 15)
    return centres[labels] + 0.5 * RNG.normal(size=(45, 48)), [f"class {k}" for k in labels]


def found(X: FloatArray, labels: list[str], groups: list[int] | None = None) -> list[Finding]:
    samples = given_samples(X.astype(np.float32), labels, logit_scale=100.0, groups=groups)
    checked = audit_subject(Subject(samples, tuple(ClassEntry(name) for name in sorted(set(labels)))))
    return [one for one in checked.findings if one.kind == "one_source"]


def test_independent_images_have_none() -> None:
    assert found(*vectors()) == []


def test_a_burst_is_one_finding_with_its_class() -> None:
    X, labels = vectors()
    X[4:8] = X[4] + 0.1 * RNG.normal(size=(4, 48))
    (one,) = found(X, labels)
    assert (one.files, one.classes) == (tuple(f"row {row}" for row in range(4, 8)), ("class 0",))
    assert one.score > 0.7
    assert "4 images" in one.evidence


def test_what_is_known_to_be_of_one_file_is_not_found_again() -> None:
    X, labels = vectors()
    X[4:8] = X[4] + 0.1 * RNG.normal(size=(4, 48))
    groups = list(range(45))
    groups[4:8] = [4] * 4
    assert found(X, labels, groups) == []
