"""The model that learns: which of its weights do, in which stage, and how they are taken out and put back.

Imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Adam, AdamW, Optimizer

from inkling.finetune.recipe import Recipe
from inkling.finetune.training import parts
from inkling.finetune.training.distributed import Team, is_split
from inkling.finetune.training.efficient_clip import make_lean
from inkling.finetune.training.sharding import distribute, split_like, whole
from inkling.finetune.training.stages import HEAD, Stage
from inkling.finetune.training.texts import ClassTexts
from inkling.finetune.training.vectors import TextSide

CLASS_VECTORS = "class_vectors"
"""Name of the head's weights among those that are trained."""


class Learner:
    """A two-tower model, and class vectors in place of its text tower once a stage trains them.

    Parameters
    ----------
    model
        Is changed in place.
    texts
        Prompts of the classes.
    """

    def __init__(self, model: Any, texts: ClassTexts, recipe: Recipe, team: Team) -> None:
        make_lean(model)
        self.model = model
        self.head: Parameter | None = None
        self.trained = parts.choose(model, recipe)
        self._texts, self._recipe, self._team = texts, recipe, team
        if recipe.gradient_checkpointing:
            # Newer releases of transformers have another name for it.
            name = "activation_checkpointing_enable"
            getattr(model, name if hasattr(model, name) else "gradient_checkpointing_enable")({"use_reentrant": False})

    def distribute(self) -> None:
        """Bring the model to the device, or each process's part of it."""
        distribute(self.model, self._team)
        found = dict(self.model.named_parameters())
        self.trained = replace(self.trained, parameters={name: found[name] for name in self.trained.parameters})

    @property
    def n_bytes(self) -> int:
        """Size of the weights that learn."""
        return sum(one.numel() * one.element_size() for one in self.trained.parameters.values())

    def begin(self, stage: Stage) -> dict[str, Parameter]:
        """What learns in a stage, by name. A head starts from the text vectors."""
        for parameter in self.trained.parameters.values():
            parameter.requires_grad_(stage.trains != HEAD)
        if stage.trains != HEAD:
            return dict(self.trained.parameters)
        if self.head is None:
            frozen = TextSide(self.model, self._texts, self._team, learns=False)
            self.head = Parameter(frozen.all_vectors().clone())
        return {CLASS_VECTORS: self.head}

    def optimizer(self, learning: Mapping[str, Parameter]) -> Optimizer:
        """The recipe's optimizer on what learns."""
        recipe = self._recipe
        kind = {"adam": Adam, "adamw": AdamW}[recipe.optimizer]
        # One pass over weights, gradients and moments: they outgrow the caches, and reading them is what it costs.
        # That takes tensors of one kind: split ones, or whole ones.
        kinds = [[one for one in learning.values() if is_split(one) == split] for split in (True, False)]
        groups = [{"params": some} for some in kinds if some]
        optimizer: Optimizer = kind(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)
        return optimizer

    def weights(self) -> dict[str, Tensor]:
        """All that was trained so far, by name."""
        head = {} if self.head is None else {CLASS_VECTORS: self.head}
        return {**self.trained.parameters, **head}

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Put back what `weights` gave."""
        if CLASS_VECTORS in weights and self.head is None:
            self.head = Parameter(weights[CLASS_VECTORS].to(self._team.device))
        with torch.no_grad():
            for name, parameter in self.weights().items():
                parameter.copy_(split_like(weights[name], parameter))

    def merged(self) -> dict[str, Tensor]:
        """Whole copies of the plain model's weights that changed, by name; the model is plain afterwards."""
        parts.merge(self.trained)
        self.model.requires_grad_(False).eval()
        plain = dict(self.model.named_parameters())
        changed = parts.changed_weights(self.trained)
        return {name: whole(plain[name].detach()).to("cpu", copy=True) for name in changed}
