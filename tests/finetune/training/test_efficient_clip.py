"""Less work changes neither what a model says nor how it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from inkling.finetune.training.efficient_clip import QuickGelu, make_lean
from tests.finetune.cases import load, noise


def vectors(model: Any, folder: Path) -> tuple[Tensor, Tensor]:
    data = noise(folder)
    images = model.get_image_features(pixel_values=data.pixels.prepared(data.labels, torch.device("cpu")))
    return images.pooler_output, model.get_text_features(**data.texts.tokens).pooler_output


def gradients(model: Any, folder: Path) -> dict[str, Tensor]:
    images, texts = vectors(model, folder)
    (images.square().sum() + (images[:4] * texts).sum()).backward()
    return {name: one.grad for name, one in model.named_parameters() if one.grad is not None}


@pytest.mark.parametrize("folder", ["clip", "sketch", "siglip"])
def test_vectors_and_gradients_stay(folder: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(folder)
    plain, lean = load(path), load(path)
    make_lean(lean)
    with torch.no_grad():
        for ours, theirs in zip(vectors(lean, path), vectors(plain, path), strict=True):
            assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-5 * float(theirs.abs().max()))
    ours, theirs = gradients(lean, path), gradients(plain, path)
    assert set(ours) == set(theirs)
    largest = max(float(one.abs().max()) for one in theirs.values())
    for name, expected in theirs.items():
        assert torch.allclose(ours[name], expected, rtol=1e-5, atol=1e-6 * largest), name


def test_the_last_block_runs_its_mlp_on_the_class_token_alone(clip: Path) -> None:
    model = load(clip)
    make_lean(model)
    seen: list[int] = []
    for layer in model.vision_model.encoder.layers:
        layer.mlp.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[1]))
    vectors(model, clip)
    assert seen == [17, 17, 1]


def test_quick_gelu_is_that_of_the_library() -> None:
    from transformers.activations import QuickGELUActivation

    x = torch.linspace(-9, 9, 301)
    assert torch.allclose(QuickGelu()(x.clone()), QuickGELUActivation()(x), rtol=1e-6, atol=1e-7)


def test_weights_keep_their_names(clip: Path) -> None:
    plain, lean = load(clip), load(clip)
    make_lean(lean)
    assert list(lean.state_dict()) == list(plain.state_dict())


@pytest.mark.parametrize("rounds", [False, True])
def test_patches_are_embedded_as_the_convolution_does_it(clip: Path, *, rounds: bool) -> None:
    plain = load(clip).vision_model.embeddings.patch_embedding.requires_grad_()
    model = load(clip)
    make_lean(model)
    lean = model.vision_model.embeddings.patch_embedding.requires_grad_()
    side = plain.kernel_size[0]
    pixels = torch.randn(3, 3, 4 * side, 2 * side + 1, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16, enabled=rounds):
        ours, theirs = lean(pixels), plain(pixels)
    assert torch.equal(ours, theirs)
    for one in (ours, theirs):
        one.float().square().sum().backward()
    largest = float(plain.weight.grad.abs().max())
    assert torch.allclose(lean.weight.grad, plain.weight.grad, rtol=1e-5, atol=(1e-2 if rounds else 1e-6) * largest)
