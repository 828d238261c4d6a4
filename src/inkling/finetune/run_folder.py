"""A run and its folder: what the folder may hold before, and whether a training can go on in it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inkling.errors import InputError
from inkling.finetune.recipe import Recipe
from inkling.finetune.training.progress import TrainingProgress, silent
from inkling.outputs import appearing_whole, held
from inkling.wording import excerpt, quoted

RUN = "run.json"

_AFTER_TRAINING = ("interpolate", "folds")
"""Options that only matter once the training is over."""


TRAINING, FOLDS, ENCODER = "training", "folds", "encoder"
"""Folders within the output of a run: the main training, those without some of the images, and the result."""

CHECKPOINT_SECONDS = 60.0
"""A kill loses no more work than this."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """How a training is kept and reported, whatever it trains.

    Attributes
    ----------
    folder
        For log and checkpoints.
    resume
        Go on with the training in that folder.
    origin
        Hashes that must agree when the training is resumed, beside those of data and recipe.
    progress
        Called after each step.
    tensorboard
        Whether to write TensorBoard scalars.
    checkpoint_seconds
        Time between two checkpoints.
    """

    folder: Path
    resume: bool = False
    origin: Mapping[str, str] = field(default_factory=dict)
    progress: TrainingProgress = silent
    tensorboard: bool = False
    checkpoint_seconds: float = CHECKPOINT_SECONDS

    def within(self, folder: str, **changes: Any) -> Run:
        """The same in a folder within this one."""
        return replace(self, folder=self.folder / folder, **changes)


def check_output(folder: Path, *, resume: bool) -> None:
    """Say before images are read that a run can't have this folder.

    Raises
    ------
    InputError
        If it holds another run or other files, or there is no run to go on with.
    """
    if (folder / TRAINING / RUN).is_file() and not resume:
        raise _another_run(folder)
    if resume and not folder.is_dir():
        raise InputError(
            f"There is no run in '{folder}' to go on with.",
            remedy="Check its name, or begin a new run there, without resuming.",
        )
    if not (folder / TRAINING).is_dir():
        _require_empty(folder)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes from training in a folder, which is made where it is missing.

    Raises
    ------
    InputError
        If another process is training there.
    """
    _make(folder)
    with held(folder) as alone:
        if not alone:
            raise InputError(
                f"Another process is training in '{folder}'.",
                remedy="Wait until it has finished, or name another folder for the output.",
            )
        try:
            yield
        finally:
            with suppress(OSError):  # a refusal leaves no empty folder behind
                folder.rmdir()


def open_run(folder: Path, recipe: Recipe, origin: Mapping[str, str], *, resume: bool, n_bytes: int) -> None:
    """Make the folder ready, or say before the training why it can't be.

    Parameters
    ----------
    origin
        What else the training starts from, by name: hashes of encoder and data.
    resume
        Go on with the training in the folder; where there is none yet, begin it.
    n_bytes
        What the training will write at most.

    Raises
    ------
    InputError
        If the folder holds another run or other files, can't be written, or its disk has too little room.
    """
    description = _description(recipe, origin)
    if (folder / RUN).is_file():
        _check_same(folder, description, resume=resume)
    else:
        _require_empty(folder)
    _make(folder)
    _check_room(folder, n_bytes)
    with appearing_whole(folder / RUN) as draft:
        draft.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def _description(recipe: Recipe, origin: Mapping[str, str]) -> dict[str, Any]:
    options = {name: value for name, value in recipe.to_json().items() if name not in _AFTER_TRAINING}
    return {"recipe": options, "origin": dict(origin)}


def _check_same(folder: Path, description: Mapping[str, Any], *, resume: bool) -> None:
    if not resume:
        raise _another_run(folder)
    try:
        before = json.loads((folder / RUN).read_text(encoding="utf-8"))
        then = {**before["recipe"], **before["origin"]}
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InputError(
            f"The file '{folder / RUN}' can't be read: {excerpt(error)}.", remedy="Name a new folder."
        ) from error
    now = {**description["recipe"], **description["origin"]}
    other = [
        f"{name}: then {quoted(then.get(name))}, now {quoted(now.get(name))}"
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]
    if other:
        raise InputError(
            f"The run in '{folder}' can't be resumed, as it was started otherwise ({'; '.join(other)}).",
            remedy="Start it with the same images, encoder and options, or name a new folder.",
        )


def _another_run(folder: Path) -> InputError:
    return InputError(
        f"The folder '{folder}' holds another run.",
        remedy="Resume that run (--resume FOLDER, in Python resume=True), or name another folder for this one.",
    )


def _require_empty(folder: Path) -> None:
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(
            f"The output '{folder}' is no empty folder, and holds no training.",
            remedy="Name a new or empty folder for the output.",
        )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The output folder '{folder}' can't be made: {excerpt(error)}.", remedy="Name a folder you may write to."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"The output folder '{folder}' can't be written.", remedy="Name a folder you may write to.")


def _check_room(folder: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        raise InputError(
            f"The training may write {n_bytes / 1e6:,.0f} MB; the disk of '{folder}' has {free / 1e6:,.0f} MB left.",
            remedy="Make room, name a folder on another disk, or train less of the model (such as lora).",
        )
