"""Options of a training, each named as in `inkling.finetune.recipe.Recipe`; None leaves what the preset says."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from inkling.cli.usage import fraction, whole

PANEL = "Training (default: what the preset says)"


def _option(help_text: str, *names: str, **how: Any) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel=PANEL, show_default=False, **how)


def _whole(help_text: str, least: int) -> Any:
    return _option(help_text, parser=whole(least), metavar="N")


def _fraction(help_text: str, *names: str) -> Any:
    return _option(help_text, *names, parser=fraction, metavar="X")


Train = Annotated[str | None, _option("full, image, text, blocks:N, layernorm, projection or lora.")]
Loss = Annotated[str | None, _option("contrastive, flyp or classify.")]
Epochs = Annotated[int | None, _whole("Passes over the images.", 1)]
Steps = Annotated[int | None, _whole("Steps, in place of epochs.", 1)]
BatchSize = Annotated[int | None, _whole("Images of a step.", 1)]
LearningRate = Annotated[float | None, _fraction("Highest learning rate.", "--lr")]
WeightDecay = Annotated[float | None, _fraction("Weight decay.")]
Schedule = Annotated[str | None, _option("constant or cosine.")]
Warmup = Annotated[float | None, _fraction("Share of the steps over which the rate rises.")]
Augment = Annotated[str | None, _option("none, light or strong.")]
Curriculum = Annotated[str | None, _option("none or easy-first.")]
Holdout = Annotated[float | None, _fraction("Share of each class that is held out to watch the training by.")]
Patience = Annotated[int | None, _whole("Stop after so many epochs without gain on the held-out share.", 1)]
Folds = Annotated[int | None, _whole("Trainings that judge the result, each on images that it did not see.", 2)]
Accumulation = Annotated[int | None, _whole("Parts in which a batch passes through the towers: saves memory.", 1)]
Checkpointing = Annotated[bool, _option("Less memory, more time.", "--gradient-checkpointing")]
Arithmetic = Annotated[str | None, _option("auto, float32 or bfloat16.", "--precision")]
