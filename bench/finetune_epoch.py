"""One epoch of the original experiment, by Inkling or by a plain loop, and how much memory the process ever had.

A process of its own, since the peak of a process never falls. The plain loop does what the experiment's script did: it
decodes and prepares each image whenever it comes, runs both towers with texts padded to 77 tokens, takes the symmetric
loss, clips the gradient, steps Adam, and after the epoch evaluates in the same batches, with the texts encoded anew for
each. Both train on the same crops and evaluate the same others.

Prints JSON.

    python bench/finetune_epoch.py write FOLDER                     # a ViT-B/32 of random weights
    python bench/finetune_epoch.py inkling FOLDER --crops 192       # or: plain
    python bench/finetune_epoch.py steps FOLDER --train image       # seconds of single steps
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from common import SHARED
from inkling.encoders.transformers.loaded_model import load_towers
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.finetune.prepare import prepare
from inkling.finetune.recipe import PRESETS, Recipe
from inkling.finetune.run_folder import Run
from inkling.finetune.training.data import TrainingData
from inkling.finetune.training.distributed import Team
from inkling.finetune.training.holdout import held_out
from inkling.finetune.training.trainer import train
from inkling.types import ImageRecord, IntArray

SEED = 0
TEMPLATE = "a photo of a {}."
HELD_OUT_SHARE = 503 / 737
"""Of the crops: the experiment trained on 234 and evaluated 503."""
LONGEST_TEXT = 77
N_STEPS = 12


@dataclass(frozen=True)
class Crops:
    """Labelled files, and which of them are evaluated instead of trained on."""

    paths: list[Path]
    labels: IntArray
    classes: list[str]
    evaluated: IntArray
    trained: IntArray


def main() -> None:
    """Do one thing, print JSON."""
    options = _parse()
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.what == "write":
        write_random_vit(options.folder)
        return
    crops = choose_crops(options.crops)
    if options.what == "steps":
        found: dict[str, Any] = time_steps(options.folder, crops, train_what=options.train, precision=options.precision)
    else:
        found = {"inkling": inkling_epoch, "plain": plain_epoch}[options.what](options.folder, crops)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({**found, "peak_gib": peak / 2**30, "threads": torch.get_num_threads()}))


def write_random_vit(folder: Path) -> None:
    """A CLIP ViT-B/32 as the library initialises it, with a tokenizer that knows the crops' classes word by word."""
    torch.manual_seed(SEED)
    CLIPModel(CLIPConfig()).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    words = [*TEMPLATE.split()[:-1], ".", *_class_names()]
    pieces = sorted({letter + end for word in words for letter in word for end in ("", "</w>")})
    merges = [pair for word in dict.fromkeys(words) for pair in _merges(word)]
    vocabulary = dict.fromkeys([*pieces, *("".join(pair) for pair in merges)])
    special = {"<|startoftext|>": 49406, "<|endoftext|>": 49407}
    CLIPTokenizer(vocab={piece: at for at, piece in enumerate(vocabulary)} | special, merges=merges).save_pretrained(
        folder
    )


def choose_crops(n: int) -> Crops:
    """Every k-th crop of each class, divided by the seed."""
    classes = _class_names()
    files = [sorted(SHARED.glob(f"data/coco_crops/few_shot/*/{name}/*.jpg")) for name in classes]
    step = max(1.0, sum(map(len, files)) / n)
    files = [[of_class[int(at)] for at in np.arange(0, len(of_class), step)] for of_class in files]
    labels = np.repeat(np.arange(len(classes)), [len(of_class) for of_class in files])
    out = held_out(labels, share=HELD_OUT_SHARE, seed=SEED)
    return Crops([path for of_class in files for path in of_class], labels, classes, *map(np.flatnonzero, (out, ~out)))


def inkling_epoch(folder: Path, crops: Crops) -> dict[str, Any]:
    """The preset, watched by the same share of crops as the plain loop evaluates."""
    recipe = PRESETS["original"].changed(epochs=1, holdout=HELD_OUT_SHARE, seed=SEED)
    start = time.perf_counter()
    data = _prepared(folder, crops)
    prepared = time.perf_counter()
    history = _train(folder, data, recipe)
    return {
        "seconds": history[1].seconds - history[0].seconds,
        "seconds_to_prepare": prepared - start,
        "seconds_in_all": time.perf_counter() - start,
        "loss": history[1].train_loss,
        "top1": history[1].validation_top1,
        "steps": history[1].step,
        "trained": len(crops.trained),
        "evaluated": len(crops.evaluated),
    }


def plain_epoch(folder: Path, crops: Crops) -> dict[str, Any]:
    """The experiment's loop, written out."""
    model, processor, tokenizer = load_towers(ModelFolder(folder)), *_processors(folder)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-7, weight_decay=1e-4)
    prompts = tokenizer(
        [TEMPLATE.format(name) for name in crops.classes],
        padding="max_length",
        max_length=LONGEST_TEXT,
        return_tensors="pt",
    )
    losses = []
    start = time.perf_counter()
    model.train()
    for rows in _one_of_each_class(crops):
        labels = torch.from_numpy(crops.labels[rows])
        optimizer.zero_grad()
        logits = _logits(model, _pixels(processor, crops, rows), {name: one[labels] for name, one in prompts.items()})
        own = torch.arange(len(rows))
        loss = (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    hits = []
    with torch.no_grad():
        for at in range(0, len(crops.evaluated), len(crops.classes)):
            rows = crops.evaluated[at : at + len(crops.classes)]
            found = _logits(model, _pixels(processor, crops, rows), dict(prompts)).argmax(dim=1)
            hits.append(found.numpy() == crops.labels[rows])
    return {
        "seconds": time.perf_counter() - start,
        "loss": float(np.mean(losses)),
        "top1": float(np.concatenate(hits).mean()),
        "steps": len(losses),
    }


def time_steps(folder: Path, crops: Crops, *, train_what: str, precision: str) -> dict[str, list[float]]:
    """Seconds of single steps, by the clock and by the processor; the first, which warms up, isn't counted."""
    recipe = PRESETS["original"].changed(steps=N_STEPS + 1, train=train_what, precision=precision, seed=SEED)
    done: list[tuple[float, float]] = []
    data = _prepared(folder, crops)
    _train(folder, data, recipe, progress=lambda _: done.append((time.perf_counter(), time.process_time())))
    seconds, cpu_seconds = np.diff(done, axis=0).T.tolist()
    return {"seconds": seconds, "cpu_seconds": cpu_seconds}


def _prepared(folder: Path, crops: Crops) -> TrainingData:
    records = [
        ImageRecord(str(path), label=crops.classes[label])
        for path, label in zip(crops.paths, crops.labels, strict=True)
    ]
    return prepare(records, ModelFolder(folder), templates=[TEMPLATE], augments=False).data


def _train(folder: Path, data: TrainingData, recipe: Recipe, **options: Any) -> Any:
    team = Team.form(precision=recipe.precision, cpu=True)
    with tempfile.TemporaryDirectory() as output:
        run = Run(folder=Path(output), **options)
        return train(load_towers(ModelFolder(folder)), data, recipe, run=run, team=team).history


def _logits(model: Any, pixels: Tensor, tokens: dict[str, Tensor]) -> Tensor:
    images = normalize(model.get_image_features(pixel_values=pixels).pooler_output, dim=1)
    texts = normalize(model.get_text_features(**tokens).pooler_output, dim=1)
    return model.logit_scale.exp() * images @ texts.T


def _pixels(processor: Any, crops: Crops, rows: IntArray) -> Tensor:
    images = [Image.open(crops.paths[row]).convert("RGB") for row in rows]
    return processor(images=images, return_tensors="pt")["pixel_values"]


def _processors(folder: Path) -> tuple[Any, Any]:
    return CLIPImageProcessorPil.from_pretrained(folder), CLIPTokenizer.from_pretrained(folder)


def _one_of_each_class(crops: Crops) -> Iterator[IntArray]:
    """As many batches as the trained crops fill; small classes come round again."""
    rng = np.random.default_rng(SEED)
    members = [rng.permutation(crops.trained[crops.labels[crops.trained] == k]) for k in range(len(crops.classes))]
    for at in range(-(-len(crops.trained) // len(crops.classes))):
        yield np.array([of_class[at % len(of_class)] for of_class in members])


def _class_names() -> list[str]:
    return sorted(folder.name for folder in (SHARED / "data/coco_crops/few_shot/train").iterdir())


def _merges(word: str) -> Iterator[tuple[str, str]]:
    """From its letters to the whole word, one letter at a time."""
    letters = [*word[:-1], f"{word[-1]}</w>"]
    for at in range(1, len(letters)):
        yield "".join(letters[:at]), letters[at]


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("write", "inkling", "plain", "steps"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--crops", type=int, default=737)
    parser.add_argument("--train", default="full")
    parser.add_argument("--precision", default="float32", help="of single steps")
    parser.add_argument("--threads", type=int, help="of torch; as many as cores unless given")
    return parser.parse_args()


if __name__ == "__main__":
    main()
