"""Pairs of vectors that are alike: all with all where that is quick, else among the nearest ones of an index."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from inkling.embeddings.vector_index import usearch
from inkling.errors import MissingExtraError
from inkling.types import IntArray

EXACT = 20_000
"""Vectors up to which all are compared with all."""
NEAREST = 48
"""Neighbours of a vector that an index is asked for."""
_ROWS, _COLUMNS = 1024, 16_384

Found = tuple[IntArray, IntArray, NDArray[np.float32]]


def alike_pairs(
    X: NDArray[np.float32], others: NDArray[np.float32] | None = None, *, least: float, exact: int = EXACT
) -> Iterator[Found]:
    """Rows of X, rows of the others and their cosines, some pairs at a time.

    Parameters
    ----------
    X, others
        Unit vectors, (n, d) and (m, d). None: pairs are among X, each once.
    least
        Cosine of pairs that count.
    exact
        Vectors on either side up to which all pairs are found. Above it, those among the `NEAREST` of each; without
        the extra ``audit`` still all, which takes longer, with a warning.
    """
    there = X if others is None else others
    if max(len(X), len(there)) > exact and _indexed():
        return _nearest_pairs(X, others, least)
    return _all_pairs(X, there, least, once=others is None)


def _usearch() -> ModuleType:
    return usearch(extra="audit", purpose="An index of vectors")


def _indexed() -> bool:
    try:
        _usearch()
    except MissingExtraError as error:
        told = f"Without an index, more than {EXACT:,} images are compared each with each, which takes long."
        warnings.warn(f"{told} {error.remedy}", stacklevel=3)
        return False
    return True


def _all_pairs(X: NDArray[np.float32], others: NDArray[np.float32], least: float, *, once: bool) -> Iterator[Found]:
    for top in range(0, len(X), _ROWS):
        for left in range(top if once else 0, len(others), _COLUMNS):
            cosines = X[top : top + _ROWS] @ others[left : left + _COLUMNS].T
            at = np.flatnonzero(cosines.ravel() >= least)
            first, second = top + at // cosines.shape[1], left + at % cosines.shape[1]
            kept = first < second if once else np.ones(len(at), dtype=bool)
            yield first[kept], second[kept], cosines.ravel()[at[kept]]


def _nearest_pairs(X: NDArray[np.float32], others: NDArray[np.float32] | None, least: float) -> Iterator[Found]:
    there = X if others is None else others
    index = _usearch().Index(ndim=there.shape[1], metric="ip", dtype="f16")
    index.add(np.arange(len(there)), np.ascontiguousarray(there))
    most = min(NEAREST, len(there))
    found = index.search(np.ascontiguousarray(X), most)
    nearest, cosines = found.keys.astype(np.int64), (1.0 - found.distances).astype(np.float32)
    for top in range(0, len(X), _ROWS):
        second = nearest[top : top + _ROWS].ravel()
        first = np.repeat(np.arange(top, top + len(second) // most), most)
        kept = cosines[top : top + _ROWS].ravel() >= least
        if others is None:  # a pair that each names the other in is named by its lower row
            kept &= (first < second) | ((first > second) & ~(nearest[second] == first[:, None]).any(axis=1))
        yield first[kept], second[kept], cosines[top : top + _ROWS].ravel()[kept]
