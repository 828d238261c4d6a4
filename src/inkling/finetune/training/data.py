"""What a training learns from: prepared images, their classes, and the class texts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from inkling.errors import InputError
from inkling.finetune.recipe import Recipe
from inkling.finetune.training.pixels import Pixels
from inkling.finetune.training.texts import ClassTexts
from inkling.types import IntArray


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Labelled images, n of them.

    Attributes
    ----------
    pixels
        As the encoder reads them.
    labels
        Class index of each, (n,).
    paths
        How each is shown to the user.
    class_names
        Names of the classes, in the order of the indices.
    texts
        Their prompts.
    wide
        The same images with a margin, for augmentation to crop from; None: it crops from `pixels`.
    sources
        Which picture each image comes from, (n,); None: each is one of its own.
    """

    pixels: Pixels
    labels: IntArray
    paths: tuple[str, ...]
    class_names: tuple[str, ...]
    texts: ClassTexts
    wide: Pixels | None = None
    sources: IntArray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    def only(self, rows: IntArray) -> TrainingData:
        """Some of the images; the classes stay."""
        return replace(
            self,
            pixels=self.pixels.only(rows),
            labels=self.labels[rows],
            paths=tuple(self.paths[row] for row in rows),
            wide=None if self.wide is None else self.wide.only(rows),
            sources=None if self.sources is None else self.sources[rows],
        )

    def digest(self) -> str:
        """Hash of images, labels, classes and their prompts, in their order."""
        parts = [self.pixels.digest(), *map(str, self.labels), *self.class_names, self.texts.digest()]
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def check_data(labels: IntArray, class_names: Sequence[str], recipe: Recipe, *, n_processes: int) -> None:
    """Refuse what a recipe cannot learn from.

    Raises
    ------
    InputError
        If there are fewer than two classes, or the batch suits neither loss nor processes.
    """
    n_classes = len(np.unique(labels))
    if n_classes < 2:
        raise InputError(
            f"Fine-tuning needs at least two classes with images; there is {n_classes}: {', '.join(class_names)}.",
            remedy="Give a folder with one subfolder a class, or a table with a column 'label'.",
        )
    batch_size = recipe.batch_size or n_classes * (recipe.images_per_class or 1)
    if recipe.loss == "contrastive" and batch_size > n_classes:
        raise InputError(
            f"The contrastive loss takes one image of each class in a batch: {batch_size} images cannot come from "
            f"{n_classes} classes.",
            remedy=f"Choose a batch size of {n_classes} or less, or the loss flyp, which knows repeated classes.",
        )
    if recipe.loss in ("contrastive", "flyp") and batch_size // (recipe.images_per_class or 1) < 2:
        raise InputError(
            f"The loss {recipe.loss} compares the classes of a batch, and a batch of {batch_size} holds one.",
            remedy="Choose a larger batch, or the loss classify, which compares with all classes.",
        )
    if batch_size < n_processes * recipe.accumulation:
        raise InputError(
            f"A batch of {batch_size} cannot be shared by {n_processes} processes in {recipe.accumulation} parts each.",
            remedy="Choose a larger batch, fewer processes or a smaller accumulation.",
        )


def shots_of(labels: IntArray) -> int:
    """Images per class, rounded, 1 or more."""
    return max(1, round(len(labels) / len(np.unique(labels))))
