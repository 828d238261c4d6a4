"""Calibration of `p_known` at one and two images a class, where half of the classes of a set are known.

`p_known` is a p-value, not a probability: of known images a share p should have p or less. How far that is off in the
mean over p is its calibration error; what is promised is that no more of them have a low one. Shots are single images
of the validation part, as test images are; Cars has none. With texts an image can be held out where it is alone in its
class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from common import Row, at_most
from feature_tasks import ALL_SETS, caltech_43
from inkling.errors import InputError
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import FloatArray
from inkling.unknown import UnknownDetector
from promises_alarms import HALVES, half_known

MOST_OFF = {1: 0.12, 2: 0.08}
"""Calibration error by shots, as for probabilities."""
MOST_ABOVE, LOW = 0.03, 0.2
GRID = np.arange(1, 100) / 100


def few_shots(_draws: int) -> Iterator[Row]:
    """By shots and set, then the worst set."""
    for shots, most in MOST_OFF.items():
        off, above = {}, {}
        for name, measure in _sets().items():
            gaps = [one for seed in range(HALVES) if (one := measure(shots, seed)) is not None]
            what = f"{name}, {shots} shots, half of the classes known"
            if not gaps:
                yield Row(f"{what}: halves refused, as no image can be held out", 1.0)
                continue
            off[name] = float(np.abs(gaps).mean())
            above[name] = float(np.mean(gaps, axis=0)[GRID <= LOW].max())
            yield Row(f"{what}: calibration error of p_known", off[name], details={"above": above[name]})
        yield at_most(f"p_known at {shots} shots: calibration error, worst set", max(off.values()), most, all=off)
        told = f"p_known at {shots} shots: known images with p <= {LOW:g} in excess, worst set"
        yield at_most(told, max(above.values()), MOST_ABOVE, all=above)


def _sets() -> dict[str, Callable[[int, int], FloatArray | None]]:
    """Gaps by shots and seed, for each set."""
    found: dict[str, Callable[[int, int], FloatArray | None]] = {
        name: partial(_images_alone, file) for name, file in ALL_SETS.items() if name != "Cars"
    }
    return found | {"Caltech-43 with texts": _with_texts}


def _images_alone(file: str, shots: int, seed: int) -> FloatArray | None:
    half = half_known(file, "drawn", seed, shots=shots)
    return _gaps(LabelledVectors.of(half.X, half.y), half.test_X[half.test_y >= 0], seed)


def _with_texts(shots: int, seed: int) -> FloatArray | None:
    """Half of the classes of Caltech-101 that have texts: shots of the validation part, and the test part."""
    support, tested = caltech_43(1, split="val"), caltech_43(1)
    assert support.text is not None
    rng = np.random.default_rng(seed)
    n = len(support.classes)
    known = np.sort(rng.permutation(n)[: n // 2])
    rows = np.concatenate([rng.permutation(np.flatnonzero(support.test_y == k))[:shots] for k in known])
    y = np.searchsorted(known, support.test_y[rows])
    vectors = LabelledVectors.of(support.test_X[rows], y, text_vectors=support.text[known])
    return _gaps(vectors, tested.test_X[np.isin(tested.test_y, known)], seed)


def _gaps(vectors: LabelledVectors, known_X: FloatArray, seed: int) -> FloatArray | None:
    """Share of known images with a p-value of p or less, less p, along the grid; None where a detector is refused."""
    try:
        detector = UnknownDetector.fit(vectors, seed=seed)
    except InputError:
        return None
    return np.asarray((detector.p_known(known_X)[:, None] <= GRID).mean(axis=0) - GRID)


PARTS = {"few shots": few_shots}
"""Takes the number of draws, which halves are not."""
