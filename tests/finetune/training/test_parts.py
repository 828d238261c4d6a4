"""What a recipe names is what moves, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inkling.errors import InputError
from inkling.finetune.training import parts
from tests.encoders.folders import write_clip
from tests.finetune.cases import load, noise, recipe, run


def names(folder: Path, train: str) -> set[str]:
    return set(parts.choose(load(folder), recipe(train=train)).parameters)


def test_full_is_everything(clip: Path) -> None:
    assert names(clip, "full") == {name for name, _ in load(clip).named_parameters()}


def test_the_towers_divide_everything_but_the_scale(clip: Path) -> None:
    image, text = names(clip, "image"), names(clip, "text")
    assert not image & text
    assert names(clip, "full") - image - text == {"logit_scale"}


def test_last_blocks_are_those_next_to_the_projection(clip: Path) -> None:
    found = names(clip, "blocks:2")
    assert {name.split(".")[3] for name in found if ".layers." in name} == {"1", "2"}
    assert "visual_projection.weight" in found
    assert not any(name.startswith("text_model") for name in found)


def test_more_blocks_than_there_are_is_an_error(clip: Path) -> None:
    with pytest.raises(InputError, match="has 3 blocks"):
        parts.choose(load(clip), recipe(train="blocks:4"))


def test_layernorms_are_those_of_both_towers(clip: Path) -> None:
    found = names(clip, "layernorm")
    assert {"text_model.final_layer_norm.weight", "vision_model.post_layernorm.bias"} <= found
    assert all("norm" in name or "layrnorm" in name for name in found)


def test_the_projection_of_siglip_is_its_pooling_head(clip: Path, siglip: Path) -> None:
    assert names(clip, "projection") == {"visual_projection.weight"}
    assert all(name.startswith("vision_model.head.") for name in names(siglip, "projection"))
    assert "logit_bias" not in names(siglip, "full")


def test_lora_adds_to_query_key_and_value_of_every_block(clip: Path) -> None:
    trained = parts.choose(load(clip), recipe(train="lora"))
    assert len(trained.parameters) == 2 * 3 * (3 + 3)
    assert {one.shape[0] if "lora_A" in name else one.shape[1] for name, one in trained.parameters.items()} == {2}
    assert {name.split(".")[-4] for name in trained.parameters} == {"q_proj", "k_proj", "v_proj"}


def test_merging_gives_the_vectors_of_the_adapted_model(clip: Path) -> None:
    model = load(clip)
    plain_names = [name for name, _ in model.named_parameters()]
    trained = parts.choose(model, recipe(train="lora"))
    with torch.no_grad():
        for one in trained.parameters.values():
            one.normal_(std=0.2)
    pixels = noise(clip).pixels.prepared(noise(clip).labels, torch.device("cpu"))
    with torch.no_grad():
        before = model.eval().get_image_features(pixel_values=pixels).pooler_output
        parts.merge(trained)
        after = model.get_image_features(pixel_values=pixels).pooler_output
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)
    assert [name for name, _ in model.named_parameters()] == plain_names
    assert not torch.allclose(before, load(clip).get_image_features(pixel_values=pixels).pooler_output)


@pytest.mark.parametrize("train", ["full", "image", "text", "blocks:1", "layernorm", "projection", "lora"])
@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_a_training_changes_what_it_names_and_nothing_else(
    train: str, family: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = request.getfixturevalue(family)
    model, before = load(folder), load(folder).state_dict()
    training = run(folder, noise(folder), tmp_path / "run", model=model, train=train, steps=3, learning_rate=1e-2)
    after = model.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert changed <= set(training.tuned)
    if train != "lora":
        assert set(training.tuned) == names(folder, train)
    assert all(torch.equal(training.tuned[name], after[name]) for name in training.tuned)


def test_the_draw_of_lora_leaves_the_callers_random_numbers_alone(clip: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    parts.choose(load(clip), recipe(train="lora"))
    assert torch.equal(torch.rand(1), expected)


def test_metaclip_can_be_trained_too(tmp_path: Path) -> None:
    from transformers import MetaClip2Config, MetaClip2Model

    write_clip(tmp_path / "metaclip", kind=(MetaClip2Config, MetaClip2Model))
    training = run(tmp_path / "metaclip", noise(tmp_path / "metaclip"), tmp_path / "run", train="lora", steps=2)
    assert len(training.tuned) == 18
