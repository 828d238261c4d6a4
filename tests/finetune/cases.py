"""Small trainings: a tiny CLIP with random weights, and drawn pictures for the embedded encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import AutoModel

from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.finetune.recipe import Recipe
from inkling.finetune.run_folder import Run
from inkling.finetune.training.data import TrainingData
from inkling.finetune.training.distributed import Team
from inkling.finetune.training.pixels import Pixels
from inkling.finetune.training.texts import ClassTexts
from inkling.finetune.training.trainer import Training, train
from inkling.sketch import HELD_OUT, draw

NAMES = ("cat", "dog", "train", "boat", "car")


def load(folder: Path) -> Any:
    return AutoModel.from_pretrained(folder, dtype=torch.float32).eval()


def data_of(folder: Path, images: Sequence[Image.Image], labels: Sequence[int], names: Sequence[str]) -> TrainingData:
    source = ModelFolder(folder)
    return TrainingData(
        pixels=Pixels.of([source.preprocessing.levels(image) for image in images], source.preprocessing),
        labels=np.array(labels),
        paths=tuple(f"image-{number}.png" for number in range(len(images))),
        class_names=tuple(names),
        texts=ClassTexts.of([[f"a photo of a {name}."] for name in names], source),
    )


def noise(folder: Path, *, per_class: Sequence[int] = (3, 3, 3, 3), seed: int = 0) -> TrainingData:
    """Images of noise, as many of each class as given."""
    rng = np.random.default_rng(seed)
    side = ModelFolder(folder).preprocessing.shorter_side
    labels = np.repeat(np.arange(len(per_class)), per_class)
    images = [Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)) for _ in labels]
    return data_of(folder, images, labels.tolist(), NAMES[: len(per_class)])


def drawn(folder: Path, *, n_kinds: int = 4, per_class: int = 4, seed: int = 0, style: str = "plain") -> TrainingData:
    """Pictures of kinds that the embedded encoder was not trained on."""
    kinds = HELD_OUT[:n_kinds]
    pairs = [(kind, number) for kind in range(n_kinds) for number in range(per_class)]
    images = [draw(kinds[kind], seed=seed * 1000 + number, size=64, style=style) for kind, number in pairs]
    return data_of(folder, images, [kind for kind, _ in pairs], kinds)


def recipe(**options: Any) -> Recipe:
    plain = {"train": "full", "loss": "classify", "steps": 4, "batch_size": 4, "learning_rate": 1e-3}
    return Recipe(**{**plain, **options, **({"steps": None} if {"epochs", "steps_per_shot"} & set(options) else {})})


def team(*, fsdp: bool = False) -> Team:
    return Team.form(precision="float32", cpu=True, fsdp=fsdp)


def run(
    folder: Path, data: TrainingData, output: Path, *, model: Any = None, fsdp: bool = False, **options: Any
) -> Training:
    """Train the model in a folder; options of its run are split from those of the recipe."""
    of_run = {name: options.pop(name) for name in ("resume", "progress", "checkpoint_seconds") if name in options}
    kept = Run(folder=output, **of_run)
    return train(model or load(folder), data, recipe(**options), run=kept, team=team(fsdp=fsdp))
