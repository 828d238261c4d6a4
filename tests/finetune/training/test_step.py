"""Loss and gradients of a step against an independent computation in plain torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from inkling.finetune.recipe import PRESETS, Recipe
from inkling.finetune.training import parts
from inkling.finetune.training.data import TrainingData
from inkling.finetune.training.learner import Learner
from inkling.finetune.training.step import GradientMaker, Score, Step
from inkling.finetune.training.vectors import ImageSide, TextSide
from tests.finetune.cases import load, noise, recipe, team


def gradients(
    model: Any, data: TrainingData, how: Recipe, rows: np.ndarray, *, number: int = 0
) -> tuple[Score, dict[str, Tensor]]:
    """Our own, of one batch."""
    trained = Learner(model, data.texts, how, team()).trained
    maker = GradientMaker(
        ImageSide(model, data, team(), learns=trained.image_tower, augment=how.augment),
        TextSide(model, data.texts, team(), learns=trained.text_tower),
        model.logit_scale,
        team(),
        loss=how.loss,
        n_classes=data.n_classes,
        n_parts=how.accumulation,
    )
    model.train()
    score = maker(Step(rows, data.labels[rows], number, how.seed), trained.parameters.values())
    return score, {name: one.grad.clone() for name, one in trained.parameters.items() if one.grad is not None}


def plain_step(model: Any, pixels: Tensor, tokens: dict[str, Tensor]) -> Tensor:
    """One step of the original experiment, written out: both towers, cosines, two cross-entropies."""
    images = model.vision_model(pixel_values=pixels).pooler_output @ model.visual_projection.weight.T
    texts = model.text_model(**tokens).pooler_output @ model.text_projection.weight.T
    images = images / (images**2).sum(dim=1, keepdim=True).sqrt()
    texts = texts / (texts**2).sum(dim=1, keepdim=True).sqrt()
    logits = model.logit_scale.exp() * images @ texts.T
    truth = torch.arange(len(images))
    rows = torch.log_softmax(logits, dim=1)[truth, truth].mean()
    columns = torch.log_softmax(logits, dim=0)[truth, truth].mean()
    return -(rows + columns) / 2


def assert_same(ours: dict[str, Tensor], theirs: dict[str, Tensor], *, rtol: float = 1e-5) -> None:
    largest = max(float(one.abs().max()) for one in theirs.values())
    for name, expected in theirs.items():
        assert torch.allclose(ours[name], expected, rtol=rtol, atol=rtol * largest), name


def test_a_step_of_the_original_recipe_is_that_of_the_experiment(clip: Path) -> None:
    data, rows = noise(clip), np.array([7, 0, 10, 4])
    score, ours = gradients(load(clip), data, PRESETS["original"], rows)
    reference = load(clip)
    every_text_to_its_full_length = {
        name: torch.nn.functional.pad(value, (0, 24 - value.shape[1]), value=0 if name == "attention_mask" else 1)
        for name, value in data.texts.only(torch.from_numpy(data.labels[rows])).tokens.items()
    }
    order = np.argsort(np.argsort(data.labels[rows]))
    tokens = {name: value[torch.from_numpy(order)] for name, value in every_text_to_its_full_length.items()}
    loss = plain_step(reference, data.pixels.prepared(rows, torch.device("cpu")), tokens)
    loss.backward()
    assert score.loss == pytest.approx(loss.item(), rel=1e-5)
    theirs = {name: one.grad for name, one in reference.named_parameters() if one.grad is not None}
    assert len(theirs) > 90
    assert set(ours) == set(theirs)
    assert_same(ours, theirs)


@pytest.mark.parametrize("loss", ["contrastive", "flyp", "classify"])
def test_a_batch_in_parts_has_the_gradient_of_the_whole(clip: Path, loss: str) -> None:
    data = noise(clip)
    rows = np.array([7, 0, 10, 4]) if loss == "contrastive" else np.array([7, 0, 6, 4, 1, 11, 9])
    how = recipe(loss=loss, augment="strong")
    score, whole = gradients(load(clip), data, how, rows)
    again, in_parts = gradients(load(clip), data, how.changed(accumulation=3), rows)
    assert again.loss == pytest.approx(score.loss, rel=1e-6)
    assert_same(in_parts, whole)


def test_parts_repeat_the_dropout_of_their_first_pass(clip: Path) -> None:
    """Were the second pass to drop others, its slope would be that of another function than the loss."""
    data, rows = noise(clip), np.array([0, 3, 6, 9])
    how = recipe(train="lora", accumulation=2, lora_dropout=0.5)
    model = load(clip)
    score, slope = gradients(model, data, how, rows)
    parameters = {name: one for name, one in model.named_parameters() if one.requires_grad}
    length = sum(float((one**2).sum()) for one in slope.values())
    reach = 1e-3 * score.loss / length
    with torch.no_grad():
        for name, one in slope.items():
            parameters[name] -= reach * one
    model.zero_grad()
    trained = parts.Trained(parameters)
    maker = GradientMaker(
        ImageSide(model, data, team(), learns=True, augment="none"),
        TextSide(model, data.texts, team(), learns=True),
        model.logit_scale,
        team(),
        loss="classify",
        n_classes=data.n_classes,
        n_parts=2,
    )
    after = maker(Step(rows, data.labels[rows], 0, how.seed), trained.parameters.values())
    assert score.loss - after.loss == pytest.approx(reach * length, rel=0.1)


def test_gradient_checkpointing_changes_no_gradient(clip: Path) -> None:
    data, rows = noise(clip), np.array([0, 3, 6, 9])
    _, plain = gradients(load(clip), data, recipe(), rows)
    model = load(clip)
    _, recomputed = gradients(model, data, recipe(gradient_checkpointing=True), rows)
    assert any(getattr(module, "gradient_checkpointing", False) for module in model.modules())
    assert_same(recomputed, plain, rtol=1e-6)


def test_with_the_image_tower_alone_texts_are_encoded_once(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, model, calls = noise(clip), load(clip), []
    encode_texts = model.get_text_features
    monkeypatch.setattr(model, "get_text_features", lambda **tokens: calls.append(1) or encode_texts(**tokens))
    how = recipe(train="image")
    trained = parts.choose(model, how)
    maker = GradientMaker(
        ImageSide(model, data, team(), learns=True, augment="none"),
        TextSide(model, data.texts, team(), learns=trained.text_tower),
        model.logit_scale,
        team(),
        loss="classify",
        n_classes=data.n_classes,
        n_parts=1,
    )
    for number in range(3):
        maker(Step(np.arange(4), data.labels[:4], number, 0), trained.parameters.values())
    assert len(calls) == 1
    assert all(one.grad is None for one in model.text_model.parameters())


def test_scores_count_the_first_and_the_first_five() -> None:
    logits = torch.tensor([[6.0, 5, 4, 3, 2, 1], [6.0, 5, 4, 3, 2, 1], [6.0, 5, 4, 3, 2, 1]])
    score = Score.of(0.5, logits, torch.tensor([0, 4, 5]))
    assert (score.top1, score.top5) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert Score.of(0.5, logits[:, :2], torch.tensor([0, 1, 1])).top5 == 1.0
