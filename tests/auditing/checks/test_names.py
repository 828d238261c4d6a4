"""Texts of other things planted among those of the classes."""

from __future__ import annotations

import numpy as np

from inkling.auditing.audit import audit_subject
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.embeddings.samples import given_samples
from inkling.types import ClassEntry, FloatArray

N, SHOTS, WIDTH = 12, 8, 48


def drawn(seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Images, class by class, and the texts of the classes."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(N, WIDTH))
    X = np.repeat(centres, SHOTS, axis=0) + 0.5 * rng.normal(size=(N * SHOTS, WIDTH))
    return X, centres + 0.5 * rng.normal(size=(N, WIDTH))


def mismatched(X: FloatArray, texts: FloatArray) -> list[Finding]:
    names = [f"class {k:02}" for k in range(N)]
    samples = given_samples(X.astype(np.float32), np.repeat(names, SHOTS), logit_scale=100.0)
    unit = (texts / np.linalg.norm(texts, axis=1, keepdims=True)).astype(np.float32)
    entries = tuple(ClassEntry(name, text_vector=row) for name, row in zip(names, unit, strict=True))
    found = audit_subject(Subject(samples, entries)).findings
    return [one for one in found if one.kind == "name_mismatch"]


def test_texts_that_match_have_no_findings() -> None:
    assert mismatched(*drawn()) == []


def test_the_text_of_another_thing_is_found() -> None:
    X, texts = drawn()
    texts[4] = -texts[4]
    (one,) = mismatched(X, texts)
    assert (one.classes[0], one.files) == ("class 04", ())
    assert "0% are nearest" in one.evidence


def test_without_texts_it_says_why_not() -> None:
    X, _ = drawn()
    samples = given_samples(X.astype(np.float32), ["a", "b", "c"] * (len(X) // 3), logit_scale=100.0)
    assert "a text" in audit_subject(Subject(samples, tuple(map(ClassEntry, "abc")))).not_checked["names"]


def test_where_no_text_matches_none_is_to_blame() -> None:
    X, texts = drawn()
    assert mismatched(X, np.roll(texts, 1, axis=0)) == []


def test_images_that_heads_do_not_recognise_either_are_to_blame() -> None:
    X, texts = drawn()
    X[4 * SHOTS : 5 * SHOTS] = np.random.default_rng(9).normal(size=(SHOTS, WIDTH))
    assert mismatched(X, texts) == []
