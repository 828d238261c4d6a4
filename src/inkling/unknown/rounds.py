"""Fits that did not see what they judge: images held out for calibration, classes left out for the choice of scores.

Up to `N_GROUPS` classes each is left out alone; more are dealt into that many groups. Fits are repeated as long as they
are cheap: with many images, a single fold and a single group have to do, and they hold enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkling.types import BoolArray, FloatArray, IntArray
from inkling.unknown.fusion import Evidence, Scale
from inkling.unknown.known_classes import Known
from inkling.unknown.scores import SCORES, TRUSTED, score_table
from inkling.unknown.task import Task

N_FOLDS = 8
"""Of the images that scores are calibrated on: a fit misses few, so its scores are like those of the whole."""
N_GROUPS = 8
"""Of the classes; up to so many are left out one by one."""
N_FOLDS_BESIDE = 4
"""Of the images that are held out beside left-out classes: enough of them to compare with."""
MIN_KNOWN = 2
"""Known images in a round, to put scores on one scale."""
MAX_WORK = 4_000_000_000
"""Multiplications of all fits of one kind, n_images x n_dims x min(n_images, n_dims) each: about two seconds."""
MIN_CLASSES = 3
"""With fewer, leaving one out leaves nothing to tell apart."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Scores of images from fits that did not see them.

    Attributes
    ----------
    table
        (n, n_scores).
    y
        Class of each image, (n,).
    names
        Of the scores.
    dropped
        Why some scores can't be computed in such a fit, by name.
    """

    table: FloatArray
    y: IntArray
    names: tuple[str, ...]
    dropped: dict[str, str]


def n_fits(task: Task) -> int:
    """How many fits are cheap enough, at least one."""
    return max(MAX_WORK // int(task.X.size * min(task.X.shape)), 1)


def calibrate(task: Task, known: Known, wanted: Sequence[str]) -> Calibration:
    """Wanted scores of the support's own images, fold by fold; `known` is the fit on all of them."""
    names, dropped = _tellable(wanted, known)
    fits = []
    for beside, held in task.held_out(N_FOLDS)[: n_fits(task)]:
        rows = beside.judged(held)
        if rows.any():
            part = beside.fit(~held)
            names, fewer = _tellable(names, part)
            dropped |= fewer
            fits.append((part, rows, beside))
    tables = [score_table(part, beside.X[rows], names) for part, rows, beside in fits]
    y = np.concatenate([np.zeros(0, dtype=np.int64), *(beside.y[rows] for _, rows, beside in fits)])
    return Calibration(np.concatenate([np.zeros((0, len(names))), *tables]), y, names, dropped)


def leave_classes_out(task: Task, names: tuple[str, ...]) -> Evidence | None:
    """What the scores make of classes that were left out.

    None with too few classes or images to tell, or an encoder that was tuned to tell these very classes apart.
    """
    shown = np.flatnonzero(np.bincount(task.y, minlength=task.n_classes))
    if len(shown) < MIN_CLASSES or task.spaces is not None:
        return None
    group = np.full(task.n_classes, -1)
    group[np.random.default_rng(task.seed).permutation(shown)] = np.arange(len(shown)) % N_GROUPS
    fold = task.folds(N_FOLDS_BESIDE)
    n_groups = min(n_fits(task), N_GROUPS, len(shown))
    n_held = int(np.clip(n_fits(task) // N_GROUPS, 1, N_FOLDS_BESIDE))
    rounds = [
        (left_out, _left_out(task, names, group == left_out, fold == (left_out + held) % N_FOLDS_BESIDE))
        for left_out in range(n_groups)
        for held in range(n_held)
    ]
    rounds = [(part, one) for part, one in rounds if (~one.unknown).sum() >= MIN_KNOWN]
    if not rounds:
        return None
    evidence = Evidence.together([one for _, one in rounds], [part for part, _ in rounds])
    return evidence if evidence.can_be_nested else None


def _left_out(task: Task, names: tuple[str, ...], classes: BoolArray, held: BoolArray) -> Evidence:
    """Images of the `classes` (n_classes,), and the `held` (n,) ones of others, judged by a fit without them."""
    unknown = classes[task.y]
    known = task.fit(~held, without=classes)
    rows = [np.flatnonzero(task.judged(part)) for part in (held & ~unknown, unknown)]
    judged = np.concatenate(rows)
    is_unknown, table = unknown[judged], np.zeros((len(judged), len(names)))
    # A score that can't be computed without these classes takes no part in this round.
    told = [name in _tellable(names, known)[0] for name in names]
    table[:, told] = score_table(known, task.X[judged], tuple(np.array(names)[told]))
    scaled = Scale.of(table[~is_unknown])(table) if len(rows[0]) else table
    trusted = np.isin(names, TRUSTED) & (not len(known.text))
    return Evidence(scaled, is_unknown, task.y[judged], np.zeros(len(judged), dtype=np.int64), trusted)


def _tellable(wanted: Sequence[str], known: Known) -> tuple[tuple[str, ...], dict[str, str]]:
    """Which of the scores can be computed, and why the others can't."""
    reasons = {name: SCORES[name].lacks(known) for name in wanted}
    dropped = {name: reason for name, reason in reasons.items() if reason is not None}
    return tuple(name for name in wanted if name not in dropped), dropped
