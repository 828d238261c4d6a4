"""How a fitted head errs where it learns from fewer of its vectors. Arrays only."""

from __future__ import annotations

from dataclasses import replace

from inkling.advising.subsets import Measured, measure
from inkling.heads import AutoHead, head_class
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import FloatArray

DRAWS = 4
FEW_SHOTS, FEW_SHOT_DRAWS = 3, 16
"""With fewer images in the median class a fit takes milliseconds, and a draw tells little."""


def errors_of_head(
    vectors: LabelledVectors, fitted: FittedHead, *, draws: int | None = None, seed: int = 0
) -> Measured | None:
    """Subsample the vectors and fit heads of the same kind; None where no class has two images to leave one out.

    `auto` keeps the weights that it found on all images: a few numbers tell nothing of any of them.
    """
    vectors = replace(vectors, fold_spaces=None)
    if draws is None:
        draws = DRAWS if vectors.median_shots >= FEW_SHOTS else FEW_SHOT_DRAWS
    return measure(vectors, lambda part, X: _scores(fitted, part, X, seed=seed), draws=draws, seed=seed)


def _scores(fitted: FittedHead, part: LabelledVectors, X: FloatArray, *, seed: int) -> FloatArray:
    head = head_class(fitted.head.name)(**part.head_options)
    if isinstance(head, AutoHead) and isinstance(fitted.head, AutoHead):
        return head.set_params(seed=seed).refit(part.X, part.y, fitted.head, groups=part.sources).logits(X)
    return head.fit(part.X, part.y).logits(X)
