"""Options of a training, each named as in `inkling.finetune.recipe.Recipe`; None leaves what the preset says."""

from __future__ import annotations

from typing import Annotated, Any

import typer

PANEL = "Training (default: what the preset says)"


def _option(help_text: str, *names: str) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel=PANEL, show_default=False)


Train = Annotated[str | None, _option("full, image, text, blocks:N, layernorm, projection or lora.")]
Loss = Annotated[str | None, _option("contrastive, flyp or classify.")]
Epochs = Annotated[int | None, _option("Passes over the images.")]
Steps = Annotated[int | None, _option("Steps, in place of epochs.")]
BatchSize = Annotated[int | None, _option("Images of a step.")]
LearningRate = Annotated[float | None, _option("Highest learning rate.", "--lr")]
WeightDecay = Annotated[float | None, _option("Weight decay.")]
Schedule = Annotated[str | None, _option("constant or cosine.")]
Warmup = Annotated[float | None, _option("Share of the steps over which the rate rises.")]
Augment = Annotated[str | None, _option("none, light or strong.")]
Curriculum = Annotated[str | None, _option("none or easy-first.")]
Holdout = Annotated[float | None, _option("Share of each class that is held out to watch the training by.")]
Patience = Annotated[int | None, _option("Stop after so many epochs without gain on the held-out share.")]
Folds = Annotated[int | None, _option("Trainings that judge the result, each on images that it did not see.")]
Accumulation = Annotated[int | None, _option("Parts in which a batch passes through the towers: saves memory.")]
Checkpointing = Annotated[bool, _option("Less memory, more time.", "--gradient-checkpointing")]
Arithmetic = Annotated[str | None, _option("auto, float32 or bfloat16.", "--precision")]
