"""Made-up evaluations for the tests of the report and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image
from scipy.special import softmax

from inkling.evaluate.protocol import evaluate_predictions
from inkling.evaluate.results import Evaluation, EvaluationContext
from inkling.reports.content import EvaluatedImages, Exemplars, ReportContext
from inkling.types import FloatArray, IntArray

CLASSES = ("airplane", "boat", "bus", "car")
EVALUATION_KEYS = {
    "n",
    "top1",
    "top5",
    "balanced_accuracy",
    "ece",
    "nll",
    "brier",
    "ci95",
    "zero_shot",
    "mcnemar_p",
    "per_class",
    "head",
    "skipped",
    "encoder_fingerprint",
    "memory_version",
}
"""What the JSON of an evaluation holds."""


def jpeg(seed: int = 0, *, side: int = 96) -> bytes:
    """A noisy thumbnail, larger in bytes than a photograph's."""
    pixels = np.random.default_rng(seed).integers(0, 255, size=(side, side, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def probabilities(n: int, n_classes: int, *, seed: int = 0, skill: float = 2.0) -> tuple[FloatArray, IntArray]:
    """Probabilities (n, n_classes) and true columns (n,); more skill, fewer mistakes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    return softmax(rng.normal(size=(n, n_classes)) + skill * np.eye(n_classes)[y], axis=1), y


def evaluated(
    classes: Sequence[str] = CLASSES,
    *,
    n: int = 80,
    shots: int = 3,
    skill: float = 2.0,
    y: IntArray | None = None,
    paths: Sequence[str] | None = None,
    thumbnail: bytes | None = None,
    **options: Any,
) -> tuple[Evaluation, ReportContext]:
    """An evaluation and the context of its report."""
    p, drawn = probabilities(n, len(classes), skill=skill)
    y = drawn if y is None else y
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(len(classes), 16))
    known = np.repeat(np.arange(len(classes)), shots)
    report = ReportContext(
        memory_name="vehicles.ink",
        test_name="photos/test",
        images=EvaluatedImages(
            paths=paths or [f"test/{i}.jpg" for i in range(n)],
            p=p,
            y=y,
            embeddings=_unit(centres[y] + rng.normal(size=(n, 16))),
            thumbnails=[thumbnail] * n,
        ),
        exemplars=Exemplars(
            paths=[f"train/{j}.jpg" for j in range(len(known))],
            y=known,
            embeddings=_unit(centres[known] + rng.normal(size=(len(known), 16))),
            thumbnails=[thumbnail] * len(known),
        ),
        provenance={"Encoder": "sketch", "Command": "inkling evaluate vehicles.ink photos/test"},
    )
    context = options.pop("context", EvaluationContext())
    return replace(evaluate_predictions(p, y, classes, **options), context=context), report


def _unit(x: FloatArray) -> FloatArray:
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))
