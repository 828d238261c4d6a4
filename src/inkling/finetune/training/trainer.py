"""Training: draws balanced batches, follows their gradients, looks at held-out images, and survives a kill.

Every random choice of a step follows from the seed and the step's number, so a training that was killed and resumed
makes the same choices, and on the CPU reaches the same weights to the last bit.

Imports torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from inkling.finetune.recipe import Recipe
from inkling.finetune.run_folder import Run, open_run
from inkling.finetune.training.checkpoint import (
    BEST,
    LAST,
    moments_of,
    read_checkpoint,
    restore_optimizer,
    write_checkpoint,
)
from inkling.finetune.training.data import TrainingData, check_data, shots_of
from inkling.finetune.training.distributed import Team
from inkling.finetune.training.divergence import check_finite, check_learning, check_rate
from inkling.finetune.training.history import History, Row
from inkling.finetune.training.holdout import held_out
from inkling.finetune.training.learner import Learner
from inkling.finetune.training.losses import READS_ALL_CLASSES
from inkling.finetune.training.progress import Clock
from inkling.finetune.training.sampling import BalancedBatches, zero_shot_margins
from inkling.finetune.training.schedules import rate_factor
from inkling.finetune.training.sharding import clip_gradients, collected, whole
from inkling.finetune.training.stages import HEAD, Stage, stages_of
from inkling.finetune.training.state import State
from inkling.finetune.training.step import GradientMaker, Score, Step
from inkling.finetune.training.vectors import ImageSide, TextSide, encode
from inkling.types import FloatArray, IntArray

_BYTES_TIMES = 8
"""Most bytes written for each byte trained: two checkpoints with two moments, one of them a draft, and the best."""


@dataclass(frozen=True, eq=False)
class Training:
    """What a training left.

    Attributes
    ----------
    tuned
        Weights that it changed, by their name in the plain model: low-rank additions are merged.
    head
        Trained class vectors (n_classes, d), not of unit length; None where the text tower makes them.
    adapters
        Low-rank additions by name, as they were before merging; empty for other recipes.
    history
        The rows of its log.
    step
        Steps done; fewer than planned where it stopped early.
    """

    tuned: Mapping[str, Tensor]
    head: Tensor | None
    adapters: Mapping[str, Tensor]
    history: tuple[Row, ...]
    step: int


def train(model: Any, data: TrainingData, recipe: Recipe, *, run: Run, team: Team) -> Training:
    """Train a two-tower model, which is changed in place.

    Parameters
    ----------
    model
        A CLIP or SigLIP model of `transformers` in float32. Where the team splits it, it is of no use afterwards.
    data
        Images, classes and prompts.
    run
        Where log and checkpoints are kept, and whether to go on with them.
    team
        Processes and device.

    Raises
    ------
    InputError
        If data and recipe do not fit, or the folder can't be used.
    DivergedError
        If the training destroys what it should improve.
    """
    check_data(data.labels, data.class_names, recipe, n_processes=team.size)
    with torch.random.fork_rng():
        trainer = _Trainer(model, data, recipe, run, team)
        trainer.open()
        return trainer.go()


class _Trainer:
    """One training under way."""

    def __init__(self, model: Any, data: TrainingData, recipe: Recipe, run: Run, team: Team) -> None:
        self._recipe, self._run, self._team = recipe, run, team
        self._all_data = data
        out = held_out(data.labels, share=recipe.holdout, seed=recipe.seed)
        self._data = data.only(np.flatnonzero(~out))
        self._held_out = data.only(np.flatnonzero(out)) if out.any() else None
        self._learner = Learner(model, data.texts, recipe, team)
        check_rate(recipe.learning_rate, self._learner.weights().values())
        self._learner.distribute()
        self._batches = BalancedBatches(
            self._data.labels,
            batch_size=recipe.batch_size,
            images_per_class=recipe.images_per_class,
            margins=self._margins() if recipe.curriculum == "easy-first" else None,
            seed=recipe.seed,
        )
        epoch_length, shots = self._batches.epoch_length, shots_of(self._data.labels)
        self._stages = stages_of(recipe, epoch_length=epoch_length, shots=shots)
        self._state = State()

    def open(self) -> None:
        """Make the folder ready, and take up what it holds."""
        if self._team.is_main:
            origin = {**self._run.origin, "data": self._all_data.digest()}
            n_bytes = _BYTES_TIMES * self._learner.n_bytes
            open_run(self._run.folder, self._recipe, origin, resume=self._run.resume, n_bytes=n_bytes)
        self._team.wait()
        if (self._run.folder / LAST).is_file():
            weights, values = read_checkpoint(self._run.folder / LAST)
            self._state = State.from_json(values)
            self._learner.load(weights)

    def go(self) -> Training:
        """Train to the end."""
        self._clock = Clock(
            spent=self._state.seconds,
            step=self._state.step,
            n_steps=sum(stage.n_steps for stage in self._stages),
            batch_size=self._batches.batch_size,
        )
        run, step = self._run, self._state.step
        with History(run.folder, up_to=step, keeps=self._team.is_main, tensorboard=run.tensorboard) as history:
            while not self._state.finished:
                self._train_stage(self._stages[self._state.stage], history)
                self._take_best()
                self._state.next_stage(of=len(self._stages))
                self._keep()
        return self._result(history)

    def _result(self, history: History) -> Training:
        learner = self._learner
        adapters = {} if learner.trained.adapters is None else learner.trained.parameters
        kept = {name: whole(one.detach()).cpu().clone() for name, one in adapters.items()}
        head = None if learner.head is None else learner.head.detach().cpu()
        return Training(learner.merged(), head, kept, tuple(history.rows), self._state.step)

    def _train_stage(self, stage: Stage, history: History) -> None:
        state, recipe = self._state, self._recipe
        learning = self._learner.begin(stage)
        optimizer = self._learner.optimizer(learning)
        images, texts = self._sides(stage)
        if state.stage_step > 0:
            restore_optimizer(self._run.folder / LAST, optimizer, learning)
        else:
            self._look(texts, history, rate=0.0)
        maker = GradientMaker(
            images,
            texts,
            self._learner.model.logit_scale,
            self._team,
            loss=_loss_of(stage, recipe),
            n_classes=self._data.n_classes,
            n_parts=recipe.accumulation,
        )
        self._learner.model.train()
        for rows in islice(self._batches, state.step, state.step + stage.n_steps - state.stage_step):
            if recipe.patience is not None and state.waited >= recipe.patience:
                return
            rate = self._follow(stage, maker, optimizer, learning, rows)
            if stage.is_look(state.stage_step):
                self._look(texts, history, rate=rate)
            if self._team.agreed(self._clock.is_due(self._run.checkpoint_seconds)):
                self._keep(optimizer, learning)

    def _follow(
        self,
        stage: Stage,
        maker: GradientMaker,
        optimizer: Optimizer,
        learning: Mapping[str, Parameter],
        rows: IntArray,
    ) -> float:
        """One step along the gradient of a batch; returns the learning rate."""
        state, recipe = self._state, self._recipe
        factor = rate_factor(state.stage_step, stage.n_steps, schedule=recipe.schedule, warmup=recipe.warmup)
        rate = recipe.learning_rate * factor
        for group in optimizer.param_groups:
            group["lr"] = rate
        labels = self._data.labels[rows]
        score = maker(Step(rows, labels, state.step, recipe.seed), learning.values())
        norm = clip_gradients(learning.values(), recipe.gradient_clip, self._team)
        paths = [self._data.paths[row] for row in rows]
        check_finite(score.loss, norm, step=state.step, paths=paths, rate=recipe.learning_rate)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)  # at once: a look at held-out images needs the memory
        state.count(score)
        n_compared = self._data.n_classes if _loss_of(stage, recipe) in READS_ALL_CLASSES else len(rows)
        check_learning(state.losses, guessing=math.log(n_compared), step=state.step, rate=recipe.learning_rate)
        if self._team.is_main:
            self._run.progress(self._clock.report(state.step, score.loss))
        return rate

    def _sides(self, stage: Stage) -> tuple[ImageSide, TextSide]:
        learner, team, trains_encoder = self._learner, self._team, stage.trains != HEAD
        images = ImageSide(
            learner.model,
            self._data,
            team,
            learns=trains_encoder and learner.trained.image_tower,
            augment=self._recipe.augment,
        )
        head = None if trains_encoder else learner.head
        return images, TextSide(learner.model, self._data.texts, team, learns=learner.trained.text_tower, head=head)

    def _look(self, texts: TextSide, history: History, *, rate: float) -> None:
        """Score the held-out images, keep the best moment, and add a row to the log."""
        state = self._state
        validation = self._validation(texts)
        if validation is not None and state.look(validation):
            weights = collected(self._learner.weights(), self._team)
            if self._team.is_main:
                write_checkpoint(self._run.folder / BEST, weights, {"step": state.step})
        epoch = state.step / self._batches.epoch_length
        history.add(
            Row.of(
                step=state.step,
                epoch=epoch,
                learning_rate=rate,
                train=state.mean_score(),
                validation=validation,
                seconds=self._clock.seconds(),
            )
        )

    def _validation(self, texts: TextSide) -> Score | None:
        if self._held_out is None:
            return None
        model = self._learner.model
        labels = torch.from_numpy(self._held_out.labels).to(self._team.device)
        images = encode(model, self._held_out.pixels, self._team)
        logits = model.logit_scale.detach().exp() * images @ texts.all_vectors().T
        return Score.of(float(cross_entropy(logits, labels)), logits, labels)

    def _take_best(self) -> None:
        """Go back to the best moment of the stage, where held-out images tell it."""
        self._team.wait()
        if self._held_out is not None and self._state.best_step < self._state.step:
            weights, _ = read_checkpoint(self._run.folder / BEST)
            self._learner.load(weights)

    def _keep(self, optimizer: Optimizer | None = None, learning: Mapping[str, Parameter] | None = None) -> None:
        """Write a checkpoint; between stages there is no optimizer to keep."""
        moments = {} if optimizer is None else moments_of(optimizer, learning or {})
        weights, moments = (collected(some, self._team) for some in (self._learner.weights(), moments))
        if self._team.is_main:
            self._state.seconds = self._clock.seconds()
            write_checkpoint(self._run.folder / LAST, weights, self._state.to_json(), moments=moments)
        self._clock.kept()

    def _margins(self) -> FloatArray:
        """Zero-shot margin of each training image."""
        model = self._learner.model
        images = encode(model, self._data.pixels, self._team)
        texts = TextSide(model, self._data.texts, self._team, learns=False).all_vectors()
        return zero_shot_margins((images @ texts.T).cpu().numpy(), self._data.labels)


def _loss_of(stage: Stage, recipe: Recipe) -> str:
    """A head has no prompts that a batch could be compared with, so it always classifies."""
    return "classify" if stage.trains == HEAD else recipe.loss
