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
from inkling.finetune.progress import TrainingProgress, silent
from inkling.finetune.recipe import Recipe
from inkling.finetune.team import Team
from inkling.finetune.trainer import train
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


def out_of_fold(
    load: Callable[[], Any],
    data: TrainingData,
    recipe: Recipe,
    *,
    output: Path,
    team: Team,
    resume: bool = False,
    shares: Sequence[float] = SHARES,
    progress: TrainingProgress = silent,
    origin: Mapping[str, str] | None = None,
) -> FoldLogits | None:
    """Train once for each fold; None where the classes have too few images to hold any out.

    Parameters
    ----------
    load
        Gives the model as it was before any training.
    output
        Folder for the runs; a fold that is done there is not done again.
    resume
        Go on with the runs in that folder.
    """
    fold = folds_of(data.labels, n_folds=recipe.folds, seed=recipe.seed)
    rows = np.flatnonzero(fold >= 0)
    if not len(rows):
        return None
    logits = np.zeros((len(shares), len(data), data.n_classes))
    for held in range(fold.max() + 1):
        folder = output / f"fold-{held}"
        training = train(
            model := load(),
            data.only(np.flatnonzero(fold != held)),
            recipe,
            output=folder,
            team=team,
            resume=resume,
            progress=progress,
            origin=origin,
        )
        out = data.only(np.flatnonzero(fold == held))
        found = _known(folder / LOGITS, shares, out) if resume else None
        if found is None:
            judge = Judge(model, weights_of(load(), list(training.tuned)), training, out, team)
            found = judge.logits(out, shares)
            if team.is_main:
                write_checkpoint(folder / LOGITS, {"logits": torch.from_numpy(found)}, {"shares": list(shares)})
        logits[:, fold == held] = found
    return FoldLogits(rows, data.labels[rows], tuple(shares), logits[:, rows])


def _known(path: Path, shares: Sequence[float], out: TrainingData) -> FloatArray | None:
    """Logits that an earlier call wrote, if they answer the same question."""
    if not path.is_file():
        return None
    tensors, state = read_checkpoint(path)
    found = tensors["logits"].numpy()
    return found if state["shares"] == list(shares) and found.shape[1] == len(out) else None
