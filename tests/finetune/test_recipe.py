"""A recipe that can be made can be run; whatever does not fit is refused with what would fit."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from inkling.errors import InputError
from inkling.finetune.recipe import PRESETS, Recipe, preset


def recipe(**options: Any) -> Recipe:
    return Recipe(**{"train": "full", "loss": "classify", "steps": 3, **options})


def test_the_original_recipe_is_that_of_the_experiment() -> None:
    original = PRESETS["original"]
    assert (original.train, original.loss, original.epochs, original.batch_size) == ("full", "contrastive", 24, None)
    assert (original.optimizer, original.learning_rate, original.weight_decay) == ("adam", 1e-7, 1e-4)
    assert (original.schedule, original.gradient_clip, original.augment) == ("constant", 1.0, "none")


def test_lora_is_that_of_its_paper() -> None:
    lora = PRESETS["lora"]
    assert (lora.lora_rank, lora.lora_dropout, lora.steps_per_shot, lora.batch_size) == (2, 0.25, 500, 32)
    assert (lora.optimizer, lora.learning_rate, lora.weight_decay, lora.schedule) == ("adamw", 2e-4, 1e-2, "cosine")


def test_two_stages_divide_sixty_to_forty() -> None:
    assert (PRESETS["two-stage"].train, PRESETS["two-stage"].head_share) == ("layernorm", 0.4)


@pytest.mark.parametrize("name", PRESETS)
def test_a_recipe_is_frozen_and_goes_through_json(name: str) -> None:
    one = preset(name)
    assert Recipe(**json.loads(json.dumps(one.to_json()))) == one
    with pytest.raises(FrozenInstanceError):
        one.seed = 1


def test_changing_the_length_replaces_it_and_none_changes_nothing() -> None:
    changed = PRESETS["lora"].changed(steps=7, learning_rate=None, seed=5)
    assert (changed.steps, changed.steps_per_shot, changed.learning_rate, changed.seed) == (7, None, 2e-4, 5)
    assert PRESETS["lora"].changed() == PRESETS["lora"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": "ful"}, "Did you mean 'full'"),
        ({"train": "blocks:0"}, "blocks:2"),
        ({"train": "blocks:two"}, "blocks:2"),
        ({"loss": "clasify"}, "Did you mean 'classify'"),
        ({"steps": None}, "got none"),
        ({"epochs": 2}, "got epochs, steps"),
        ({"steps": 0}, "at least 1"),
        ({"steps": 2.5}, "whole number"),
        ({"learning_rate": 3.0}, "at most 1"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"learning_rate": float("nan")}, "1e-7 to 1e-5"),
        ({"weight_decay": -1.0}, "at least 0"),
        ({"warmup": 1.0}, "below 1"),
        ({"gradient_clip": 0.0}, "above 0"),
        ({"interpolate": 1.5}, "at most 1"),
        ({"folds": 1}, "at least 2"),
        ({"loss": "contrastive", "images_per_class": 2}, "flyp"),
        ({"batch_size": 10, "images_per_class": 4}, "that 4 divides"),
        ({"patience": 2}, "holdout"),
        ({"augment": "harsh"}, "none, light, strong"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        recipe(**options)


def test_an_unknown_option_or_preset_is_refused() -> None:
    with pytest.raises(InputError, match="Did you mean 'learning_rate'"):
        recipe().changed(learning_rat=1e-3)
    with pytest.raises(InputError, match="Did you mean 'lora'"):
        preset("lore")


def test_the_number_of_blocks_is_read() -> None:
    assert recipe(train="blocks:12").n_blocks == 12
    assert recipe().n_blocks is None
