"""Trainings on parts of the images: encoders for each image that did not see it. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from inkling.finetune.recipe import Recipe
from inkling.finetune.run_folder import Run
from inkling.finetune.selection.interpolate import SHARES
from inkling.finetune.selection.judge import Judge, weights_of
from inkling.finetune.training.checkpoint import read_checkpoint, write_checkpoint
from inkling.finetune.training.data import TrainingData
from inkling.finetune.training.distributed import Team
from inkling.finetune.training.holdout import folds_of
from inkling.finetune.training.progress import named
from inkling.finetune.training.trainer import train
from inkling.heads.fold_spaces import FoldSpaces

VECTORS = "vectors.safetensors"


class Folds:
    """A training for each fold, without its images; what is done in the folder is not done again.

    Parameters
    ----------
    load
        Gives the model as it was before any training.
    run
        Its folder holds one for each training.

    Attributes
    ----------
    fold
        Which training leaves an image out, (n,); -1 where all have it.
    """

    def __init__(self, load: Callable[[], Any], data: TrainingData, recipe: Recipe, *, run: Run, team: Team) -> None:
        self._load, self._data, self._recipe, self._run, self._team = load, data, recipe, run, team
        self.fold = folds_of(data.labels, n_folds=recipe.folds, seed=recipe.seed, sources=data.sources)

    @property
    def n_folds(self) -> int:
        """Number of folds; 0 where the classes have too few images to hold any out."""
        return int(self.fold.max()) + 1

    def spaces(self, shares: Sequence[float] = SHARES) -> tuple[FoldSpaces, ...]:
        """Vectors of all images and classes by the encoder of each fold, at each share of its tuned weights."""
        found = [self._vectors(held, shares) for held in range(self.n_folds)]
        images, classes = (np.stack([one[name].numpy() for one in found], axis=1) for name in ("images", "classes"))
        return tuple(FoldSpaces(self.fold, *both) for both in zip(images, classes, strict=True))

    def _vectors(self, held: int, shares: Sequence[float]) -> dict[str, Tensor]:
        """Of all images (n_shares, n, d) and classes (n_shares, n_classes, d)."""
        file = self._run.folder / _folder(held) / VECTORS
        found = _known(file, shares) if self._run.resume else None
        if found is None:
            judge = self._judge(held)
            images, classes = zip(*(judge.vectors(share) for share in shares), strict=True)
            found = {"images": torch.stack(images), "classes": torch.stack(classes)}
            if self._team.is_main:
                write_checkpoint(file, found, {"shares": list(shares)})
        return found

    def _judge(self, held: int) -> Judge:
        """Train without the images of a fold."""
        progress = named(self._run.progress, f"fold {held + 1} of {self.n_folds}")
        run = self._run.within(_folder(held), progress=progress)
        seen = self._data.only(np.flatnonzero(self.fold != held))
        training = train(self._load(), seen, self._recipe, run=run, team=self._team)
        model = self._load()
        return Judge(model, weights_of(model, list(training.tuned)), training, self._data, self._team)


def _folder(held: int) -> str:
    return f"fold-{held}"


def _known(path: Path, shares: Sequence[float]) -> dict[str, Tensor] | None:
    """Vectors that an earlier call wrote, if they are of the same shares."""
    if not path.is_file():
        return None
    tensors, state = read_checkpoint(path)
    return dict(tensors) if state["shares"] == list(shares) else None
