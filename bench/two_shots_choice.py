"""Whether another head beside `auto` helps at two shots, where only one image of a class can be held out to weigh them.

Two images a class are drawn from the training rows, which are means of ten views, or from the validation rows, single
views; judged are the rows that were left, and single views by means. Cars have no validation part. Log-probabilities
of a head are added to those of `auto`. No test row is read.

    python bench/two_shots_choice.py
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from common import ROOT, Row, record
from feature_tasks import ALL_SETS
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import FloatArray, IntArray
from promises_accuracy import part_arrays

SHOTS, DRAWS, SEED = 2, 5, 0
HEADS = ("kernel", "gda")
SHARES = (0.5, 1.0)
Part = tuple[FloatArray, IntArray]


def main() -> None:
    """Measure, print, keep."""
    found: dict[str, dict[str, float]] = {}
    for name, file in ALL_SETS.items():
        for where, gains in _gains(part_arrays(file)):
            found[f"{name}, {where}"] = gains
    rows = [
        Row(f"{SHOTS} shots, {what} less auto, worst case, points", min(of.values()), details=of)
        for what in next(iter(found.values()))
        for of in [{case: gains[what] for case, gains in found.items()}]
    ]
    print(f"Kept in {record('two_shots_choice', rows, seed=SEED, draws=DRAWS).relative_to(ROOT)}")


def _gains(parts: dict[str, Part]) -> Iterator[tuple[str, dict[str, float]]]:
    """Mean gain over `auto` of the heads and of blends, for each kind of shots and of images judged."""
    of_means = [_draw(parts["train16"], seed) for seed in range(DRAWS)]
    yield "means of views", _mean([_scored(shots, rest) for shots, rest in of_means])
    if "val" in parts:
        yield "single views by means", _mean([_scored(shots, parts["val"]) for shots, _ in of_means])
        yield "single views", _mean([_scored(*_draw(parts["val"], seed)) for seed in range(DRAWS)])


def _draw(part: Part, seed: int) -> tuple[Part, Part]:
    """Two images of each class, and all others."""
    X, y = part
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.permutation(np.flatnonzero(y == k))[:SHOTS] for k in np.unique(y)])
    return (X[rows], y[rows]), (np.delete(X, rows, axis=0), np.delete(y, rows))


def _scored(shots: Part, judged: Part) -> dict[str, float]:
    X, y = judged
    vectors = LabelledVectors.of(*shots)
    logs = {
        head: np.log(np.maximum(FittedHead.fit(head, vectors, seed=SEED).probabilities(X), 1e-12))
        for head in ("auto", *HEADS)
    }
    blends = {f"auto and {share:g} {head}": logs["auto"] + share * logs[head] for head in HEADS for share in SHARES}
    top1 = {what: float((z.argmax(axis=1) == y).mean()) for what, z in (logs | blends).items()}
    return {what: 100 * (value - top1["auto"]) for what, value in top1.items() if what != "auto"}


def _mean(scores: list[dict[str, float]]) -> dict[str, float]:
    return {what: float(np.mean([one[what] for one in scores])) for what in scores[0]}


if __name__ == "__main__":
    main()
