"""A head fitted and calibrated: from arrays to probabilities that can be believed. Arrays only.

Probabilities are softmax(z / T). T is found on out-of-fold logits, never on logits of images that the head was fitted
on (Guo et al. 2017, 1706.04599).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inkling.heads import AutoHead, Head, head_class, head_from_state
from inkling.heads.calibration import (
    apply_temperature,
    brier_score,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
)
from inkling.heads.experts import too_few_to_weigh
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.out_of_fold import OutOfFold, number_of_folds, out_of_fold
from inkling.heads.prediction_sets import SetCalibration
from inkling.heads.support import shots_of
from inkling.heads.unlabelled import fit_with_unlabelled
from inkling.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A head with its temperature and what fitting found out.

    Attributes
    ----------
    head
        Fitted.
    classes
        Names of the columns.
    temperature
        T of softmax(z / T).
    calibration
        T, what it rests on (`basis`: ``out of fold``, ``prior``, ``unlabelled`` or ``none``), the number of images, and
        ECE, NLL, Brier before and after; as JSON can hold it. Memories of earlier releases lack the basis.
    finding
        What the evidence says, in one sentence.
    evidence
        Out-of-fold figures of the candidates, for `auto`.
    held_out
        Logits of images that the head did not see; None where it was read from a memory, which keeps their figures
        alone.
    set_calibration
        What prediction sets rest on; None where a release before they came wrote the memory.
    """

    head: Head
    classes: tuple[str, ...]
    temperature: float
    calibration: Mapping[str, Any]
    finding: str
    evidence: Sequence[Mapping[str, Any]]
    held_out: OutOfFold | None = None
    set_calibration: SetCalibration | None = None

    def logits(self, X: FloatArray) -> FloatArray:
        """Class scores (n, n_classes) before the temperature."""
        return self.head.logits(X)

    def probabilities(self, X: FloatArray) -> FloatArray:
        """Calibrated probabilities (n, n_classes)."""
        return apply_temperature(self.logits(X), self.temperature)

    @property
    def unlabelled(self) -> FloatArray | None:
        """Unlabelled images (n_unlabelled, d + f) that the head was offered, for the next fit; None: none was."""
        return self.head.kept_unlabelled[0] if isinstance(self.head, AutoHead) else None

    @classmethod
    def fit(cls, name: str, vectors: LabelledVectors, *, seed: int, previous: FittedHead | None = None) -> FittedHead:
        """Fit a head and its temperature.

        Parameters
        ----------
        name
            Name of the head.
        vectors
            Labelled vectors. Those of `auto` may bring the spaces of encoders that were not tuned on them.
        seed
            Draws the folds.
        previous
            For `auto`: an earlier fit whose weights, temperature and findings hold, for a class more or less.
        """
        X, y, sources = vectors.X, vectors.y, vectors.sources
        head = head_class(name)(**vectors.head_options)
        if isinstance(head, AutoHead) and previous is not None and isinstance(previous.head, AutoHead):
            head.set_params(seed=seed).refit(X, y, previous.head, groups=sources)
            return replace(previous, head=_as_kept(head), classes=vectors.classes, held_out=None)
        if isinstance(head, AutoHead):
            # Its weights are found on out-of-fold logits by log-loss, so the temperature is in them.
            head.set_params(seed=seed)
            if vectors.unlabelled is None:
                head.fit(X, y, groups=sources, fold_spaces=vectors.fold_spaces)
            else:
                head = fit_with_unlabelled(head, X, y, vectors.unlabelled, groups=sources)
            held_out = OutOfFold(head.out_of_fold_rows_, head.out_of_fold_logits_)
            temperature, finding, evidence = 1.0, head.finding_, head.evidence_
        else:
            held_out = out_of_fold(head, X, y, sources, seed=seed)
            temperature = fit_temperature(held_out.logits, y[held_out.rows]) if len(held_out.rows) else 1.0
            finding, evidence = "as asked for", []
            head.fit(X, y)
        seen = HeldOut(held_out, y[held_out.rows], sources[held_out.rows], _folds(vectors))
        basis = _basis(head, vectors, len(seen.y))
        fitted = cls(head, vectors.classes, temperature, {}, finding, evidence)
        return fitted.calibrated(seen, basis=basis, seed=seed)

    def calibrated(self, seen: HeldOut, *, basis: str = "out of fold", seed: int) -> FittedHead:
        """The same with what its probabilities and sets rest on."""
        p = apply_temperature(seen.scores.logits, self.temperature)
        sets = SetCalibration.of(p, seen.y, self.classes, sources=seen.sources, folds=seen.folds, seed=seed)
        calibration = _calibration(seen.scores, seen.y, self.temperature, basis=basis)
        head = _as_kept(self.head)
        return replace(self, head=head, calibration=calibration, held_out=seen.scores, set_calibration=sets)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Images that a head did not see.

    Attributes
    ----------
    scores
        Logits of them.
    y, sources
        Their classes and sources, (n,).
    folds
        In how many folds they were held out.
    """

    scores: OutOfFold
    y: IntArray
    sources: IntArray
    folds: int


def _as_kept(head: Head) -> Head:
    """As a memory gives it back, so that what is used from the start is the same to the last bit."""
    return head_from_state(head.state())


def _folds(vectors: LabelledVectors) -> int:
    """In how many folds images were held out."""
    spaces = vectors.fold_spaces
    if spaces is not None:
        return len(np.unique(spaces.fold[spaces.fold >= 0]))
    return number_of_folds(vectors.y, vectors.sources, vectors.n_classes)


def _basis(head: Head, vectors: LabelledVectors, n_seen: int) -> str:
    """What the scale of probabilities rests on, with `n_seen` images held out."""
    if isinstance(head, AutoHead):
        shots = shots_of(vectors.y, vectors.sources, vectors.n_classes)
        if head.unlabelled_learned_from is not None and too_few_to_weigh(shots):
            return "unlabelled"
    return "out of fold" if n_seen else "prior" if isinstance(head, AutoHead) else "none"


def _calibration(held_out: OutOfFold, y: IntArray, temperature: float, *, basis: str) -> dict[str, Any]:
    if not len(y):
        return {"temperature": temperature, "basis": basis, "n": 0, "top1": None, "before": None, "after": None}
    return {
        "temperature": temperature,
        "basis": basis,
        "n": len(y),
        "top1": float((held_out.logits.argmax(axis=1) == y).mean()),
        "before": _measures(apply_temperature(held_out.logits, 1.0), y),
        "after": _measures(apply_temperature(held_out.logits, temperature), y),
    }


def _measures(p: FloatArray, y: IntArray) -> dict[str, float]:
    return {
        "ece": expected_calibration_error(p, y),
        "nll": negative_log_likelihood(p, y),
        "brier": brier_score(p, y),
    }
