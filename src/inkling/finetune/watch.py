"""When a training must stop: numbers that are none, and losses that no learning explains."""

from __future__ import annotations

import math
from collections.abc import Sequence

from inkling.errors import InklingError

WINDOW = 10
"""Steps whose mean loss is judged: single batches may be bad luck."""

_FILES_NAMED = 8


class DivergedError(InklingError):
    """A training was stopped since it destroyed what it should improve."""


def check_finite(loss: float, gradient_norm: float, *, step: int, paths: Sequence[str], rate: float) -> None:
    """Stop at the first loss or gradient that is no number.

    Raises
    ------
    DivergedError
        Names the step, the images of the batch, and what to change.
    """
    if math.isfinite(loss) and math.isfinite(gradient_norm):
        return
    what = f"loss is {loss}" if not math.isfinite(loss) else f"gradient's norm is {gradient_norm}"
    raise DivergedError(
        f"The training was stopped at step {step + 1}: the {what}. {_batch(paths)}",
        remedy=f"{_lower(rate)} If that step fails again, look at these images.",
    )


def check_learning(losses: Sequence[float], *, n_classes: int, step: int, rate: float) -> None:
    """Stop where the latest losses are far above where the training began, or no better than guessing.

    With the loss ln K of guessing among the K classes that a batch compares, the mean of the last `WINDOW` losses must
    stay below twice the larger of the first loss and ln K; and below ln K where the first loss was under three
    quarters of it.

    Parameters
    ----------
    losses
        The first loss of the training, then the latest ones, `WINDOW` at most.

    Raises
    ------
    DivergedError
        Says what happened, and what to change.
    """
    first, *latest = losses
    if len(latest) < WINDOW:
        return
    mean, guessing = sum(latest) / len(latest), math.log(n_classes)
    ruined = first < 0.75 * guessing and mean >= 0.98 * guessing
    if mean > 2 * max(first, guessing) or ruined:
        raise DivergedError(
            f"The training diverges: it began with a loss of {first:.3g}, and the last {WINDOW} steps up to step "
            f"{step} have {mean:.3g}; guessing would have {guessing:.3g}.",
            remedy=_lower(rate),
        )


def _lower(rate: float) -> str:
    return (
        f"Start again with a lower learning rate than {rate:g}: a tenth of it, or the preset's. Usual are 1e-7 to 1e-5 "
        "for whole towers, 1e-5 to 1e-3 for LoRA, LayerNorms and projections."
    )


def _batch(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _FILES_NAMED} more" if len(paths) > _FILES_NAMED else ""
    return f"Its batch: {', '.join(paths[:_FILES_NAMED])}{more}."
