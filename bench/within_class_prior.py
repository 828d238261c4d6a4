"""Covariances within classes for one image a class, from unlabelled images alone: what whitening by each gains.

    python bench/within_class_prior.py [--draws 2]

Tasks and validation images are those of `unlabelled_choice.py`, and so is the pool. Pairs of images of which each is
among the other's nearest stand for images of one class; beside them the covariance about the true classes, which is
what can be hoped for, and that of all images, which knows no classes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from common import Row, record
from feature_tasks import ALL_SETS
from inkling.heads.scatter import scatter_of
from inkling.heads.standardization import standardization
from inkling.heads.support import Support, unit_rows
from inkling.heads.whitening import Whitening, whitening
from inkling.types import FloatArray, IntArray
from unlabelled_choice import SHARES, drawn

SHRINKAGE = 0.7
BASE = 0.98
NEAREST = (1, 3)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=2)
    options = parser.parse_args()
    record("within_class_prior", list(measured(options.draws)), seed=0, draws=options.draws)


def measured(draws: int) -> Iterator[Row]:
    """Gain in top-1 over prototypes with one image a class, by pool, set and covariance."""
    for kind in SHARES:
        for name in ALL_SETS:
            found = [_gains(name, kind, seed) for seed in range(draws)]
            for what in found[0]:
                told = f"{name}, one shot, pool of {kind}: gain by the covariance of {what}"
                yield Row(told, float(np.mean([one[what] for one in found])))


def _gains(name: str, kind: str, seed: int) -> dict[str, float]:
    task = drawn(name, 1, kind, seed)
    support = Support(task.X, task.y, len(task.X), len(task.X), None)
    space = standardization(support, embedding_dims=task.X.shape[1])
    images, pool, judged = space.support(support), space(task.pool), space(task.judged)
    order = np.argsort(images.y)

    def top1(whiten: Whitening) -> float:
        cosines = whiten(judged) @ whiten(images.X[order]).T
        return float((cosines.argmax(axis=1) == task.judged_y).mean())

    before = top1(whitening(images, shrinkage=BASE))
    mean = images.means.mean(axis=0)
    residuals = {f"pairs of {k} nearest": _pairs(pool, k) for k in NEAREST}
    residuals["all images"] = pool - pool.mean(axis=0)
    residuals["the true classes"] = _about_classes(pool, task.pool_y)
    return {what: top1(_whitening(mean, R)) - before for what, R in residuals.items()}


def _pairs(pool: FloatArray, k: int) -> FloatArray:
    """Differences of images of which each is among the k nearest of the other."""
    cosines = unit_rows(pool) @ unit_rows(pool).T
    np.fill_diagonal(cosines, -1.0)
    near = np.zeros(cosines.shape, dtype=bool)
    np.put_along_axis(near, np.argsort(-cosines, axis=1)[:, :k], values=True, axis=1)
    left, right = np.nonzero(np.triu(near & near.T))
    return (pool[left] - pool[right]) / np.sqrt(2.0)


def _about_classes(pool: FloatArray, y: IntArray) -> FloatArray:
    means = {k: pool[y == k].mean(axis=0) for k in np.unique(y)}
    return pool - np.stack([means[k] for k in y])


def _whitening(mean: FloatArray, R: FloatArray) -> Whitening:
    scatter = scatter_of(R)
    floor = SHRINKAGE * scatter.trace / R.shape[1]
    gains = np.sqrt(floor / ((1.0 - SHRINKAGE) * scatter.eigenvalues + floor)) - 1.0
    return Whitening(mean, scatter.directions, gains)


if __name__ == "__main__":
    main()
