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


def test_two_names_that_were_swapped_are_found_among_few() -> None:
    X, texts = drawn()
    swapped = texts.copy()
    swapped[[4, 5, 6, 7, 8, 9]] = texts[[5, 4, 7, 6, 9, 8]]
    assert sorted(one.classes for one in mismatched(X, swapped)) == [
        ("class 04", "class 05"),
        ("class 05", "class 04"),
        ("class 06", "class 07"),
        ("class 07", "class 06"),
        ("class 08", "class 09"),
        ("class 09", "class 08"),
    ]


def test_a_class_that_is_filled_with_images_of_another_one_is_found() -> None:
    X, texts = drawn()
    of_5 = X[5 * SHOTS] + 0.5 * np.random.default_rng(9).normal(size=(2 * SHOTS, WIDTH))
    X[4 * SHOTS : 6 * SHOTS] = of_5
    (one,) = mismatched(X, texts)
    assert one.classes == ("class 04", "class 05")
    assert "wrong name" in one.suggestion
