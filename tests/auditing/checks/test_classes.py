"""Pairs of classes between which most images go astray, by probabilities that are given."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from inkling.auditing.checks.classes import LEAST_TO_COMPARE, MIXED, find
from inkling.auditing.judged_labels import JudgedLabels
from inkling.auditing.subject import Subject
from inkling.embeddings.groups import Groups
from inkling.embeddings.samples import given_samples
from inkling.types import ClassEntry, FloatArray, IntArray


def judged(p: FloatArray, y: IntArray) -> Subject:
    """Images of which heads say what is given."""
    n_classes = p.shape[1]
    names = [f"class {k:04d}" for k in range(n_classes)]
    samples = given_samples(np.eye(len(y), dtype=np.float32), [names[k] for k in y], logit_scale=100.0)
    subject = Subject(samples, tuple(ClassEntry(name) for name in names))
    vars(subject)["held_out"] = JudgedLabels(np.arange(len(y)), y, p, np.zeros(len(y)), 0.0)
    return subject


def test_pairs_and_shares_are_those_of_each_pair_by_itself() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(6), [2, 4, 5, 6, 9, 10])
    p = rng.integers(1, 6, (len(y), 6)) / 5.0  # with many ties
    expected = []
    for a, b in combinations(range(6), 2):
        of_two = np.isin(y, (a, b))
        share = (p[of_two][:, [a, b]].argmax(axis=1) != (y[of_two] == b)).mean()
        if of_two.sum() >= LEAST_TO_COMPARE and share >= MIXED:
            expected.append(((f"class {a:04d}", f"class {b:04d}"), min(2 * share, 1.0)))
    found = [one for one in find(judged(p, y)) if one.kind == "indistinct_classes"]
    assert len(expected) > 3
    assert [one.classes for one in found] == [classes for classes, _ in expected]
    assert [one.score for one in found] == pytest.approx([score for _, score in expected])


def test_a_class_of_few_sources_is_said_to_have_them() -> None:
    labels = ["cat"] * 6 + ["dog"] * 6 + ["eel"] * 3
    samples = given_samples(np.eye(15, dtype=np.float32), labels, logit_scale=100.0)
    hashes = samples.content_hashes
    one_day = replace(samples, groups=Groups.from_user(hashes, ["a day"] * 6 + [None] * 9))
    subject = Subject(one_day, tuple(ClassEntry(name) for name in ("cat", "dog", "eel")))
    told = [one.evidence for one in find(subject) if one.kind == "few_images"]
    assert told == ["cat has 6 images of 1 source.", "eel has 3 images."]
