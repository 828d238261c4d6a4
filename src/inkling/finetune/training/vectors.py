"""Image and text vectors of a training: computed anew where a tower learns, once where it is frozen. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.functional import normalize

from inkling.encoders.precision import AUTO
from inkling.encoders.transformers.loaded_model import arithmetic_of, pooled
from inkling.encoders.transformers.tower import rebuilt
from inkling.finetune.training.augment import STRENGTHS, augmented
from inkling.finetune.training.data import TrainingData
from inkling.finetune.training.distributed import Team
from inkling.finetune.training.pixels import Pixels
from inkling.finetune.training.texts import ClassTexts, class_vectors
from inkling.types import IntArray

AT_ONCE = 32
"""Images of one forward pass without gradients."""


def image_vectors(model: Any, pixels: Tensor, team: Team) -> Tensor:
    """Unit vectors (n, d) float32 of prepared images (n, 3, height, width)."""
    with team.autocast():
        features = pooled(model.get_image_features(pixel_values=pixels))
    return normalize(features.float(), dim=1)


def text_vectors(model: Any, texts: ClassTexts, team: Team) -> Tensor:
    """Unit vectors (n_classes, d) float32 of the classes."""
    with team.autocast():
        return class_vectors(model, texts, device=team.device)


@contextmanager
def inference(model: Any) -> Iterator[None]:
    """Without gradients and dropout; afterwards the model is as before."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def encode(model: Any, pixels: Pixels, team: Team) -> Tensor:
    """Unit vectors (n, d) of all images, shared among the processes; as the encoder gives them once it ships."""
    own = team.own(np.arange(len(pixels)))
    # Processes that hold a tower together run it equally often, as the one with most images must.
    most = -(-len(pixels) // team.size) if team.is_fsdp else len(own)
    with inference(model), _as_it_ships(model, team, n_images=len(own)):
        parts = [_of_rows(model, pixels, own[at : at + AT_ONCE], team) for at in range(0, max(most, 1), AT_ONCE)]
        return team.gathered(torch.cat(parts), len(pixels))


def _of_rows(model: Any, pixels: Pixels, rows: IntArray, team: Team) -> Tensor:
    """Vectors of some images; where there are none, one is encoded and dropped, for the width of the space."""
    some = rows if len(rows) else np.zeros(1, dtype=int)
    return image_vectors(model, pixels.prepared(some, team.device), team)[: len(rows)]


@contextmanager
def _as_it_ships(model: Any, team: Team, *, n_images: int) -> Iterator[None]:
    """With the image tower that encoders have on this processor, where arranging its weights pays."""
    trained = model.vision_model
    if team.device.type == "cpu" and not (team.rounds or team.is_fsdp) and n_images >= AT_ONCE:
        arithmetic = arithmetic_of(AUTO, width=model.config.vision_config.hidden_size)
        model.vision_model = rebuilt(trained, arithmetic) or trained
    try:
        yield
    finally:
        model.vision_model = trained


class ImageSide:
    """Vectors of training images.

    Parameters
    ----------
    learns
        Whether the image tower is trained. Where it is not, and images are not augmented, their vectors are computed
        once.
    augment
        Name of the strength of augmentation, or ``none``.
    """

    def __init__(self, model: Any, data: TrainingData, team: Team, *, learns: bool, augment: str) -> None:
        self._model, self._data, self._team = model, data, team
        self.learns = learns
        self._strength = STRENGTHS.get(augment)
        fixed = not learns and self._strength is None
        self._fixed = encode(model, data.pixels, team) if fixed else None

    def vectors(self, rows: IntArray, draws: Tensor) -> Tensor:
        """Unit vectors (n, d) of images, changed as their draws (n, N_DRAWS) say."""
        if self._fixed is not None:
            return self._fixed[torch.from_numpy(rows)]
        if self.learns:
            return image_vectors(self._model, self._prepared(rows, draws), self._team)
        with inference(self._model):
            return image_vectors(self._model, self._prepared(rows, draws), self._team)

    def _prepared(self, rows: IntArray, draws: Tensor) -> Tensor:
        pixels, device = self._data.pixels, self._team.device
        if self._strength is None:
            return pixels.prepared(rows, device)
        source = self._data.wide or pixels
        side = pixels.levels.shape[-1]
        return pixels.normalised(augmented(source.unit(rows, device), draws, strength=self._strength, side=side))


class TextSide:
    """Text vectors of the classes.

    Parameters
    ----------
    learns
        Whether the text tower is trained. Where it is not, it runs once, before the training.
    head
        Class vectors (n_classes, d) that are trained in its place.
    """

    def __init__(
        self, model: Any, texts: ClassTexts, team: Team, *, learns: bool, head: Parameter | None = None
    ) -> None:
        self._model, self._texts, self._team = model, texts, team
        self._learns = learns and head is None
        self._head = head
        self._fixed: Tensor | None = None
        if not self._learns and head is None:
            with inference(model):
                self._fixed = text_vectors(model, texts, team)

    def vectors(self, classes: Tensor) -> Tensor:
        """Unit vectors (n, d) of some classes; each process runs the tower on its part of them."""
        if self._head is not None:
            return normalize(self._team.common(self._head)[classes], dim=1)
        if self._fixed is not None:
            return self._fixed[classes]
        own = torch.from_numpy(self._team.own(classes.numpy()))
        # A process without texts of its own still needs the width of the space, so it encodes one and drops it.
        vectors = text_vectors(self._model, self._texts.only(own if len(own) else classes[:1]), self._team)
        return self._team.gathered(vectors[: len(own)], len(classes))

    def all_vectors(self) -> Tensor:
        """Unit vectors (n_classes, d) as they are now, without gradients."""
        with inference(self._model):
            return self.vectors(torch.arange(self._texts.n_classes)).detach()
