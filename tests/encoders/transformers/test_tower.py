"""Rebuilt image towers against the modules that they replace."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from inkling.encoders.transformers import tower
from tests.encoders.folders import reload, write_clip


def hidden_states(folder: Path, arithmetic: tower.Arithmetic | None, pixels: torch.Tensor) -> torch.Tensor:
    vision = reload(folder).vision_model
    if arithmetic:
        assert tower.rebuild(vision, arithmetic)
    with torch.inference_mode():
        return vision(pixels).pooler_output


@pytest.mark.parametrize("family", ["clip", "siglip"])
@pytest.mark.parametrize(("arithmetic", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.01), ("int8", 0.05)])
def test_pooled_states_stay_within_the_rounding(
    family: str, arithmetic: tower.Arithmetic, tolerance: float, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(f"{family}_folder")
    pixels = torch.randn(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    expected = hidden_states(folder, None, pixels)
    found = hidden_states(folder, arithmetic, pixels)
    assert float((found - expected).norm() / expected.norm()) < tolerance


def test_without_kernels_of_its_own_torch_computes_the_same(clip_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = torch.randn(3, 3, 32, 32)
    expected = hidden_states(clip_folder, None, pixels)
    monkeypatch.setattr(tower, "_has_kernels", lambda: False)
    torch.testing.assert_close(hidden_states(clip_folder, "float32", pixels), expected, atol=1e-5, rtol=1e-5)


def test_the_rounding_of_a_token_is_its_own() -> None:
    quiet, loud = torch.full((1, 8), 1e-3), torch.full((1, 8), 1e3)
    tokens, step = tower._round_tokens(torch.cat([quiet, loud, torch.zeros(1, 8)]))
    torch.testing.assert_close(tokens * step, torch.cat([quiet, loud, torch.zeros(1, 8)]))


def test_int8_bounds_its_error_by_the_steps() -> None:
    torch.manual_seed(0)
    linear = nn.Linear(96, 40)
    x = torch.randn(2, 7, 96)
    with torch.inference_mode():
        expected = linear(x)
        found = tower._product(*tower._joined(linear), "int8")(x)
    x_step = x.abs().amax(dim=-1, keepdim=True) / 127
    w_step = linear.weight.detach().abs().amax(dim=1) / 127
    bound = x_step / 2 * linear.weight.abs().sum(1) + w_step / 2 * (x.abs().sum(-1, keepdim=True) + 96 * x_step / 2)
    assert bool(((found - expected).abs() <= bound + 1e-5).all())


def test_towers_of_another_build_are_left_alone(clip_folder: Path) -> None:
    vision = reload(clip_folder).vision_model
    vision.encoder.layers[1].mlp.fc1 = nn.Sequential(vision.encoder.layers[1].mlp.fc1)
    before = list(vision.encoder.layers)
    assert not tower.rebuild(vision, "float32")
    assert list(vision.encoder.layers) == before


def test_linear_layers_without_bias(tmp_path: Path) -> None:
    model = write_clip(tmp_path)
    for layer in model.vision_model.encoder.layers:
        layer.self_attn.q_proj = nn.Linear(64, 64, bias=False)
    pixels = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        expected = model.vision_model(pixels).pooler_output
        assert tower.rebuild(model.vision_model, "float32")
        torch.testing.assert_close(model.vision_model(pixels).pooler_output, expected, atol=1e-5, rtol=1e-5)


def test_patches_that_overlap_stay_a_convolution(clip_folder: Path) -> None:
    vision = reload(clip_folder).vision_model
    overlapping = nn.Conv2d(3, 64, kernel_size=8, stride=4)
    vision.embeddings.patch_embedding = overlapping
    assert tower.rebuild(vision, "float32")
    assert vision.embeddings.patch_embedding is overlapping


def test_int8_sums_are_exact_or_known_not_to_be() -> None:
    a = torch.randint(-127, 128, (50, 128), dtype=torch.int8)
    b = torch.randint(-127, 128, (128, 64), dtype=torch.int8)
    exact = a.long() @ b.long()
    assert not tower.has_exact_int8() or bool((torch._int_mm(a, b).long() == exact).all())
