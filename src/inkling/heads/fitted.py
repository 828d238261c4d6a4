"""A head fitted and calibrated: from arrays to probabilities that can be believed. Arrays only.

Probabilities are softmax(z / T). T is found on out-of-fold logits, never on logits of images that the head was fitted
on (Guo et al. 2017, 1706.04599).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from inkling.heads import AutoHead, Head, head_class, head_from_state
from inkling.heads.calibration import (
    apply_temperature,
    brier_score,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
)
from inkling.heads.fold_spaces import FoldSpaces
from inkling.heads.out_of_fold import OutOfFold, out_of_fold
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
        T, the number of images that it rests on, and ECE, NLL, Brier before and after; as JSON can hold it.
    finding
        What the evidence says, in one sentence.
    evidence
        Out-of-fold figures of the candidates, for `auto`.
    held_out
        Logits of images that the head did not see; None where it was read from a memory, which keeps their figures
        alone.
    """

    head: Head
    classes: tuple[str, ...]
    temperature: float
    calibration: Mapping[str, Any]
    finding: str
    evidence: Sequence[Mapping[str, Any]]
    held_out: OutOfFold | None = None

    def logits(self, X: FloatArray) -> FloatArray:
        """Class scores (n, n_classes) before the temperature."""
        return self.head.logits(X)

    def probabilities(self, X: FloatArray) -> FloatArray:
        """Calibrated probabilities (n, n_classes)."""
        return apply_temperature(self.logits(X), self.temperature)

    @classmethod
    def fit(
        cls,
        name: str,
        X: FloatArray,
        y: IntArray,
        *,
        classes: Sequence[str],
        sources: IntArray,
        text_vectors: FloatArray | None,
        logit_scale: float,
        embedding_dims: int,
        seed: int,
        fold_spaces: FoldSpaces | None = None,
        like: FittedHead | None = None,
    ) -> Self:
        """Fit a head and its temperature.

        Parameters
        ----------
        name
            Name of the head.
        X, y
            Vectors (n, d + f), and for each the index of its class in `classes`.
        classes
            Names, sorted.
        sources
            Which source image each row is a view of, (n,).
        text_vectors
            (n_classes, d), NaN where a class has none; or None.
        logit_scale
            Factor on cosines to texts.
        embedding_dims
            d.
        seed
            Draws the folds.
        fold_spaces
            Where the encoder was tuned on the images of X, for `auto`: their vectors by encoders that were not.
        like
            For `auto`: an earlier fit whose weights, temperature and findings hold, for a class more or less.
        """
        head = head_class(name)(
            text_vectors=text_vectors,
            classes=list(range(len(classes))),
            logit_scale=logit_scale,
            embedding_dims=embedding_dims,
        )
        if isinstance(head, AutoHead) and like is not None and isinstance(like.head, AutoHead):
            head.set_params(seed=seed).fit_like(X, y, like.head, groups=sources)
            again = head_from_state(head.state())
            return cls(again, tuple(classes), like.temperature, like.calibration, like.finding, like.evidence)
        if isinstance(head, AutoHead):
            # Its weights are found on out-of-fold logits by log-loss, so the temperature is in them.
            head.set_params(seed=seed).fit(X, y, groups=sources, fold_spaces=fold_spaces)
            held_out = OutOfFold(head.out_of_fold_rows_, head.out_of_fold_logits_)
            temperature, finding, evidence = 1.0, head.finding_, head.evidence_
        else:
            held_out = out_of_fold(head, X, y, sources, seed=seed)
            temperature = fit_temperature(held_out.logits, y[held_out.rows]) if len(held_out.rows) else 1.0
            finding, evidence = "as asked for", []
            head.fit(X, y)
        calibration = _calibration(held_out, y[held_out.rows], temperature)
        # What a memory gives back is what is used from the start, to the last bit.
        kept = head_from_state(head.state())
        return cls(kept, tuple(classes), temperature, calibration, finding, evidence, held_out)


def _calibration(held_out: OutOfFold, y: IntArray, temperature: float) -> dict[str, Any]:
    if not len(y):
        return {"temperature": temperature, "n": 0, "top1": None, "before": None, "after": None}
    return {
        "temperature": temperature,
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
