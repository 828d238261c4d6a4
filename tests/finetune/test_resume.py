"""A training that was killed, at any step, ends with the weights of one that was not."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import torch

from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.errors import InputError
from inkling.finetune.training.checkpoint import BEST, LAST
from inkling.finetune.training.history import read_history
from inkling.finetune.training.progress import StepReport
from inkling.finetune.training.texts import ClassTexts
from inkling.finetune.training.trainer import Training
from tests.finetune.cases import noise, run

OPTIONS: dict[str, Any] = {
    "train": "lora",
    "head_share": 0.4,
    "steps": 10,
    "holdout": 0.3,
    "augment": "strong",
    "learning_rate": 0.02,
    "checkpoint_seconds": 0.0,
}


class Killed(Exception):
    """Stands for a kill within the process."""


def killer(at: int) -> Any:
    def progress(report: StepReport) -> None:
        if report.step == at:
            raise Killed

    return progress


def assert_same_weights(one: Training, other: Training) -> None:
    assert set(one.tuned) == set(other.tuned)
    assert all(torch.equal(one.tuned[name], other.tuned[name]) for name in one.tuned)
    assert (one.head is None) == (other.head is None)
    assert one.head is None or other.head is None or torch.equal(one.head, other.head)


def without_time(folder: Path) -> list[Any]:
    return [replace(row, seconds=0.0) for row in read_history(folder)]


@pytest.mark.parametrize("at", [1, 4, 6, 7, 10])
def test_it_goes_on_from_any_step_in_any_stage(clip: Path, at: int, tmp_path: Path) -> None:
    data = noise(clip)
    whole = run(clip, data, tmp_path / "whole", **OPTIONS)
    with pytest.raises(Killed):
        run(clip, data, tmp_path / "cut", progress=killer(at), **OPTIONS)
    assert (tmp_path / "cut" / LAST).exists() == (at > 1)
    resumed = run(clip, data, tmp_path / "cut", resume=True, **OPTIONS)
    assert_same_weights(whole, resumed)
    assert without_time(tmp_path / "whole") == without_time(tmp_path / "cut")


@pytest.mark.parametrize("train", ["full", "blocks:1"])
def test_checkpoints_far_apart_lose_work_but_change_nothing(clip: Path, train: str, tmp_path: Path) -> None:
    data = noise(clip)
    options = {**OPTIONS, "train": train, "head_share": 0.0, "learning_rate": 1e-3, "checkpoint_seconds": 1e9}
    whole = run(clip, data, tmp_path / "whole", **options)
    with pytest.raises(Killed):
        run(clip, data, tmp_path / "cut", progress=killer(7), **options)
    assert (tmp_path / "cut" / BEST).exists()
    assert_same_weights(whole, run(clip, data, tmp_path / "cut", resume=True, **options))


def test_a_finished_run_is_read_and_not_trained_again(clip: Path, tmp_path: Path) -> None:
    data = noise(clip)
    whole = run(clip, data, tmp_path / "run", **OPTIONS)
    again = run(clip, data, tmp_path / "run", resume=True, progress=killer(1), **OPTIONS)
    assert_same_weights(whole, again)


def test_a_training_that_stopped_early_stays_stopped(clip: Path, tmp_path: Path) -> None:
    data = noise(clip)
    options = {"train": "projection", "learning_rate": 0.1, "holdout": 0.3, "patience": 1, "steps": 50}
    whole = run(clip, data, tmp_path / "run", **options)
    assert whole.step < 50
    assert_same_weights(whole, run(clip, data, tmp_path / "run", resume=True, progress=killer(1), **options))


# Processes of their own, forked from one that has imported what they need and has never trained: torch refuses others.
SERVED = get_context("forkserver")
SERVED.set_forkserver_preload(["tests.finetune.cases"])


def _killed_at(step: int, clip: Path, output: Path) -> None:
    def progress(report: StepReport) -> None:
        if report.step == step:
            os.kill(os.getpid(), signal.SIGKILL)

    torch.set_num_threads(1)
    run(clip, noise(clip), output, progress=progress, resume=True, **OPTIONS)


@pytest.mark.slow
def test_kill_9_in_a_real_process(clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "cut"
    for at in (3, 8):
        killed = SERVED.Process(target=_killed_at, args=(at, clip, output))
        killed.start()
        killed.join()
        assert killed.exitcode == -signal.SIGKILL
    n_threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        whole = run(clip, noise(clip), tmp_path / "whole", **OPTIONS)
        assert_same_weights(whole, run(clip, noise(clip), output, resume=True, **OPTIONS))
    finally:
        torch.set_num_threads(n_threads)
    assert not list(output.glob(".*"))


def test_another_run_in_the_folder_is_not_overwritten(clip: Path, tmp_path: Path) -> None:
    data = noise(clip)
    run(clip, data, tmp_path / "run", **OPTIONS)
    with pytest.raises(InputError, match="holds another run"):
        run(clip, data, tmp_path / "run", **OPTIONS)


def test_resuming_with_other_images_or_options_names_the_difference(clip: Path, tmp_path: Path) -> None:
    run(clip, noise(clip), tmp_path / "run", **OPTIONS)
    with pytest.raises(InputError, match=r"learning_rate: then 0\.02, now 0\.01"):
        run(clip, noise(clip), tmp_path / "run", resume=True, **{**OPTIONS, "learning_rate": 0.01})
    with pytest.raises(InputError, match="data: then"):
        run(clip, noise(clip, seed=1), tmp_path / "run", resume=True, **OPTIONS)
    other_words = replace(noise(clip), texts=ClassTexts.of([["a"], ["b"], ["c"], ["d"]], ModelFolder(clip)))
    with pytest.raises(InputError, match="data: then"):
        run(clip, other_words, tmp_path / "run", resume=True, **OPTIONS)
