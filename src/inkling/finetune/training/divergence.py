"""When a training must stop: values that are not finite, and losses above those of chance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from torch import Tensor

from inkling.errors import InklingError

WINDOW = 10
"""Steps whose mean loss is judged: single batches may be bad luck."""

ERASES = 10.0
"""Learning rates up to so many times the size of the weights may still find a way back."""

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


def check_rate(rate: float, weights: Iterable[Tensor]) -> None:
    """Refuse a rate that would erase the weights: Adam moves each of them by about the rate in every step.

    Raises
    ------
    DivergedError
        If the rate is more than `ERASES` times the root mean square of the weights.
    """
    flat = [one.detach().float().flatten() for one in weights]
    size = math.sqrt(sum(float(one.square().sum()) for one in flat) / sum(len(one) for one in flat))
    if rate > ERASES * size:
        raise DivergedError(
            f"The training would diverge: the weights to train are {size:.2g} in size, and Adam moves each by about "
            f"the learning rate of {rate:g} in every step, which leaves nothing of them.",
            remedy=_lower(rate),
        )


def check_learning(losses: Sequence[float], *, guessing: float, step: int, rate: float) -> None:
    """Stop where the latest losses are far above where the training began, or no longer depend on the images.

    Their mean must stay below twice the larger of the first loss and that of guessing. Nor may all of them equal the
    loss of guessing, which means that all vectors have become the same, unless the first one did.

    Parameters
    ----------
    losses
        The first loss of the training, then the latest ones, `WINDOW` at most.
    guessing
        Loss of equal logits.

    Raises
    ------
    DivergedError
        Says what happened, and what to change.
    """
    first, *latest = losses
    if len(latest) < WINDOW:
        return
    mean = sum(latest) / len(latest)
    collapsed = not _is_near(first, guessing) and all(_is_near(loss, guessing) for loss in latest)
    if collapsed or mean > 2 * max(first, guessing):
        raise DivergedError(
            f"The training diverges: it began with a loss of {first:.3g}, and the last {WINDOW} steps up to step "
            f"{step} have {mean:.3g}; guessing has {guessing:.3g}.",
            remedy=_lower(rate),
        )


def _is_near(loss: float, guessing: float) -> bool:
    return abs(loss - guessing) < 0.02 * guessing


def _lower(rate: float) -> str:
    return (
        f"Start again with a lower learning rate than {rate:g}: a tenth of it, or the preset's. Usual are 1e-7 to 1e-5 "
        "for whole towers, 1e-5 to 1e-3 for LoRA, LayerNorms and projections."
    )


def _batch(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _FILES_NAMED} more" if len(paths) > _FILES_NAMED else ""
    return f"Its batch: {', '.join(paths[:_FILES_NAMED])}{more}."
