"""Train the embedded miniature encoder `sketch` on pictures that Inkling draws itself.

    python tools/train_sketch.py --output src/inkling/sketch/weights

draws the training pictures into memory, trains a two-tower CLIP from nothing with captions of the grammar,
measures it on fresh pictures, and writes a folder in the format of transformers with a record of the run.
Pictures and words of `HELD_OUT` kinds are never shown to it.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from random import Random

import torch
from transformers import CLIPModel, PreTrainedTokenizerFast

from inkling.sketch import TRAINED
from sketch_training.encoder import Record, build_model, build_tokenizer, save
from sketch_training.lessons import Batch, batches, contrastive_loss, truth
from sketch_training.measure import measure
from sketch_training.pictures import Pictures, draw_pictures

LARGEST_LOGIT_SCALE = math.log(100.0)


@dataclass(frozen=True)
class Recipe:
    """All choices of a training run."""

    clean_pictures_per_kind: int = 300
    clean_epochs: int = 2
    pictures_per_kind: int = 1500
    epochs: int = 5
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: float = 0.05
    seed: int = 0
    threads: int = 1


def draw_stages(recipe: Recipe) -> tuple[tuple[Pictures, int], ...]:
    """Bare objects first, on which shapes are learned quickly; then the pictures that count."""
    # Negative seeds are training's own: whatever is drawn from seeds of 0 and above is new to the encoder.
    first = -(recipe.seed + 1) * 1_000_000
    clean = draw_pictures(TRAINED, recipe.clean_pictures_per_kind, first_seed=first, style="clean", workers=2)
    plain = draw_pictures(TRAINED, recipe.pictures_per_kind, first_seed=first, workers=2)
    return (clean, recipe.clean_epochs), (plain, recipe.epochs)


def parameter_groups(model: CLIPModel, weight_decay: float) -> list[dict[str, object]]:
    """Weight decay on matrices only."""
    decayed = [p for name, p in model.named_parameters() if p.ndim > 1 and "embedding" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim <= 1 or "embedding" in name]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def batch_loss(model: CLIPModel, tokenizer: PreTrainedTokenizerFast, batch: Batch) -> torch.Tensor:
    """Contrastive loss of a batch, plus the cross-entropy of zero-shot classification among all trained kinds.

    The second term gives every picture all names to be compared with, where the batch has only some.
    """
    names = [f"a photo of a {kind}." for kind in TRAINED]
    tokens = tokenizer(batch.texts + names, padding=True, return_tensors="pt")
    logits = model(pixel_values=batch.pixel_values, **tokens).logits_per_image
    per_caption, per_name = logits.split([len(batch.texts), len(names)], dim=1)
    kinds = torch.tensor([TRAINED.index(scene.kind) for scene in batch.scenes])
    fits = truth(batch.captions, batch.scenes)
    return contrastive_loss(per_caption, fits) + torch.nn.functional.cross_entropy(per_name, kinds)


def train(
    model: CLIPModel, tokenizer: PreTrainedTokenizerFast, stages: Sequence[tuple[Pictures, int]], recipe: Recipe
) -> None:
    """One run over the stages (pictures, epochs) with AdamW, warm-up and cosine."""
    rng = Random(recipe.seed)
    steps = sum(epochs * (len(pictures.scenes) // recipe.batch) for pictures, epochs in stages)
    optimizer = torch.optim.AdamW(
        parameter_groups(model, recipe.weight_decay), lr=recipe.learning_rate, betas=(0.9, 0.98)
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=steps, pct_start=recipe.warm_up, cycle_momentum=False
    )
    model.train()
    started = time.monotonic()
    lessons = chain.from_iterable(
        batches(pictures, epochs=epochs, size=recipe.batch, rng=rng) for pictures, epochs in stages
    )
    for step, batch in enumerate(lessons):
        loss = batch_loss(model, tokenizer, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(max=LARGEST_LOGIT_SCALE)
        if step % 100 == 0:
            print(f"step {step}/{steps}  loss {loss.item():.3f}  {time.monotonic() - started:.0f} s", flush=True)
    model.eval()


def main() -> None:
    """Parse, draw, train, measure, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    for name, default in asdict(Recipe()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    options = vars(parser.parse_args())
    folder = options.pop("output")
    recipe = Recipe(**options)

    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    started = time.monotonic()
    stages = draw_stages(recipe)
    drawn = time.monotonic()
    print(f"{sum(len(pictures.scenes) for pictures, _ in stages)} pictures in {drawn - started:.0f} s", flush=True)
    tokenizer = build_tokenizer()
    model = build_model(tokenizer)
    train(model, tokenizer, stages, recipe)
    record: Record = {
        "recipe": asdict(recipe),
        "seconds": {"drawing": round(drawn - started), "training": round(time.monotonic() - drawn)},
        "weights": sum(parameter.numel() for parameter in model.parameters()),
        "figures": measure(model, tokenizer),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "transformers", "tokenizers", "pillow", "numpy")},
        },
    }
    print(json.dumps(record, indent=2))
    save(folder, model, tokenizer, record)


if __name__ == "__main__":
    main()
