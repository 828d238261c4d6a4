"""Weights between the encoder as it was and as it was tuned (WiSE-FT, Wortsman et al. 2022, 2109.01903).

One training gives every share a of (1 - a) w0 + a w1. Shares below 1 keep more of what the encoder could do before,
above all on images unlike those of the training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from inkling.finetune.training.sharding import split_like
from inkling.heads.auto import AutoHead
from inkling.heads.calibration import fit_temperature
from inkling.heads.evidence import log_loss
from inkling.heads.fold_spaces import FoldSpaces
from inkling.types import FloatArray, IntArray

SHARES = tuple(fifths / 5 for fifths in range(6))
WITHOUT_EVIDENCE = 0.5
"""Share where no images could be held out to choose it."""


@dataclass(frozen=True)
class Point:
    """One share on the curve, judged on images that the training did not see.

    Attributes
    ----------
    share
        Of the tuned weights: 0 is zero-shot, 1 plain fine-tuning.
    log_loss
        Mean over the images.
    top1
        Share of images whose label comes first.
    """

    share: float
    log_loss: float
    top1: float


@dataclass(frozen=True)
class Choice:
    """The share that ships.

    Attributes
    ----------
    share
        Of the tuned weights.
    curve
        What the head `auto` on each share showed out of fold; empty where nothing could be held out.
    texts
        What the texts alone showed, calibrated on the same images.
    reason
        Why this share, in one sentence.
    """

    share: float
    curve: tuple[Point, ...]
    texts: tuple[Point, ...]
    reason: str


def interpolated(start: Mapping[str, Tensor], tuned: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """Weights (1 - a) w0 + a w1 by name; exactly w0 at share 0 and w1 at share 1."""
    return {name: torch.lerp(start[name].to(one), one, share) for name, one in tuned.items()}


def place(model: Any, weights: Mapping[str, Tensor]) -> None:
    """Put weights into a model."""
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in weights.items():
            parameters[name].copy_(split_like(value, parameters[name]))


def curve_of(logits: FloatArray, labels: IntArray, shares: Sequence[float]) -> tuple[Point, ...]:
    """Log-loss and top-1 at each share, from out-of-fold logits (n_shares, n, n_classes)."""
    return tuple(
        Point(share, float(log_loss(z, labels).mean()), float((z.argmax(axis=1) == labels).mean()))
        for share, z in zip(shares, logits, strict=True)
    )


def choose(
    spaces: Sequence[FoldSpaces],
    labels: IntArray,
    shares: Sequence[float] = SHARES,
    *,
    asked: float | None = None,
    logit_scale: float,
    seed: int = 0,
    sources: IntArray | None = None,
) -> Choice:
    """The smallest share that is not worse than the best by more than one standard error, or the one asked for.

    The error is that of the paired difference in log-loss, image by image.

    Parameters
    ----------
    spaces
        Vectors by the encoders of the folds, at each share; shares rise.
    labels
        Class of each image, (n,).
    asked
        One of the shares.
    logit_scale, seed
        As for the head `auto`.
    sources
        Which image each row shows, as the classifier that ships numbers them, so that its figures are those of the
        curve; None counts through.
    """
    held_out = labels[spaces[0].rows]
    texts = curve_of(np.stack([_texts_alone(space, held_out, logit_scale) for space in spaces]), held_out, shares)
    logits = np.stack(
        [under_auto(space, labels, logit_scale=logit_scale, seed=seed, sources=sources) for space in spaces]
    )
    curve = curve_of(logits, held_out, shares)
    if asked is not None:
        return Choice(asked, curve, texts, f"share {asked:g} of the tuned weights was asked for")
    best, chosen = best_and_simplest(logits, held_out)
    reason = (
        f"share {shares[chosen]:g} of the tuned weights is the smallest within one standard error of the best, "
        f"{shares[best]:g} (log-loss {curve[chosen].log_loss:.3f} against {curve[best].log_loss:.3f} out of fold)"
    )
    return Choice(shares[chosen], curve, texts, reason)


def _texts_alone(space: FoldSpaces, held_out: IntArray, logit_scale: float) -> FloatArray:
    """Calibrated logits of the texts, as zero-shot has them where it ships."""
    logits = space.text_logits(logit_scale)
    return logits / fit_temperature(logits, held_out)


def under_auto(
    space: FoldSpaces, labels: IntArray, *, logit_scale: float, seed: int, sources: IntArray | None = None
) -> FloatArray:
    """Logits of the head `auto` for images that neither it nor the encoder saw, (n_rows, n_classes)."""
    head = AutoHead(
        text_vectors=space.classes[0],
        classes=list(range(space.classes.shape[1])),
        logit_scale=logit_scale,
        embedding_dims=space.images.shape[2],
        seed=seed,
    )
    return np.asarray(head.fit(space.images[0], labels, groups=sources, fold_spaces=space).out_of_fold_logits_)


def best_and_simplest(logits: FloatArray, labels: IntArray) -> tuple[int, int]:
    """Index of the lowest log-loss, and of the first one within one standard error of it; logits (n_shares, n, k)."""
    losses = np.stack([log_loss(z, labels) for z in logits])
    best = int(losses.mean(axis=1).argmin())
    excess = losses - losses[best]
    error = excess.std(axis=1, ddof=1) / np.sqrt(len(labels)) if len(labels) > 1 else np.zeros(len(losses))
    return best, int(np.flatnonzero(excess.mean(axis=1) <= error)[0])
