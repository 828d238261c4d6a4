"""Which names of a vocabulary images are compared with: those far from known names, or far from known images.

NegLabel (2403.20078) takes the names that lie farthest from the names of known classes; InterNeg (2603.02618) those
that lie farther from the images of every known class than its own name does, farthest in the mean first. A share of the
vocabulary is taken either way. Half of Caltech-43 is known, with four validation images a class, and other validation
images are judged; and 60 of the 329 classes of ImageNet that have texts, with two images a class, and two others are
judged. The vocabulary is the 1,585 names whose text vectors are known, less those related to known classes.

    python bench/negatives_choice.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from common import ROOT, SHARED, Row, record
from feature_tasks import FeatureTask, caltech_43, imagenet_329
from inkling.discovery.vocabulary import common_nouns, unrelated_names
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.support import unit_rows
from inkling.types import FloatArray, IntArray
from inkling.unknown import Negatives, UnknownDetector, mine_negatives
from inkling.unknown.fusion import auroc

DRAWS, SHOTS, OF_IMAGENET = 2, 4, 60
SHARES = (0.15, 0.5)
SEED = 0


@dataclass(frozen=True, eq=False)
class Half:
    """Some classes known, with their texts; `test_y` is -1 for images of others."""

    names: Sequence[str]
    X: FloatArray
    y: IntArray
    text: FloatArray
    test_X: FloatArray
    test_y: IntArray


def main() -> None:
    """Measure, print, keep."""
    rows = [*measured("Caltech-43", caltech), *measured(f"ImageNet, {OF_IMAGENET} of 329", imagenet)]
    print(f"Kept in {record('negatives_choice', rows, seed=SEED).relative_to(ROOT)}")


def measured(name: str, draw: Callable[[int], Half]) -> Iterator[Row]:
    """AUROC of the fusion by way of choosing, mean of draws."""
    found: dict[str, list[float]] = {}
    for seed in range(DRAWS):
        half = draw(seed)
        vectors = LabelledVectors.of(half.X, half.y, text_vectors=half.text)
        for way, negatives in ways(half).items():
            detector = UnknownDetector.fit(vectors, negatives=negatives, false_alarms=0.2, seed=seed)
            score, known = detector.fused_scores(half.test_X), half.test_y >= 0
            found.setdefault(way, []).append(auroc(score[~known], score[known]))
    for way, each in found.items():
        yield Row(f"{name}: AUROC, {way}", float(np.mean(each)), details={"all": each})


def ways(half: Half) -> dict[str, Negatives | None]:
    """Names to compare with, by how they were chosen."""
    names, vocabulary = _vocabulary(half.names)
    found: dict[str, Negatives | None] = {"no names": None}
    for share in SHARES:
        chosen = {
            "far from names": mine_negatives(vocabulary, half.text, share=share),
            "far from images": far_from_images(vocabulary, half, share=share),
        }
        for way, rows in chosen.items():
            found[f"{share:.0%} {way}"] = Negatives(tuple(names[row] for row in rows), vocabulary[rows])
    return found


def far_from_images(vocabulary: FloatArray, half: Half, *, share: float) -> IntArray:
    """Rows farther from the mean image of each class than its name is, farthest in the mean of the classes first."""
    means = unit_rows(np.stack([half.X[half.y == k].mean(axis=0) for k in range(len(half.text))]))
    cosines = vocabulary @ means.T
    farther = (cosines < (half.text * means).sum(axis=1)).all(axis=1)
    order = np.argsort(cosines.mean(axis=1), kind="stable")
    return np.sort(order[farther[order]][: max(round(share * len(vocabulary)), 1)])


def caltech(seed: int) -> Half:
    """Half of the classes of Caltech-101 that have texts."""
    task, rng = caltech_43(1, split="val"), np.random.default_rng(seed)
    known = np.sort(rng.permutation(len(task.classes))[: len(task.classes) // 2])
    rows = [rng.permutation(np.flatnonzero(task.test_y == k)) for k in known]
    shots = np.concatenate([own[: min(SHOTS, len(own) // 2)] for own in rows])
    rest = np.setdiff1d(np.arange(len(task.test_y)), shots)
    return _half(task, known, task.test_X, task.test_y, shots, rest)


def imagenet(seed: int) -> Half:
    """Some of the classes of ImageNet that have texts: two images to learn, two to judge."""
    task, rng = imagenet_329(seed), np.random.default_rng(seed)
    X, y = np.concatenate([task.X, task.test_X]), np.concatenate([task.y, task.test_y])
    known = np.sort(rng.permutation(len(task.classes))[:OF_IMAGENET])
    order = np.lexsort((rng.random(len(y)), y)).reshape(len(task.classes), -1)
    return _half(task, known, X, y, order[known, :2].ravel(), order[:, 2:].ravel())


def _half(task: FeatureTask, known: IntArray, X: FloatArray, y: IntArray, shots: IntArray, rest: IntArray) -> Half:
    assert task.text is not None
    column = np.full(len(task.classes), -1)
    column[known] = np.arange(len(known))
    names = [task.classes[k] for k in known]
    return Half(names, X[shots], column[y[shots]], task.text[known], X[rest], column[y[rest]])


def _vocabulary(known: Sequence[str]) -> tuple[list[str], FloatArray]:
    """Names related to no known class, with their unit text vectors."""
    with np.load(SHARED / "models" / "surrogate-clip-b32" / "text_vectors.npz") as arrays:
        names, vectors = [str(name) for name in arrays["names"]], unit_rows(arrays["vectors"].astype(np.float64))
    free = set(unrelated_names(list(known), common_nouns()))
    rows = [row for row, name in enumerate(names) if name in free]
    return [names[row] for row in rows], vectors[rows]


if __name__ == "__main__":
    main()
