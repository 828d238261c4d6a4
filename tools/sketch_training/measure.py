"""What a trained encoder does on pictures that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from transformers import CLIPModel, PreTrainedTokenizerFast

from inkling.sketch import HELD_OUT, TRAINED, description
from sketch_training.pictures import Pictures, draw_pictures, to_pixel_values

TEST_PICTURES, SHOTS = 50, 16


def measure(model: CLIPModel, tokenizer: PreTrainedTokenizerFast) -> dict[str, float]:
    """Top-1 on fresh pictures: zero-shot by name and by description, and a linear head on 16 shots."""

    def zero_shot(pictures: Pictures, nouns: list[str]) -> float:
        texts = text_embeddings(model, tokenizer, [f"a photo of {noun}." for noun in nouns])
        found = (image_embeddings(model, pictures.pixels) @ texts.T).argmax(axis=1)
        return float(np.mean(found == np.repeat(np.arange(len(nouns)), len(found) // len(nouns))))

    figures = {}
    for label, kinds in (("trained", TRAINED), ("held_out", HELD_OUT)):
        names = [f"a {kind}" for kind in kinds]
        test = draw_pictures(kinds, TEST_PICTURES, first_seed=1_000_000_000)
        shifted = draw_pictures(kinds, TEST_PICTURES, first_seed=1_000_000_000, style="shifted")
        figures[f"{label}_zero_shot"] = zero_shot(test, names)
        figures[f"{label}_zero_shot_by_description"] = zero_shot(test, [description(kind) for kind in kinds])
        figures[f"{label}_zero_shot_shifted"] = zero_shot(shifted, names)
        figures[f"{label}_linear_16_shots"] = linear_accuracy(model, kinds, test)
        figures[f"{label}_chance"] = 1 / len(kinds)
    return {name: round(value, 4) for name, value in figures.items()}


def linear_accuracy(model: CLIPModel, kinds: Sequence[str], test: Pictures) -> float:
    """Top-1 of a logistic regression on the embeddings of 16 other pictures of each kind."""
    shots = draw_pictures(kinds, SHOTS, first_seed=2_000_000_000)
    head = LogisticRegression(C=10.0, max_iter=2000)
    head.fit(image_embeddings(model, shots.pixels), [scene.kind for scene in shots.scenes])
    return float(head.score(image_embeddings(model, test.pixels), [scene.kind for scene in test.scenes]))


@torch.no_grad()
def image_embeddings(model: CLIPModel, pixels: np.ndarray) -> np.ndarray:
    """Unit vectors (n, d) of pictures."""
    parts = [
        model.get_image_features(pixel_values=to_pixel_values(part)).pooler_output
        for part in np.array_split(pixels, max(1, len(pixels) // 256))
    ]
    return torch.nn.functional.normalize(torch.cat(parts), dim=-1).numpy()


@torch.no_grad()
def text_embeddings(model: CLIPModel, tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> np.ndarray:
    """Unit vectors (n, d) of texts."""
    tokens = tokenizer(texts, padding=True, return_tensors="pt")
    features = model.get_text_features(
        input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
    ).pooler_output
    return torch.nn.functional.normalize(features, dim=-1).numpy()
