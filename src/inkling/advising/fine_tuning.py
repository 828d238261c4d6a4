"""Whether fine-tuning the encoder is worth its time: a rule from what is known before."""

from __future__ import annotations

from dataclasses import dataclass

FEWEST_SHOTS = 8
"""Images of the median class below which folds were too small to prove a gain."""
LEAST_ERROR = 0.02
EPOCHS = 24
FOLDS = 5
STEP_SECONDS_ON_CPU = 0.25
"""A forward and a backward pass of one picture through the image tower of a ViT-B/32 on two cores."""


@dataclass(frozen=True)
class FineTuningAdvice:
    """Whether to fine-tune, and what that rests on.

    Attributes
    ----------
    worth_it
        Whether to try. What ships is decided by held-out images in any case.
    why
        In a sentence.
    cpu_hours
        Of the default preset with a ViT-B/32 on two cores, the trainings that judge it among them; a graphics card
        takes a small part of that.
    """

    worth_it: bool
    why: str
    cpu_hours: float


def fine_tuning_advice(
    *, images: int, median_shots: float, top1: float | None, twice: float | None, can_train: bool
) -> FineTuningAdvice:
    """Apply the rule.

    Parameters
    ----------
    images, median_shots
        Labelled images, and those of the median class.
    top1, twice
        Expected top-1 with these images and with twice as many; None where nothing could be left out.
    can_train
        Whether the encoder is one that can be trained.
    """
    hours = images * EPOCHS * (FOLDS + 1) * STEP_SECONDS_ON_CPU / 3600
    if not can_train:
        return FineTuningAdvice(False, "The memory was made from vectors: there is no encoder to tune.", hours)
    if top1 is None or median_shots < FEWEST_SHOTS:
        why = (
            f"The median class has {median_shots:g} images; below {FEWEST_SHOTS}, held-out images can't show a gain. "
            "More images come first."
        )
        return FineTuningAdvice(False, why, hours)
    if 1.0 - top1 < LEAST_ERROR:
        return FineTuningAdvice(False, f"At {top1:.1%} top-1 out of fold there is little left to gain.", hours)
    gain = 0.0 if twice is None else twice - top1
    if gain > (1.0 - top1) / 3:
        why = f"Twice the images promise {gain:+.1%} top-1 by themselves, a third of all errors or more: label first."
        return FineTuningAdvice(False, why, hours)
    why = (
        f"The head errs on {1.0 - top1:.1%} out of fold, and twice the images promise {gain:+.1%} alone: the encoder "
        "may be what limits it."
    )
    return FineTuningAdvice(True, why, hours)
