"""The parts of a training in time: how many steps each has, and how often it is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from inkling.finetune.recipe import MOST_SHOTS, Recipe

ENCODER, HEAD = "encoder", "head"

MOST_LOOKS = 100
"""Rows of the log for one stage. Short epochs are put together, so that looking costs little beside training."""


@dataclass(frozen=True)
class Stage:
    """A stretch of steps that trains one thing.

    Attributes
    ----------
    trains
        ``encoder``: what the recipe's `train` names. ``head``: one vector per class.
    n_steps
        Its steps; the schedule of the learning rate runs over them.
    look_every
        Steps between two rows of the log: whole epochs.
    """

    trains: str
    n_steps: int
    look_every: int

    def is_look(self, step: int) -> bool:
        """Whether the training is looked at after so many steps of the stage."""
        return step % self.look_every == 0 or step == self.n_steps


def stages_of(recipe: Recipe, *, epoch_length: int, shots: int) -> tuple[Stage, ...]:
    """The stages of a training.

    Parameters
    ----------
    epoch_length
        Steps of an epoch.
    shots
        Images per class.
    """
    total = _n_steps(recipe, epoch_length, shots)
    for_head = round(recipe.head_share * total)
    lengths = {ENCODER: total - for_head, HEAD: for_head}
    return tuple(
        Stage(trains, n_steps, epoch_length * -(-n_steps // (MOST_LOOKS * epoch_length)))
        for trains, n_steps in lengths.items()
        if n_steps
    )


def _n_steps(recipe: Recipe, epoch_length: int, shots: int) -> int:
    if recipe.epochs is not None:
        return recipe.epochs * epoch_length
    if recipe.steps_per_shot is not None:
        return recipe.steps_per_shot * min(shots, MOST_SHOTS)
    assert recipe.steps is not None
    return recipe.steps
