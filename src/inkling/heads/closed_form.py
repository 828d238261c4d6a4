"""Heads refitted from statistics of their examples: classes come and go, and no example is read."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inkling.heads.auto import AutoHead
from inkling.heads.base import Head
from inkling.heads.experts import CLOSED_FORM_EXPERTS
from inkling.heads.gda import GDAHead
from inkling.heads.prototype import PrototypeHead
from inkling.heads.standardization import Standardization
from inkling.heads.statistics import Statistics, SummedSupport
from inkling.heads.support import both_sides, unit_blocks
from inkling.heads.threads import threads_for
from inkling.heads.zero_shot import ZeroShotHead
from inkling.types import FloatArray, IntArray

LARGE = 200_000_000
"""Examples x dimensions x classes from which a head in closed form is fitted again from statistics."""
CLOSED_FORM = (GDAHead, PrototypeHead, ZeroShotHead)


@dataclass(frozen=True, eq=False)
class ClosedForm:
    """What a head takes beside statistics.

    Attributes
    ----------
    embedding_dims
        Length of the embedding, the first columns.
    logit_scale
        Factor on cosines of images and texts.
    text
        Text vectors (n_classes, d), NaN where a class has none; None where none has.
    space
        Of the experts of `auto`.
    """

    embedding_dims: int
    logit_scale: float = 100.0
    text: FloatArray | None = None
    space: Standardization | None = None


def is_closed_form(head: Head) -> bool:
    """Whether all that a fitted head consists of follows from class means and one scatter matrix of its examples."""
    if isinstance(head, AutoHead) and head.unlabelled_learned_from is not None:
        return False
    experts = head.experts_.values() if isinstance(head, AutoHead) else (head,)
    return all(isinstance(expert, CLOSED_FORM) for expert in experts)


def is_large(n_examples: int, n_dims: int, n_classes: int) -> bool:
    """Whether fitting anew takes more than the moment that a decision may take."""
    return n_examples * n_dims * n_classes > LARGE


def statistics_of(head: Head, X: FloatArray, y: IntArray, n_classes: int) -> Statistics:
    """Statistics of the examples X (n, n_dims) of a fitted head, with their class indices (n,)."""
    return Statistics.of(*in_both_spaces(head, X), y, n_classes)


def in_both_spaces(head: Head, X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Examples (n, n_dims) with unit blocks, and as the head's experts see them."""
    plain = unit_blocks(X, head.embedding_dims_)
    return plain, _mapped(head, plain)


def _mapped(head: Head, plain: FloatArray) -> FloatArray:
    return Standardization(head.mean_, head.deviations_)(plain) if isinstance(head, AutoHead) else plain


def refit_from_statistics(head: Head, statistics: Statistics, text_vectors: FloatArray | None) -> Head:
    """The head for other examples and classes; its space, and the weights of its experts, stay.

    Parameters
    ----------
    head
        Fitted, in closed form.
    statistics
        Of the examples there are now.
    text_vectors
        (n_classes, d), NaN where a class has none; or None.
    """
    # Several threads that decompose one matrix wait for each other on a busy machine: seconds instead of a tenth.
    with threads_for(0):
        return _refit_from_statistics(head, statistics, text_vectors if _reads_text(head) else None)


def _refit_from_statistics(head: Head, statistics: Statistics, text: FloatArray | None) -> Head:
    support, text = _complete(head, statistics, text)
    refitted = copy(head)
    refitted.classes_ = np.arange(support.n_classes)
    if isinstance(refitted, AutoHead):
        refitted.text_ = np.zeros((0, head.embedding_dims_)) if text is None else text
        refitted.unseen_ = statistics.counts == 0
        refitted.experts_ = {
            name: expert.unfitted().learn(support, embedding_dims=support.n_dims, lightly=True)
            for name, expert in refitted.experts_.items()
        }
        return refitted
    return head.unfitted().learn(replace(support, text=text), embedding_dims=head.embedding_dims_)


def fit_from_statistics(name: str, statistics: Statistics, task: ClosedForm) -> Head:
    """A head, `gda` or `prototype`, or the experts of `auto` without their weights.

    Parameters
    ----------
    name
        Of the head.
    statistics
        Of examples in the space of the task. Each class has one, or a text.
    task
        What else it takes.

    Examples
    --------
    >>> X, y = np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % 3
    >>> statistics = Statistics.of(unit_blocks(X, 4), unit_blocks(X, 4), y, 3)
    >>> head = fit_from_statistics("gda", statistics, ClosedForm(embedding_dims=4))
    >>> bool(np.allclose(head.logits(X), GDAHead().fit(X, y).logits(X)))
    True
    """
    n_classes, n_dims = statistics.sums.shape
    kinds: dict[str, type[Head]] = {kind.name: kind for kind in (AutoHead, *CLOSED_FORM)}
    head = kinds[name](task.text, list(range(n_classes)), task.logit_scale, task.embedding_dims)
    head.classes_, head.embedding_dims_, head.n_features_in_ = np.arange(n_classes), task.embedding_dims, n_dims
    if isinstance(head, AutoHead):
        assert task.space is not None
        head.mean_, head.deviations_ = task.space.mean, task.space.deviations
    with threads_for(0):
        support, text = _complete(head, statistics, task.text)
        if not isinstance(head, AutoHead):
            return head.learn(replace(support, text=text), embedding_dims=task.embedding_dims)
        head.text_ = np.zeros((0, task.embedding_dims)) if text is None else text
        head.unseen_ = statistics.counts == 0
        head.experts_ = {
            expert: make().learn(support, embedding_dims=n_dims, lightly=True)
            for expert, make in CLOSED_FORM_EXPERTS.items()
        }
    return head


def _reads_text(head: Any) -> bool:
    """Whether texts were there when the head was fitted: it does not change its kind."""
    return isinstance(head, PrototypeHead) or bool(head.text_.size)


def _complete(head: Head, statistics: Statistics, text: FloatArray | None) -> tuple[SummedSupport, FloatArray | None]:
    """Support set of the experts, stand-ins included, and the text vectors of all classes."""
    counts, sums = statistics.counts, statistics.sums
    if text is not None:
        d = head.embedding_dims_
        with np.errstate(invalid="ignore"):
            means = statistics.plain_sums / counts[:, None]
        sides = both_sides(
            means[:, :d],
            text,
            overall=statistics.plain_sums.sum(axis=0) / counts.sum(),
            share=1.0 if sums.shape[1] == d else np.sqrt(0.5),
        )
        text, counts, sums = sides.text, counts.copy(), sums.copy()
        counts[sides.absent] = 1
        sums[sides.absent] = _mapped(head, sides.stand_ins)
    n_classes, n_dims = sums.shape
    nothing = np.zeros((0, n_dims)), np.zeros(0, dtype=np.int64)
    return SummedSupport(
        *nothing, int(statistics.counts.sum()), n_classes, None, counts, sums, statistics.scatter
    ), text
