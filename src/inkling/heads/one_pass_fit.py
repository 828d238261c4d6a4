"""Heads from what one pass kept: closed-form, and calibrated on images that were held out of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from inkling.heads.auto import AutoHead
from inkling.heads.base import Head
from inkling.heads.calibration import fit_temperature
from inkling.heads.closed_form import ClosedForm, fit_from_statistics
from inkling.heads.fitted import FittedHead, HeldOut
from inkling.heads.gda import GDAHead
from inkling.heads.one_pass import HELD_OUT, Seen, per_class, together
from inkling.heads.out_of_fold import MAX_SCORES, MIN_EVIDENCE, OutOfFold
from inkling.heads.prototype import PrototypeHead
from inkling.heads.standardization import EMBEDDING_WEIGHT, Standardization, standardization
from inkling.heads.statistics import Statistics
from inkling.heads.support import Support, unit_blocks, unit_rows
from inkling.heads.whitened import scores_of
from inkling.types import FloatArray, IntArray

ONE_PASS_HEADS = (AutoHead.name, GDAHead.name, PrototypeHead.name)
"""Heads that follow from statistics; the others need all vectors at once."""


def fit_seen(
    name: str, seen: Seen, task: ClosedForm, *, sources: IntArray, seed: int = 0
) -> tuple[FittedHead, Statistics]:
    """A calibrated head, and the statistics of all images that it was learned from.

    A head of the larger half judges images that were held out, which gives temperature, sets and the weights of
    `auto`; the head that comes back is of both halves.

    Parameters
    ----------
    name
        Of `ONE_PASS_HEADS`.
    seen
        What the pass kept, its classes in the order of the columns.
    task
        What the head takes beside it.
    sources
        Source of each image of the sample, (n,).
    seed
        Draws what prediction sets rest on.
    """
    everything = together(*seen.halves)
    first, head = (fit_from_statistics(name, one, task) for one in (_to_learn_first(seen), everything))
    rows = _judged(seen)
    X, y = seen.sample.X[rows], seen.sample.y[rows]
    if isinstance(head, AutoHead) and isinstance(first, AutoHead):
        logits = _expert_logits(first, X, task)
        text = first.text_ if task.text is not None else None
        head.weigh(Support(X, y, len(X), len(seen.classes), text), logits, sources[rows])
        held_out = OutOfFold(rows, head.out_of_fold_logits_)
        temperature, finding, evidence = 1.0, head.finding_, head.evidence_
    else:
        held_out = OutOfFold(rows, first.logits(X).astype(np.float64))
        temperature, finding, evidence = fit_temperature(held_out.logits, y), "as asked for", []
    kept = f"one pass over {seen.n_images} vectors, of which at most {per_class(len(seen.classes))} a class are kept"
    fitted = FittedHead(head, seen.classes, temperature, {}, f"{finding}; {kept}", evidence)
    calibrated = fitted.calibrated(HeldOut(held_out, y, sources[rows], HELD_OUT), seed=seed)
    return calibrated, everything


def enough_held_out(seen: Seen) -> bool:
    """Whether anything can be calibrated."""
    return len(_judged(seen)) > 1


def space_of(X: FloatArray, y: IntArray, n_classes: int, embedding_dims: int) -> Standardization:
    """Space of the experts of `auto`, from a sample (n, d + f) of all images with classes y (n,)."""
    support = Support(unit_blocks(X, embedding_dims), y, len(X), n_classes, None)
    return standardization(support, embedding_dims=embedding_dims, embedding_weight=EMBEDDING_WEIGHT)


def _to_learn_first(seen: Seen) -> Statistics:
    """The half to learn from; a class that has no image there is known by those of the other, as nothing else tells."""
    half, other = seen.halves
    alone = half.counts == 0
    return Statistics(
        np.where(alone, other.counts, half.counts),
        np.where(alone[:, None], other.plain_sums, half.plain_sums),
        np.where(alone[:, None], other.sums, half.sums),
        half.scatter,
    )


def _judged(seen: Seen) -> IntArray:
    """Images of the sample that are held out and whose class is known without them, as many of each class as others."""
    y = seen.sample.y
    rows = np.flatnonzero(seen.sample.held_out & (seen.halves[0].counts > 0)[y])
    counts = np.bincount(y[rows], minlength=len(seen.classes))
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    limit = max(MAX_SCORES // len(seen.classes), MIN_EVIDENCE)
    return np.sort(rows[np.argsort(rank, kind="stable")[:limit]])


def _expert_logits(head: AutoHead, X: FloatArray, task: ClosedForm) -> FloatArray:
    """Logits (n_experts, n, n_classes) of zero-shot, where there are texts, and of the experts."""
    assert task.space is not None
    rows = unit_blocks(X, task.embedding_dims)
    experts: Mapping[str, Head] = head.experts_
    scores = [*scores_of(experts, task.space(rows)).values()]
    if task.text is not None:
        scores.insert(0, task.logit_scale * unit_rows(rows[:, : task.embedding_dims]) @ head.text_.T)
    return np.stack([one.astype(np.float64) for one in scores])
