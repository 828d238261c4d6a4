"""Whether unlabelled images help `auto`: decided on labelled images that were held out from both fits."""

from __future__ import annotations

from typing import Any

import numpy as np

from inkling.heads.auto import GAIN_LEVEL, AutoHead
from inkling.heads.evidence import Evidence, gain_p_value
from inkling.heads.experts import too_few_to_weigh
from inkling.heads.support import shots_of
from inkling.types import FloatArray, IntArray

LEAST_PRESENCE = 0.83
"""Share of the classes that they seem to be of at least where nothing can be held out: with one image a class, images
of half the classes pulled the means of the others astray (`docs/decisions/unlabelled.md`)."""
LEAST_CLASSES = 10
"""Classes that there are at least where nothing can be held out: of five, two that they lacked went unnoticed."""
FEW_GAIN_LEVEL = 0.001
"""Level of the paired test with two images a class: folds leave one, and what helps one may not help two."""


def fit_with_unlabelled(
    head: AutoHead, X: FloatArray, y: Any, unlabelled: FloatArray, *, groups: IntArray | None = None
) -> AutoHead:
    """Fit a head with and without unlabelled images; with them it is where they are shown to help.

    Parameters
    ----------
    head
        Unfitted.
    X, y, groups
        As for `AutoHead.fit`.
    unlabelled
        Vectors (n_unlabelled, n_dims) of images that nobody has labelled, of known classes or not.

    Returns
    -------
    AutoHead
        Whose finding says what became of them. It keeps the images, so that it can be fitted again.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> centres = rng.normal(size=(4, 32))
    >>> X, more = (centres.repeat(n, axis=0) + 2.0 * rng.normal(size=(4 * n, 32)) for n in (2, 50))
    >>> fitted = fit_with_unlabelled(AutoHead(), X, np.arange(4).repeat(2), more)
    >>> fitted.kept_unlabelled[0].shape
    (200, 32)
    """
    plain = head.fit(X, y, groups=groups)
    joined = head.unfitted().fit(X, y, groups=groups, unlabelled=unlabelled)
    columns = np.searchsorted(plain.classes_, np.asarray(y))
    sources = np.arange(len(columns)) if groups is None else groups
    shots = shots_of(columns, sources, len(plain.classes_))
    rows, few = plain.out_of_fold_rows_, too_few_to_weigh(shots)
    taken, told = _compared(plain, joined, columns[rows], sources[rows], n_unlabelled=len(unlabelled), few=few)
    ships = joined if taken else plain
    ships.finding_ = f"{ships.finding_}; {told}"
    return ships.keep_unlabelled(unlabelled, taken)


def _compared(
    plain: AutoHead, joined: AutoHead, y: IntArray, sources: IntArray, *, n_unlabelled: int, few: bool
) -> tuple[bool, str]:
    """Whether the unlabelled images take part, and why, by the classes and sources of the images held out."""
    if not joined.n_alike_:
        return False, f"none of the {n_unlabelled} unlabelled images looks like one of the classes"
    alike = f"{joined.n_alike_} of {n_unlabelled} unlabelled images"
    if not len(y):
        share = f"they seem to be of {joined.presence_:.0%} of the classes"
        if len(plain.classes_) < LEAST_CLASSES:
            share = f"with fewer than {LEAST_CLASSES} classes one that they lack would weigh too much"
        elif joined.presence_ >= LEAST_PRESENCE:
            return True, f"{alike} take part without evidence: {share}"
        return False, f"{alike} look like the classes but none counts, as nothing can be held out: {share}"
    without, beside = (Evidence.of(one.chosen_, one.out_of_fold_logits_, y, sources=sources) for one in (plain, joined))
    p = gain_p_value(beside, without)
    compared = f"{beside.top1:.1%} against {without.top1:.1%} top-1 out of fold; p = {p:.2g}"
    gained = p < (FEW_GAIN_LEVEL if few else GAIN_LEVEL) and beside.top1 >= without.top1
    if gained and few and joined.presence_ < LEAST_PRESENCE:
        told = f"they seem to be of {joined.presence_:.0%} of the classes, and folds leave one image a class"
        return False, f"{alike} look like the classes but none counts: {told} ({compared})"
    if gained:
        return True, f"{alike} take part ({compared})"
    return False, f"{alike} look like the classes but none counts, no gain detected ({compared})"
