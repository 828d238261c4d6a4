"""Trainings on parts of the images, each judged on the part that it did not see. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inkling.finetune.checkpoint import read_checkpoint, write_checkpoint
from inkling.finetune.data import TrainingData
from inkling.finetune.holdout import folds_of
from inkling.finetune.interpolate import SHARES
from inkling.finetune.judge import Judge, weights_of
from inkling.finetune.progress import TrainingProgress, named, silent
from inkling.finetune.recipe import Recipe
from inkling.finetune.team import Team
from inkling.finetune.trainer import train
from inkling.finetune.vectors import encode
from inkling.heads.fold_spaces import FoldSpaces
from inkling.types import FloatArray, IntArray

LOGITS = "logits.safetensors"


@dataclass(frozen=True, eq=False)
class FoldLogits:
    """What fine-tuning says of images that it did not see.

    Attributes
    ----------
    rows
        Which of the images they are, (n,).
    labels
        Their classes, (n,).
    shares
        Of the tuned weights; 0 is zero-shot.
    logits
        (n_shares, n, n_classes).
    """

    rows: IntArray
    labels: IntArray
    shares: tuple[float, ...]
    logits: FloatArray


class Folds:
    """A training for each fold, without its images; what is done in the folder is not done again.

    Parameters
    ----------
    load
        Gives the model as it was before any training.
    output
        Folder for the runs.
    resume
        Go on with the runs in that folder.
    origin
        Hashes that must agree when a run is resumed.
    """

    def __init__(
        self,
        load: Callable[[], Any],
        data: TrainingData,
        recipe: Recipe,
        *,
        output: Path,
        team: Team,
        resume: bool = False,
        progress: TrainingProgress = silent,
        origin: Mapping[str, str] | None = None,
    ) -> None:
        self._load, self._data, self._recipe, self._team = load, data, recipe, team
        self._output, self._resume, self._progress, self._origin = output, resume, progress, origin
        self.fold = folds_of(data.labels, n_folds=recipe.folds, seed=recipe.seed)

    @property
    def n_folds(self) -> int:
        """Number of folds; 0 where the classes have too few images to hold any out."""
        return int(self.fold.max()) + 1

    def logits(self, shares: Sequence[float] = SHARES) -> FoldLogits:
        """Logits of all images that are held out by a fold, at shares of the tuned weights."""
        found = np.zeros((len(shares), len(self._data), self._data.n_classes))
        for held in range(self.n_folds):
            found[:, self.fold == held] = self._fold_logits(held, shares)
        rows = np.flatnonzero(self.fold >= 0)
        return FoldLogits(rows, self._data.labels[rows], tuple(shares), found[:, rows])

    def spaces(self, share: float) -> FoldSpaces:
        """Vectors of all images and classes by the encoder of each fold, at one share of the tuned weights."""
        images, classes = [], []
        for held in range(self.n_folds):
            judge, model = self._judge(held, self._data, resume=True)
            classes.append(judge.set_to(share).cpu().numpy())
            images.append(encode(model, self._data.pixels, self._team).cpu().numpy())
        return FoldSpaces(self.fold, np.stack(images), np.stack(classes))

    def _fold_logits(self, held: int, shares: Sequence[float]) -> FloatArray:
        file = self._output / f"fold-{held}" / LOGITS
        out = self._data.only(np.flatnonzero(self.fold == held))
        found = _known(file, shares, out) if self._resume else None
        if found is None:
            judge, _ = self._judge(held, out, resume=self._resume)
            found = judge.logits(out, shares)
            if self._team.is_main:
                write_checkpoint(file, {"logits": torch.from_numpy(found)}, {"shares": list(shares)})
        return found

    def _judge(self, held: int, judged: TrainingData, *, resume: bool) -> tuple[Judge, Any]:
        """Train without the images of a fold; returns the judge of the result, and the model that it sets."""
        training = train(
            model := self._load(),
            self._data.only(np.flatnonzero(self.fold != held)),
            self._recipe,
            output=self._output / f"fold-{held}",
            team=self._team,
            resume=resume,
            progress=named(self._progress, f"fold {held + 1} of {self.n_folds}"),
            origin=self._origin,
        )
        start = weights_of(self._load(), list(training.tuned))
        return Judge(model, start, training, judged, self._team), model


def _known(path: Path, shares: Sequence[float], out: TrainingData) -> FloatArray | None:
    """Logits that an earlier call wrote, if they answer the same question."""
    if not path.is_file():
        return None
    tensors, state = read_checkpoint(path)
    found = tensors["logits"].numpy()
    return found if state["shares"] == list(shares) and found.shape[1] == len(out) else None
