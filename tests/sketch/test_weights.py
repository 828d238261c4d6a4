"""The embedded encoder: a standard folder that loads without a network, and does what its card says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from transformers import AutoImageProcessor, AutoTokenizer, CLIPModel, PreTrainedTokenizerFast

from inkling.sketch import HELD_OUT, TRAINED, description, draw, weights_folder

PICTURES = 12


@pytest.fixture(scope="module")
def model() -> CLIPModel:
    return CLIPModel.from_pretrained(weights_folder(), local_files_only=True).eval()


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return AutoTokenizer.from_pretrained(weights_folder(), local_files_only=True)


@torch.no_grad()
def embed_texts(model: CLIPModel, tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> NDArray[np.float32]:
    tokens = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    vectors = model.get_text_features(input_ids=tokens["input_ids"]).pooler_output
    return torch.nn.functional.normalize(vectors, dim=-1).numpy()


@torch.no_grad()
def embed_drawn(
    model: CLIPModel, kinds: tuple[str, ...], *, first: int, per_kind: int = PICTURES, style: str = "plain"
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    processor = AutoImageProcessor.from_pretrained(weights_folder(), local_files_only=True, backend="pil")
    pictures = [draw(kind, seed=first + i, style=style) for kind in kinds for i in range(per_kind)]
    vectors = model.get_image_features(**processor(pictures, return_tensors="pt")).pooler_output
    labels = np.repeat(np.arange(len(kinds)), per_kind)
    return torch.nn.functional.normalize(vectors, dim=-1).numpy(), labels


def zero_shot(model: CLIPModel, tokenizer: PreTrainedTokenizerFast, kinds: tuple[str, ...], names: list[str]) -> float:
    x, y = embed_drawn(model, kinds, first=50_000)
    texts = embed_texts(model, tokenizer, [f"a photo of {name}." for name in names])
    return float(((x @ texts.T).argmax(axis=1) == y).mean())


def test_folder_is_small_and_complete() -> None:
    files = {path.name: path.stat().st_size for path in weights_folder().iterdir()}
    assert {"config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json"} <= set(files)
    assert 2_000_000 <= sum(files.values()) <= 5_000_000


def test_card_says_that_it_is_a_miniature() -> None:
    card = (weights_folder() / "README.md").read_text()
    assert "license: apache-2.0" in card
    assert "not for photographs" in card


def test_record_of_the_training_run() -> None:
    record = json.loads((weights_folder() / "training.json").read_text())
    assert {"recipe", "seconds", "weights", "figures", "versions"} <= set(record)
    assert "seed" in record["recipe"]


def test_end_token_is_where_the_text_tower_pools(model: CLIPModel, tokenizer: PreTrainedTokenizerFast) -> None:
    """Id 2 would switch CLIPTextModel to a legacy rule; padding must not move the vector."""
    assert model.config.text_config.eos_token_id == tokenizer.eos_token_id != 2
    alone = embed_texts(model, tokenizer, ["a cat"])
    padded = embed_texts(model, tokenizer, ["a cat", "a photo of something with wheels and windows."])
    np.testing.assert_allclose(alone[0], padded[0], atol=1e-5)


def test_long_text_keeps_its_end_token(tokenizer: PreTrainedTokenizerFast) -> None:
    ids = tokenizer("a very long text " * 20, truncation=True)["input_ids"]
    assert len(ids) == tokenizer.model_max_length
    assert ids[-1] == tokenizer.eos_token_id


def test_trained_names_are_whole_words_and_others_fall_into_known_pieces(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    assert all(tokenizer.tokenize(name) == [name] for name in TRAINED)
    assert tokenizer.tokenize("Houseboat") == ["house", "boat"]
    assert tokenizer.tokenize("starfish") == ["star", "fish"]
    for name in (*HELD_OUT, "traffic_light", "Café"):
        assert tokenizer.unk_token not in tokenizer.tokenize(name)


def test_held_out_names_are_no_tokens(tokenizer: PreTrainedTokenizerFast) -> None:
    assert not set(HELD_OUT) & set(tokenizer.get_vocab())


def test_every_name_has_a_vector_of_its_own(model: CLIPModel, tokenizer: PreTrainedTokenizerFast) -> None:
    vectors = embed_texts(model, tokenizer, [f"a photo of a {name}." for name in (*TRAINED, *HELD_OUT)])
    cosines = vectors @ vectors.T - np.eye(len(vectors))
    assert cosines.max() < 0.999


def test_zero_shot_on_fresh_pictures_is_good_but_leaves_room(
    model: CLIPModel, tokenizer: PreTrainedTokenizerFast
) -> None:
    assert 0.80 <= zero_shot(model, tokenizer, TRAINED, [f"a {kind}" for kind in TRAINED]) <= 0.985


def test_descriptions_find_held_out_kinds_above_chance(model: CLIPModel, tokenizer: PreTrainedTokenizerFast) -> None:
    chance = 1 / len(HELD_OUT)
    assert zero_shot(model, tokenizer, HELD_OUT, [description(kind) for kind in HELD_OUT]) > 1.5 * chance


def test_a_head_on_sixteen_shots_tells_held_out_kinds_apart(model: CLIPModel) -> None:
    shots, y_shots = embed_drawn(model, HELD_OUT, first=60_000, per_kind=16)
    x, y = embed_drawn(model, HELD_OUT, first=70_000, per_kind=40)
    head = LogisticRegression(C=10.0, max_iter=2000).fit(shots, y_shots)
    assert head.score(x, y) >= 0.70  # 0.78 on the model card, give or take 0.02 with so many pictures


def test_the_shifted_style_is_harder(model: CLIPModel, tokenizer: PreTrainedTokenizerFast) -> None:
    texts = embed_texts(model, tokenizer, [f"a photo of a {kind}." for kind in TRAINED])

    def accuracy(style: str) -> float:
        x, y = embed_drawn(model, TRAINED, first=80_000, style=style)
        return float(((x @ texts.T).argmax(axis=1) == y).mean())

    assert accuracy("shifted") < accuracy("plain") - 0.05
    assert accuracy("shifted") > 3 / len(TRAINED)


def test_weights_travel_with_the_package() -> None:
    import inkling

    assert weights_folder().is_relative_to(Path(inkling.__file__).parent)
