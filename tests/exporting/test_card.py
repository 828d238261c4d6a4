"""The model card claims no more than was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkling import FewShotClassifier
from inkling.classifier.fitted import FittedClassifier
from inkling.exporting.card import write_card
from inkling.exporting.manifest import Origin, manifest_of
from inkling.exporting.parity import compare, expected_answers


@pytest.mark.parametrize(
    ("shots", "head", "words"),
    [
        (1, "auto", "learned elsewhere, not measured"),
        (1, "gda", "scores, not measured odds"),
        (6, "auto", "is meant as it reads"),
    ],
)
def test_what_probabilities_rest_on(shots: int, head: str, words: str, tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(3 * shots, 8)) + np.repeat(4 * np.eye(3, 8), shots, axis=0)
    fitted = FewShotClassifier(head=head).fit_embeddings(X, np.repeat(["ant", "bee", "cat"], shots)).fitted
    promises = card_of(manifest(fitted), tmp_path).partition("## Promises")[2]
    assert words in promises
    assert ("is meant as it reads" in promises) == (shots > 1)


def test_a_memory_of_before_says_not_what_its_calibration_rests_on(tmp_path: Path) -> None:
    fitted = FewShotClassifier(head="auto").fit_embeddings(np.eye(3, 8), ["ant", "bee", "cat"]).fitted
    told = manifest(fitted)
    del told["head"]["calibration"]["basis"]
    assert "scores, not measured odds" in card_of(told, tmp_path)


def test_a_scale_that_unlabelled_images_made_lower_is_named(tmp_path: Path) -> None:
    fitted = FewShotClassifier(head="auto").fit_embeddings(np.eye(3, 8), ["ant", "bee", "cat"]).fitted
    told = manifest(fitted)
    told["head"]["calibration"]["basis"] = "unlabelled"
    assert "mostly lower than right" in card_of(told, tmp_path)


def manifest(fitted: FittedClassifier) -> dict[str, Any]:
    """As of an export in ONNX that answers as the classifier does."""
    paths, labels = fitted.samples.paths, fitted.samples.labels
    answers = expected_answers(fitted, fitted.samples.X, paths=paths, labels=labels)
    preprocessing = {"shorter_side": 24, "shorter_sides": [24], "draft_margin": 2}
    written = {"outputs": [], "preprocessing": preprocessing, "compared_with": "Inkling", "checked_with": "exemplars"}
    licences = {"encoder": "none", "export": None}
    made = manifest_of(
        fitted, None, format="onnx", precision="float32", origin=Origin(), licences=licences, written=written
    )
    return {**made, "parity": compare(answers, answers).payload()}


def card_of(told: dict[str, Any], folder: Path) -> str:
    write_card(folder, told)
    return (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
