"""The experts that `auto` blends. They see images only; text comes in by its own weight.

The three err differently: cosines to whitened means hold with few images, the Gaussian model tells apart what is alike,
and logistic regression draws the borders that the two misplace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from inkling.heads.base import Head
from inkling.heads.gda import GDAHead
from inkling.heads.local_gda import LocalGDAHead
from inkling.heads.logistic import LogisticHead
from inkling.heads.prototype import PrototypeHead
from inkling.heads.support import Support
from inkling.types import FloatArray, IntArray

MIN_SHOTS_TO_WEIGH = 3
"""Below it a fold halves the support of a class, and weights found there do not fit the whole."""
SHRINKAGE = 0.7
"""Of prototypes, from three images a class on, or where unlabelled images tell of the covariance."""
FEW_SHOT_SHRINKAGE = {1: 0.98, 2: 0.9}
"""Of prototypes, by images in the median class: one image a class tells little of a covariance."""
FEW_SHOT_TEXT_WEIGHT = 4.0 / 18.0
"""Weight of prototypes beside zero-shot where none can be found: 4 on cosines to means, 100 on those to texts."""
ONE_SHOT_WEIGHT = 1.0 / 1.2
"""Of prototypes without texts, from one image a class: nothing can be held out, so the scale is the one that leaves the
worst of five data sets least miscalibrated; the same to .02 whichever of them is left out of the choice
(`docs/decisions/auto-head.md`)."""
UNLABELLED_WEIGHT = 1.1
"""The same from one or two images and unlabelled ones, which leave scores too even (`docs/decisions/unlabelled.md`)."""
PRIOR_SHARE = 0.5
"""Of the fixed scale beside the one found out of fold, in logarithms, where folds halve two images a class."""
UNLABELLED_PRIOR_SHARE = 1.0
"""The same with unlabelled images: one image a class fewer costs more there, so the scale of the folds is too low."""
MAX_LOGISTIC_WORK = 2_000_000_000
"""Examples x dimensions x classes up to which logistic regression is fitted: with its folds in some ten seconds.
Beyond, the other two lose little without it (`docs/decisions/auto-head.md`)."""
MAX_LOCAL_WORK = 10_000_000_000
"""Up to which an accepted class may have the experts fitted again on all examples: some two seconds."""

ZERO_SHOT = "zero-shot"

SURE = 0.99999
"""Above it a closer look changed no decision on the validation images of twelve tasks (4 to 16 images a class), and
with 16 images a class nine test images in ten are as sure."""

EXPERTS: Mapping[str, Callable[[], Head]] = {
    "prototype": lambda: PrototypeHead(shrinkage=SHRINKAGE, shrink_means=True),
    "local-gda": lambda: LocalGDAHead(sure=SURE),
    "logistic": lambda: LogisticHead(shrinkage=0.8),
}
CLOSED_FORM_EXPERTS: Mapping[str, Callable[[], Head]] = {
    "prototype": lambda: PrototypeHead(shrinkage=SHRINKAGE),
    "gda": lambda: GDAHead(posterior=True),
}
"""For the largest tasks: fitted again from statistics, without an example, when a class is accepted (`closed_form`)."""


@dataclass(frozen=True)
class Experts:
    """The experts for one task.

    Attributes
    ----------
    makers
        How to make each expert of the image side.
    fixed_weights
        Weights of the blend, zero-shot's first where there is text, if there are too few images to find them; only
        their common scale is then fitted. None where the weights are found out of fold.
    unlabelled
        Unlabelled images that they learn from too, rows with unit blocks (n_unlabelled, n_dims); None: there is none.
    """

    makers: Mapping[str, Callable[[], Head]]
    fixed_weights: tuple[float, ...] | None
    unlabelled: FloatArray | None = None


def too_few_to_weigh(shots: IntArray) -> bool:
    """Whether the median class has too few source images, (n_classes,), to find weights and their scale on."""
    return bool(np.median(shots[shots > 0]) < MIN_SHOTS_TO_WEIGH)


def experts_for(support: Support, shots: IntArray, unlabelled: FloatArray | None = None) -> Experts:
    """Experts for a support set with `shots` source images of each class, (n_classes,), and unlabelled images."""
    if too_few_to_weigh(shots):
        median = np.median(shots[shots > 0])
        shrinkage = FEW_SHOT_SHRINKAGE[int(median)] if unlabelled is None else SHRINKAGE
        scale = UNLABELLED_WEIGHT if unlabelled is not None else ONE_SHOT_WEIGHT if median == 1 else 1.0
        fixed_weights = (scale,) if support.text is None else (1.0, FEW_SHOT_TEXT_WEIGHT)
        return Experts({"prototype": lambda: PrototypeHead(shrinkage=shrinkage)}, fixed_weights, unlabelled)
    return Experts(_weighed(support.X.size * support.n_classes), None, unlabelled)


def _weighed(work: int) -> Mapping[str, Callable[[], Head]]:
    """Experts whose weights are found, by examples x dimensions x classes."""
    if work > MAX_LOCAL_WORK:
        return CLOSED_FORM_EXPERTS
    return EXPERTS if work <= MAX_LOGISTIC_WORK else {name: EXPERTS[name] for name in ("prototype", "local-gda")}
