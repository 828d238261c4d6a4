"""Pairs of vectors that are alike: those of an index are those that comparing all with all finds."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

import numpy as np
import pytest
from numpy.typing import NDArray

from inkling.auditing import alike
from inkling.auditing.alike import Found, alike_pairs
from inkling.errors import MissingExtraError

LEAST = 0.8


def vectors(n: int = 300, *, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 32))
    X[n // 2 :] = X[: n - n // 2] + 0.2 * rng.normal(size=(n - n // 2, 32))
    return np.asarray(X / np.linalg.norm(X, axis=1, keepdims=True), dtype=np.float32)


def pairs(found: Iterable[Found]) -> dict[tuple[int, int], float]:
    listed = [
        ((a, b), c)
        for first, second, cosines in found
        for a, b, c in zip(first.tolist(), second.tolist(), cosines.tolist(), strict=True)
    ]
    assert len(listed) == len({pair for pair, _ in listed})
    return dict(listed)


def expected(X: NDArray[np.float32], others: NDArray[np.float32] | None = None) -> set[tuple[int, int]]:
    cosines = X @ (X if others is None else others).T
    found = np.argwhere(cosines >= LEAST)
    return {(a, b) for a, b in found.tolist() if others is not None or a < b}


def test_all_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    X = vectors()
    assert set(pairs(alike_pairs(X, least=LEAST))) == expected(X)
    monkeypatch.setattr(alike, "_ROWS", 7)
    monkeypatch.setattr(alike, "_COLUMNS", 11)
    assert set(pairs(alike_pairs(X, least=LEAST))) == expected(X)


def test_an_index_finds_the_same_among_few_copies() -> None:
    if find_spec("usearch") is None:  # to import it here could be before onnxruntime
        pytest.skip("comes with the extra 'audit'")
    X = vectors()
    found = pairs(alike_pairs(X, least=LEAST, exact=100))
    assert {(min(pair), max(pair)) for pair in found} == expected(X)
    for (a, b), cosine in found.items():
        assert cosine == pytest.approx(float(X[a] @ X[b]), abs=0.005)


def test_an_index_of_other_vectors() -> None:
    if find_spec("usearch") is None:  # to import it here could be before onnxruntime
        pytest.skip("comes with the extra 'audit'")
    X, others = vectors(), vectors(seed=1)
    others[5] = X[9]
    assert set(pairs(alike_pairs(X, others, least=LEAST, exact=100))) == expected(X, others)
    assert (9, 5) in expected(X, others)


def test_without_the_extra_all_are_compared_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise MissingExtraError("no usearch", remedy="Install it with: pip install 'inkling-vision[audit]'")

    monkeypatch.setattr(alike, "usearch", missing)
    X = vectors()
    with pytest.warns(UserWarning, match=r"inkling-vision\[audit\]"):
        found = pairs(alike_pairs(X, least=LEAST, exact=100))
    assert set(found) == expected(X)
