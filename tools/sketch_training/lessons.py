"""Batches of pictures and captions, and the loss that knows which captions fit which pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import torch

from inkling.sketch import TRAINED, Scene
from inkling.sketch.captions import SIZES, Caption, describe
from inkling.sketch.palette import COLOURS
from inkling.sketch.styles import USUAL
from sketch_training.pictures import Pictures, to_pixel_values

SPELLED = 0.08
"""Share of captions whose name is spelled in letters, so that letters, and with them unknown words, mean something
(in the spirit of BPE-dropout, Provilkov et al. 2020, 1910.13267)."""


@dataclass(frozen=True)
class Batch:
    """Pictures, one caption of each, and its wording."""

    pixel_values: torch.Tensor
    scenes: list[Scene]
    captions: list[Caption]
    texts: list[str]


def batches(pictures: Pictures, *, epochs: int, size: int, rng: Random) -> Iterator[Batch]:
    """All pictures in a new order, with new captions and mirrored at random, in every epoch."""
    for _ in range(epochs):
        order = rng.sample(range(len(pictures.scenes)), len(pictures.scenes))
        for start in range(0, len(order) - size + 1, size):
            chosen = order[start : start + size]
            scenes = [pictures.scenes[index] for index in chosen]
            captions = [describe(scene, rng) for scene in scenes]
            pixel_values = to_pixel_values(pictures.pixels[chosen])
            if rng.random() < 0.5:
                pixel_values = pixel_values.flip(-1)
            yield Batch(pixel_values, scenes, captions, write_texts(captions, scenes, rng))


def write_texts(captions: Sequence[Caption], scenes: Sequence[Scene], rng: Random) -> list[str]:
    """Texts of the captions, some of them with the object's name spelled in letters."""
    texts = []
    for caption, scene in zip(captions, scenes, strict=True):
        spelled = caption.text.replace(scene.kind, " ".join(scene.kind))
        texts.append(spelled if rng.random() < SPELLED else caption.text)
    return texts


def truth(captions: Sequence[Caption], scenes: Sequence[Scene]) -> torch.Tensor:
    """Whether caption j is true of picture i, (pictures, captions) bool."""
    kinds = torch.tensor([[name in caption.kinds for caption in captions] for name in TRAINED])
    fits = kinds[[TRAINED.index(scene.kind) for scene in scenes]]
    for words, seen, said in (
        (COLOURS, [scene.colour for scene in scenes], [caption.colour for caption in captions]),
        (USUAL, [scene.background for scene in scenes], [caption.background for caption in captions]),
        (SIZES, [scene.size for scene in scenes], [caption.size for caption in captions]),
    ):
        is_so = torch.tensor([words.index(word) if word else -1 for word in seen])
        claim = torch.tensor([words.index(word) if word else -1 for word in said])
        fits &= (claim[None, :] == -1) | (claim[None, :] == is_so[:, None])
    return fits


def contrastive_loss(logits: torch.Tensor, fits: torch.Tensor) -> torch.Tensor:
    """CLIP's symmetric cross-entropy, its targets spread over all that fits (Goyal et al. 2023, 2212.00638).

    logits, fits: (pictures, captions).
    """
    targets = fits.float()
    per_picture = -(targets / targets.sum(1, keepdim=True) * logits.log_softmax(1)).sum(1)
    per_caption = -(targets / targets.sum(0, keepdim=True) * logits.log_softmax(0)).sum(0)
    return (per_picture.mean() + per_caption.mean()) / 2
