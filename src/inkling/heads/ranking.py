"""The likeliest of many classes, without putting all of them in order."""

from __future__ import annotations

import numpy as np

from inkling.types import FloatArray, IntArray


def likeliest(p: FloatArray, count: int) -> IntArray:
    """Columns of the largest values of each row of p (n, k), largest first, of equal ones the lower column: (n, count).

    There are k at most.

    Examples
    --------
    >>> likeliest(np.array([[0.2, 0.4, 0.1, 0.2]]), 3)
    array([[1, 0, 3]])
    """
    n_columns = p.shape[1]
    if count >= n_columns:
        return np.argsort(-p, axis=1, kind="stable")
    least = np.partition(p, n_columns - count, axis=1)[:, n_columns - count]
    found = np.empty((len(p), count), dtype=np.int64)
    for row, (values, at_least) in enumerate(zip(p, least, strict=True)):
        columns = np.flatnonzero(values >= at_least)
        found[row] = columns[np.argsort(-values[columns], kind="stable")[:count]]
    return found
