"""Vectors of a tuned model at any share of its tuned weights. Imports torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.nn.functional import normalize

from inkling.finetune.selection.interpolate import interpolated, place
from inkling.finetune.training.data import TrainingData
from inkling.finetune.training.distributed import Team
from inkling.finetune.training.efficient_clip import make_lean
from inkling.finetune.training.sharding import distribute
from inkling.finetune.training.trainer import Training
from inkling.finetune.training.vectors import encode, inference, text_vectors


def weights_of(model: Any, names: Sequence[str]) -> dict[str, Tensor]:
    """Copies of some weights of a model, by name."""
    parameters = dict(model.named_parameters())
    return {name: parameters[name].detach().cpu().clone() for name in names}


class Judge:
    """A model that can be set to any share of its tuned weights.

    Parameters
    ----------
    model
        Plain, whole and on any device, whatever its weights; it is changed in place.
    start
        Weights from before the training, of all names that it changed.
    training
        What it left.
    data
        Images and prompts.
    """

    def __init__(
        self, model: Any, start: Mapping[str, Tensor], training: Training, data: TrainingData, team: Team
    ) -> None:
        make_lean(model)
        distribute(model, team)
        self._model, self._start, self._training = model, start, training
        self._data, self._team = data, team
        place(model, start)
        self._start_vectors = self._text_vectors()

    def set_to(self, share: float) -> Tensor:
        """Give the model this share of the tuned weights; returns the class vectors (n_classes, d) that go with it."""
        place(self._model, interpolated(self._start, self._training.tuned, share))
        head = self._training.head
        if head is None:
            return self._text_vectors()
        return normalize(self._start_vectors.lerp(normalize(head.to(self._start_vectors), dim=1), share), dim=1)

    def vectors(self, share: float) -> tuple[Tensor, Tensor]:
        """Unit vectors of all images (n, d) and of the classes (n_classes, d) at a share, on the CPU."""
        classes = self.set_to(share)
        return encode(self._model, self._data.pixels, self._team).cpu(), classes.cpu()

    def _text_vectors(self) -> Tensor:
        with inference(self._model):
            return text_vectors(self._model, self._data.texts, self._team)
