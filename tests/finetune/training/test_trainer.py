"""Trainings learn, stop where they must, and refuse before they begin what cannot end well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inkling.errors import InputError
from inkling.finetune.training.divergence import DivergedError
from inkling.finetune.training.progress import StepReport
from tests.finetune.cases import data_of, drawn, load, noise, run


@pytest.mark.parametrize(
    "options",
    [
        {"train": "lora", "learning_rate": 3e-3},
        {"train": "image", "loss": "flyp", "learning_rate": 1e-4},
        {"train": "full", "loss": "contrastive", "learning_rate": 1e-4, "batch_size": 4},
        {"train": "projection", "learning_rate": 1e-3, "augment": "light", "curriculum": "easy-first"},
        {"train": "layernorm", "learning_rate": 3e-3, "head_share": 0.4},
    ],
    ids=lambda options: options["train"],
)
def test_a_training_lowers_the_loss_on_images_held_out(sketch: Path, options: dict[str, Any], tmp_path: Path) -> None:
    training = run(sketch, drawn(sketch, per_class=8), tmp_path, steps=30, holdout=0.25, **{"batch_size": 8, **options})
    losses = [row.validation_loss for row in training.history]
    assert None not in losses
    assert min(losses[1:]) < 0.9 * losses[0]
    assert training.history[-1].step == training.step == 30
    assert training.history[0].train_loss is None
    assert all(row.train_loss is not None for row in training.history[1:])


def test_the_best_moment_is_what_remains(sketch: Path, tmp_path: Path) -> None:
    """Learning that soon overshoots: the weights are those of the lowest held-out loss, not the last."""
    data = drawn(sketch, per_class=6)
    options = {"train": "blocks:1", "learning_rate": 3e-3, "schedule": "constant", "batch_size": 8}
    training = run(sketch, data, tmp_path / "long", steps=30, holdout=0.3, **options)
    best = min(training.history, key=lambda row: row.validation_loss or 0.0)
    assert 0 < best.step < 30
    cut = run(sketch, data, tmp_path / "cut", steps=best.step, holdout=0.3, **options)
    assert all(torch.equal(cut.tuned[name], one) for name, one in training.tuned.items())


def test_it_stops_early_where_held_out_images_do_not_gain(sketch: Path, tmp_path: Path) -> None:
    options = {"train": "projection", "learning_rate": 0.05, "schedule": "constant", "holdout": 0.3}
    training = run(sketch, drawn(sketch, per_class=6), tmp_path, steps=200, patience=2, **options)
    losses = [row.validation_loss for row in training.history]
    assert training.step < 200
    assert len(losses) - 1 - int(np.argmin(losses)) == 2


def test_two_stages_train_layernorms_then_a_head(sketch: Path, tmp_path: Path) -> None:
    data = drawn(sketch)
    first = run(sketch, data, tmp_path / "first", train="layernorm", steps=6, schedule="constant")
    both = run(sketch, data, tmp_path / "both", train="layernorm", steps=10, head_share=0.4, schedule="constant")
    assert first.head is None
    assert all(torch.equal(first.tuned[name], both.tuned[name]) for name in first.tuned)
    assert both.head is not None
    assert both.head.shape == (4, 128)
    assert 0 < float((both.head.norm(dim=1) - 1).abs().max()) < 0.2


def test_augmentation_crops_from_the_wide_images(sketch: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    data = drawn(sketch)
    wide = replace(data, wide=replace(data.pixels, levels=torch.zeros(len(data), 3, 60, 60, dtype=torch.uint8)))
    plain = run(sketch, data, tmp_path / "plain", train="projection", augment="light", steps=2)
    black = run(sketch, wide, tmp_path / "black", train="projection", augment="light", steps=2)
    assert black.history[-1].train_top1 == pytest.approx(0.25)
    assert plain.history[-1].train_loss != black.history[-1].train_loss


def test_it_tells_how_far_it_is(clip: Path, tmp_path: Path) -> None:
    told: list[StepReport] = []
    run(clip, noise(clip), tmp_path, epochs=3, batch_size=4, progress=told.append)
    assert [(one.step, one.n_steps) for one in told] == [(step, 9) for step in range(1, 10)]
    assert told[-1].seconds_left == 0
    assert all(one.images_per_second > 0 and np.isfinite(one.loss) for one in told)


@pytest.mark.parametrize("train", ["full", "lora", "layernorm", "blocks:2"])
def test_a_learning_rate_of_one_is_stopped_with_advice(sketch: Path, train: str, tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match=r"diverge[\s\S]*lower learning rate than 1:"):
        run(sketch, drawn(sketch, per_class=6), tmp_path, train=train, learning_rate=1.0, steps=40, batch_size=8)


def test_weights_that_collapse_are_noticed(sketch: Path, tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match=r"began with a loss of [\s\S]*guessing has 1.39"):
        run(sketch, drawn(sketch, per_class=6), tmp_path, train="full", learning_rate=0.1, steps=40, batch_size=8)


def test_a_loss_that_is_no_number_names_step_images_and_remedy(clip: Path, tmp_path: Path) -> None:
    model = load(clip)
    with torch.no_grad():
        model.visual_projection.weight[0, 0] = float("nan")
    with pytest.raises(DivergedError, match=r"step 1: the loss is nan. Its batch: image-\d+.png, [\s\S]*learning rate"):
        run(clip, noise(clip), tmp_path, model=model)


@pytest.mark.parametrize(
    ("per_class", "options", "message"),
    [
        ((5,), {}, "at least two classes"),
        ((3, 3), {"loss": "contrastive", "batch_size": 4}, "size of 2 or less, or the loss flyp"),
        ((3, 3), {"loss": "flyp", "batch_size": 1}, "loss classify"),
        ((3, 3), {"batch_size": 2, "accumulation": 3}, "smaller accumulation"),
        ((1, 1), {"holdout": 0.5}, "none can be held out"),
        ((3, 3), {"batch_size": 4, "images_per_class": 3}, "that 3 divides"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(
    clip: Path, per_class: tuple[int, ...], options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        run(clip, noise(clip, per_class=per_class), tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("per_class", "options"),
    [
        ((1, 4, 2), {"batch_size": 4}),
        ((3, 3, 3, 3, 3), {"loss": "contrastive", "batch_size": 3}),
        ((1, 1, 1), {"loss": "contrastive", "batch_size": None}),
        ((2, 2, 2, 2, 2), {"loss": "flyp", "batch_size": 4, "images_per_class": 2}),
    ],
    ids=["one image in a class", "more classes than a batch holds", "one image a class", "groups"],
)
def test_awkward_numbers_are_no_hindrance(
    clip: Path, per_class: tuple[int, ...], options: dict[str, Any], tmp_path: Path
) -> None:
    assert run(clip, noise(clip, per_class=per_class), tmp_path, steps=5, **options).step == 5


def test_siglip_can_be_trained_by_every_loss(siglip: Path, tmp_path: Path) -> None:
    for loss in ("contrastive", "flyp", "classify"):
        assert run(siglip, noise(siglip), tmp_path / loss, loss=loss, steps=2).step == 2


def test_the_callers_random_numbers_stay_as_they_were(clip: Path, tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    run(clip, noise(clip), tmp_path, train="lora", steps=2)
    assert torch.equal(torch.rand(2), expected)


def test_several_prompts_of_a_class_are_trained_together(clip: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from inkling.encoders.transformers.model_folder import ModelFolder
    from inkling.finetune.training.texts import ClassTexts
    from tests.encoders.folders import pictures

    data = data_of(clip, pictures(4), [0, 0, 1, 1], ["cat", "dog"])
    texts = ClassTexts.of([["a cat.", "my cat."], ["a dog."]], ModelFolder(clip))
    assert run(clip, replace(data, texts=texts), tmp_path, train="text", steps=2, batch_size=2).step == 2
