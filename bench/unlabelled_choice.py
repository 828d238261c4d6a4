"""Whether unlabelled images help `auto`, and whether its guard knows: on validation images, by what the pool holds.

    python bench/unlabelled_choice.py [--draws 2]

Supports are drawn from the training rows. Half of the validation images are the pool and the other half is judged; of
UCF's frames the halves are of different videos, and Cars, which has no validation part, lends the training rows that
the draw left. The rows of the pool are of all classes, of half or a fifth of them, of twice as many classes as there
are to learn (so that half of it is of unknown ones), of the unknown ones alone, or half from another set.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from common import Row, at_least, record
from feature_tasks import ALL_SETS, FEATURES
from inkling.heads.auto import AutoHead
from inkling.heads.calibration import expected_calibration_error, negative_log_likelihood
from inkling.heads.softmax import softmax
from inkling.heads.support import unit_rows
from inkling.heads.unlabelled import fit_with_unlabelled
from inkling.types import FloatArray, IntArray

SHOTS = (1, 2, 4)
SHARES = {"all classes": 1.0, "half of the classes": 0.5, "a fifth of the classes": 0.2}
UNKNOWN, UNKNOWN_ALONE, FOREIGN = "as many unknown classes", "unknown classes alone", "as many of another set"
POOLS = (*SHARES, UNKNOWN, UNKNOWN_ALONE, FOREIGN)
OTHER = {"Caltech-100": "Pets", "Flowers": "Caltech-100", "Pets": "Flowers", "Cars": "Caltech-100", "UCF half": "Pets"}
LARGEST_LOSS = 0.003
NOBODY = -1


@dataclass(frozen=True, eq=False)
class Drawn:
    """A support set, a pool with the classes that nobody tells the head, and images to judge by."""

    X: FloatArray
    y: IntArray
    pool: FloatArray
    pool_y: IntArray
    judged: FloatArray
    judged_y: IntArray


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--shots", type=int, action="append", choices=SHOTS)
    options = parser.parse_args()
    rows = list(measured(options.shots or SHOTS, options.draws))
    record("unlabelled_choice", rows, seed=0, draws=options.draws)


def measured(asked: list[int] | tuple[int, ...], draws: int) -> Iterator[Row]:
    """Gain in top-1 of what ships over the fit without the pool, by shots, pool and set."""
    gains: dict[str, float] = {}
    for shots in asked:
        for kind in POOLS:
            for name in ALL_SETS:
                n_draws = draws if shots == 1 else 1
                found = [_figures(drawn(name, shots, kind, seed), seed) for seed in range(n_draws)]
                mean = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
                what = f"{name}, {shots} shots, pool of {kind}: gain of what ships"
                gains[what] = mean["ships"] - mean["plain"]
                yield Row(what, gains[what], details=mean)
                print(what, {key: round(value, 3) for key, value in mean.items()}, flush=True)
    for shots in asked:
        worst = min(gain for what, gain in gains.items() if f", {shots} shots" in what)
        yield at_least(f"worst gain of what ships, {shots} shots", worst, -LARGEST_LOSS)


def drawn(name: str, shots: int, kind: str, seed: int) -> Drawn:
    """A task of one set."""
    rng = np.random.default_rng(seed)
    X, y = _part(name, "train16")
    order = rng.permutation(len(y))
    place = np.empty(len(y), dtype=np.int64)
    for k in np.unique(y):
        mine = order[y[order] == k]
        place[mine] = np.arange(len(mine))
    fits = place < shots
    rest, rest_y = (X[~fits], y[~fits]) if name == "Cars" else _part(name, "val")
    pooled = _first_halves(rest_y, rng, shuffled=name != "UCF half", backwards=bool(seed % 2))
    found = Drawn(X[fits], y[fits], rest[pooled], rest_y[pooled], rest[~pooled], rest_y[~pooled])
    return _with_pool(found, kind, name, rng)


def _first_halves(y: IntArray, rng: np.random.Generator, *, shuffled: bool, backwards: bool) -> IntArray:
    """Which rows are in the first half of their class; frames of one video lie side by side."""
    first = np.zeros(len(y), dtype=bool)
    for k in np.unique(y):
        rows = np.flatnonzero(y == k)
        rows = rng.permutation(rows) if shuffled else rows[::-1] if backwards else rows
        first[rows[: len(rows) // 2]] = True
    return first


def _with_pool(task: Drawn, kind: str, name: str, rng: np.random.Generator) -> Drawn:
    n_classes = int(task.y.max()) + 1
    if kind == FOREIGN:
        other = _part(OTHER[name], "val")[0]
        other = other[rng.permutation(len(other))[: len(task.pool)]]
        pool_y = np.concatenate([task.pool_y, np.full(len(other), NOBODY)])
        return Drawn(task.X, task.y, np.concatenate([task.pool, other]), pool_y, task.judged, task.judged_y)
    share = SHARES.get(kind, 0.5)
    some = rng.permutation(n_classes)[: max(2, int(n_classes * share))]
    if kind in SHARES:
        kept = np.isin(task.pool_y, some)
        return Drawn(task.X, task.y, task.pool[kept], task.pool_y[kept], task.judged, task.judged_y)
    column = np.full(n_classes, NOBODY)
    column[some] = np.arange(len(some))
    fits, judged = np.isin(task.y, some), np.isin(task.judged_y, some)
    offered = ~np.isin(task.pool_y, some) | (kind == UNKNOWN)
    return Drawn(
        task.X[fits],
        column[task.y[fits]],
        task.pool[offered],
        column[task.pool_y[offered]],
        task.judged[judged],
        column[task.judged_y[judged]],
    )


def _figures(task: Drawn, seed: int) -> dict[str, float]:
    plain = AutoHead(seed=seed).fit(task.X, task.y)
    ships = fit_with_unlabelled(AutoHead(seed=seed), task.X, task.y, task.pool)
    taken = ships.kept_unlabelled[1]
    joined = ships if taken else AutoHead(seed=seed).fit(task.X, task.y, unlabelled=task.pool)
    found = {"n_pool": len(task.pool), "presence": joined.presence_, "taken": float(taken)}
    for told, head in {"plain": plain, "joined": joined, "ships": ships}.items():
        p = softmax(head.logits(task.judged))
        found[told] = float((p.argmax(axis=1) == task.judged_y).mean())
        found[f"{told}, ECE"] = expected_calibration_error(p, task.judged_y)
        found[f"{told}, NLL"] = negative_log_likelihood(p, task.judged_y)
    return found


def _part(name: str, part: str) -> tuple[FloatArray, IntArray]:
    with np.load(FEATURES / f"{ALL_SETS[name]}.npz") as arrays:
        return unit_rows(arrays[f"{part}_x"].astype(np.float32)), arrays[f"{part}_y"].astype(np.int64)


if __name__ == "__main__":
    main()
