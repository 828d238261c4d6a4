"""Unknown images after fine-tuning: how many known ones are called unknown at 10 %, and how well others are detected.

The embedded miniature is tuned on seven of the drawn kinds that it was not trained on; the other three are unknown.
Three detectors judge fresh pictures: that of the encoder as it was, that of the tuned encoder calibrated by the
trainings that left images out, and what the tuned vectors of its own images would give with ordinary folds.

    python bench/finetune_unknown.py
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL.Image import Image

from common import ROOT, Row, at_least, at_most, record
from inkling.classifier.few_shot import FewShotClassifier
from inkling.finetune.finetuner import FineTuner
from inkling.finetune.members import member_probabilities
from inkling.finetune.recipe import Recipe, preset
from inkling.finetune.shipping import judge
from inkling.images.handed_over import records_of
from inkling.sketch import HELD_OUT, draw
from inkling.types import FloatArray
from inkling.unknown import UnknownDetector, mutual_information
from inkling.unknown.fusion import auroc

DRAWS, N_KNOWN, SHOTS, N_TEST = 5, 7, 16, 60
RATE = 0.1
SHARES = (0.6, 1.0)
STEPS, LEARNING_RATE = 100, 1e-3
BEFORE, TUNED, NAIVE = "encoder as it was", "tuned, by trainings that left images out", "tuned, by ordinary folds"
FIRST_SEED = 500

Figures = Mapping[str, float]


def main() -> None:
    """Measure, print and keep."""
    torch.set_num_threads(1)  # the miniature's matrices are too small to share among cores
    found: dict[float, list[dict[str, Figures]]] = {share: [] for share in SHARES}
    for seed in range(FIRST_SEED, FIRST_SEED + DRAWS):
        with tempfile.TemporaryDirectory() as folder:
            for resume, share in enumerate(SHARES):
                found[share].append(measure(seed, share, Path(folder) / "run", resume=bool(resume)))
    rows = [row for share, draws in found.items() for row in rows_of(share, draws)]
    recipe = recipe_of(FIRST_SEED, SHARES[0]).to_json()
    path = record("finetune_unknown", rows, seed=FIRST_SEED, encoder="sketch", recipe=recipe, draws=DRAWS)
    print(f"Kept in {path.relative_to(ROOT)}")


def recipe_of(seed: int, share: float) -> Recipe:
    """Last blocks, shortened for the miniature."""
    return preset("last-blocks").changed(steps=STEPS, learning_rate=LEARNING_RATE, interpolate=share, seed=seed)


def measure(seed: int, share: float, output: Path, *, resume: bool) -> dict[str, Figures]:
    """Figures of each detector on fresh pictures of known and of other kinds; nothing is trained twice for a share."""
    kinds = np.random.default_rng(seed).permutation(HELD_OUT)
    known, others = pictures(kinds[:N_KNOWN], N_TEST, seed=seed + 1), pictures(kinds[N_KNOWN:], N_TEST, seed=seed + 2)
    images, labels = pictures(kinds[:N_KNOWN], SHOTS, seed=seed), np.repeat(kinds[:N_KNOWN], SHOTS).tolist()
    tuner = FineTuner("sketch", recipe_of(seed, share), device="cpu")
    tuned = tuner.fit(images, labels, output=output, resume=resume)
    judged = judge(tuner, tuned, false_alarms=RATE, cache=False)
    fitted = judged.fine_tuned.fitted
    naive = UnknownDetector.fit(fitted.vectors, false_alarms=RATE, seed=seed)
    told, before = fitted.detector, judged.head.fitted.detector
    assert told is not None
    assert before is not None
    X, others_X = (embedded(judged.fine_tuned, some) for some in (known, others))
    figures = {TUNED: figures_of(told, X, others_X), NAIVE: figures_of(naive, X, others_X)}
    figures[BEFORE] = figures_of(before, *(embedded(judged.head, some) for some in (known, others)))
    disagreement = [mutual_information(member_probabilities(output, some)) for some in (others, known)]
    return {**figures, "members": {"auroc": auroc(*disagreement)}}


def figures_of(detector: UnknownDetector, known: FloatArray, others: FloatArray) -> Figures:
    """Share of either kind that is called unknown, how well they are separated, and what was promised."""
    return {
        "false_alarms": float(detector.is_unknown(known).mean()),
        "found": float(detector.is_unknown(others).mean()),
        "auroc": auroc(detector.fused_scores(others), detector.fused_scores(known)),
        "at_most": detector.conformal.rate_range(RATE, n_images=len(known)).high,
    }


def rows_of(share: float, draws: Sequence[Mapping[str, Figures]]) -> list[Row]:
    """Means over the draws, with each draw in the details."""

    def values(detector: str, what: str) -> list[float]:
        return [draw[detector][what] for draw in draws]

    def mean(detector: str, what: str) -> tuple[str, float, dict[str, Any]]:
        each = values(detector, what)
        return f"share {share:g}: {what.replace('_', ' ')}, {detector}", float(np.mean(each)), {"each": each}

    kept = [one <= most for one, most in zip(values(TUNED, "false_alarms"), values(TUNED, "at_most"), strict=True)]
    rows = [
        Row(*mean(detector, what)[:2], details=mean(detector, what)[2])
        for detector in (BEFORE, TUNED, NAIVE)
        for what in ("false_alarms", "found", "auroc")
    ]
    title, got, details = mean("members", "auroc")
    return [
        *rows,
        Row(title.replace("members", "mutual information of the trainings"), got, details=details),
        at_most(f"share {share:g}: false alarms at 10 % requested, mean", mean(TUNED, "false_alarms")[1], RATE),
        at_least(f"share {share:g}: draws at or below the upper end that was stated", float(np.mean(kept)), 0.9),
    ]


def pictures(kinds: Sequence[str], per_kind: int, *, seed: int) -> list[Image]:
    """So many of each kind, one kind after the other."""
    numbers = [(str(kind), 10_000 * seed + number) for kind in kinds for number in range(per_kind)]
    return [draw(kind, seed=number, size=64) for kind, number in numbers]


def embedded(classifier: FewShotClassifier, images: Sequence[Image]) -> FloatArray:
    """Vectors of images."""
    return classifier.embed(records_of(images)).X


if __name__ == "__main__":
    main()
