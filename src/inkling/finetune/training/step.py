"""Loss and gradients of one batch, however it is divided. Imports torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from inkling.finetune.training.augment import draws_for
from inkling.finetune.training.distributed import Team
from inkling.finetune.training.losses import LOSSES, READS_ALL_CLASSES
from inkling.finetune.training.vectors import ImageSide, TextSide
from inkling.types import IntArray

TOP = 5


@dataclass(frozen=True)
class Score:
    """How well images go with the texts that they were compared with.

    Attributes
    ----------
    loss
        Mean over the images.
    top1, top5
        Share of images whose class comes first, or among the first five.
    """

    loss: float
    top1: float
    top5: float

    @classmethod
    def of(cls, loss: float, logits: Tensor, labels: Tensor) -> Score:
        """From logits (n, n_classes)."""
        best = logits.topk(min(TOP, logits.shape[1]), dim=1).indices
        hits = best == labels[:, None]
        return cls(loss, float(hits[:, 0].float().mean()), float(hits.any(dim=1).float().mean()))


@dataclass(frozen=True)
class Step:
    """One batch of a training.

    Attributes
    ----------
    rows
        Images of the whole batch, (n,).
    labels
        Their classes, (n,).
    number
        Of the step, from 0; with the seed it makes every random choice.
    seed
        Of the training.
    """

    rows: IntArray
    labels: IntArray
    number: int
    seed: int


class GradientMaker:
    """Fills in the gradients of what learns.

    The loss compares all images of a batch, so a batch that passes through the tower in parts takes two passes: one
    for the vectors, from which the loss gives a gradient for each vector, and one that carries these back through the
    tower, part by part (Gao et al. 2021, 2101.06983). The result is that of the undivided batch.

    Parameters
    ----------
    logit_scale
        The model's parameter, ln s.
    n_parts
        Parts in which a process's images pass through the image tower.
    """

    def __init__(
        self,
        images: ImageSide,
        texts: TextSide,
        logit_scale: Tensor,
        team: Team,
        *,
        loss: str,
        n_classes: int,
        n_parts: int,
    ) -> None:
        self._images, self._texts, self._team = images, texts, team
        self._logit_scale = logit_scale
        self._loss = LOSSES[loss]
        self._all_classes = np.arange(n_classes) if loss in READS_ALL_CLASSES else None
        self._n_parts = n_parts if images.learns else 1

    def __call__(self, step: Step, parameters: Iterable[Parameter]) -> Score:
        """Gradients of the mean loss over the batch; returns what the batch scored."""
        places = self._team.own(np.arange(len(step.rows)))
        draws = draws_for(len(step.rows), seed=step.seed, step=step.number)
        parts = [_Part(step, part, draws[torch.from_numpy(part)]) for part in np.array_split(places, self._n_parts)]
        own = self._vectors(parts[0], 0) if len(parts) == 1 else self._leaf(parts)
        score = self._backward(own, step)
        if len(parts) > 1:
            self._carry_back(parts, own)
        self._team.sum_gradients(parameters)
        return score

    def _backward(self, own: Tensor, step: Step) -> Score:
        classes, labels = self._compared(step.labels)
        device = self._team.device
        images = self._team.gathered(own, len(step.rows))
        texts = self._texts.vectors(torch.from_numpy(classes))
        y = torch.from_numpy(labels).to(device)
        scale = self._team.common(self._logit_scale.exp())
        loss = self._loss(images, texts, y, scale)
        cast(Any, loss).backward()
        with torch.no_grad():
            return Score.of(loss.item(), images @ texts.T, y)

    def _compared(self, labels: IntArray) -> tuple[IntArray, IntArray]:
        """The classes whose texts take part, and the labels as rows of them."""
        if self._all_classes is not None:
            return self._all_classes, labels
        classes, rows = np.unique(labels, return_inverse=True)
        return classes, rows

    def _leaf(self, parts: list[_Part]) -> Tensor:
        with torch.no_grad():
            vectors = torch.cat([self._vectors(part, number) for number, part in enumerate(parts)])
        return vectors.requires_grad_()

    def _carry_back(self, parts: list[_Part], own: Tensor) -> None:
        assert own.grad is not None
        gradients = torch.split(own.grad, [len(part.places) for part in parts])
        for number, (part, gradient) in enumerate(zip(parts, gradients, strict=True)):
            cast(Any, self._vectors(part, number)).backward(gradient)

    def _vectors(self, part: _Part, number: int) -> Tensor:
        """Vectors of a part; its dropout follows from seed, step, process and part, so a second pass repeats it."""
        step = part.step
        torch.manual_seed(_mixed(step.seed, step.number, self._team.rank, number))
        return self._images.vectors(step.rows[part.places], part.draws)


@dataclass(frozen=True, eq=False)
class _Part:
    step: Step
    places: IntArray
    draws: Tensor


def _mixed(*numbers: int) -> int:
    """One seed of several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
