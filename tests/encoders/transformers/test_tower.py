"""Rebuilt image towers against the modules that they replace."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import (
    Aimv2VisionConfig,
    Aimv2VisionModel,
    BeitConfig,
    BeitModel,
    Dinov2Config,
    Dinov2Model,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    DINOv3ViTConfig,
    DINOv3ViTModel,
    Siglip2VisionConfig,
    Siglip2VisionModel,
    ViTConfig,
    ViTModel,
)

from inkling.encoders.transformers import products, tower
from tests.encoders.folders import make_lively, reload, write_clip


def hidden_states(folder: Path, arithmetic: products.Arithmetic | None, pixels: torch.Tensor) -> torch.Tensor:
    vision = reload(folder).vision_model
    if arithmetic:
        assert tower.rebuild(vision, arithmetic)
    with torch.inference_mode():
        return vision(pixels).pooler_output


COSINE_OF_BFLOAT16 = 0.9999
"""What is promised of it; so vectors of length one lie sqrt(2 - 2 cosine) apart at most."""


@pytest.mark.parametrize("family", ["clip", "siglip"])
@pytest.mark.parametrize(
    ("arithmetic", "tolerance"),
    [("float32", 1e-5), ("bfloat16", (2 - 2 * COSINE_OF_BFLOAT16) ** 0.5), ("int8", 0.05)],
)
def test_pooled_states_stay_within_the_rounding(
    family: str, arithmetic: products.Arithmetic, tolerance: float, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(f"{family}_folder")
    pixels = torch.randn(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    expected = hidden_states(folder, None, pixels)
    found = hidden_states(folder, arithmetic, pixels)
    assert float((found - expected).norm() / expected.norm()) < tolerance


def test_without_kernels_of_its_own_torch_computes_the_same(clip_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = torch.randn(3, 3, 32, 32)
    expected = hidden_states(clip_folder, None, pixels)
    monkeypatch.setattr(products, "has_kernels", lambda: False)
    torch.testing.assert_close(hidden_states(clip_folder, "float32", pixels), expected, atol=1e-5, rtol=1e-5)


def test_the_rounding_of_a_token_is_its_own() -> None:
    quiet, loud = torch.full((1, 8), 1e-3), torch.full((1, 8), 1e3)
    tokens, step = products._round_tokens(torch.cat([quiet, loud, torch.zeros(1, 8)]))
    torch.testing.assert_close(tokens * step, torch.cat([quiet, loud, torch.zeros(1, 8)]))


def test_int8_bounds_its_error_by_the_steps() -> None:
    torch.manual_seed(0)
    linear = nn.Linear(96, 40)
    x = torch.randn(2, 7, 96)
    with torch.inference_mode():
        expected = linear(x)
        found = products.product(*products.joined(linear), "int8")(x)
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
    assert not products.has_exact_int8() or bool((torch._int_mm(a, b).long() == exact).all())


SIZES = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 40, "patch_size": 8}
BUILDS = {
    "DINOv2": lambda: Dinov2Model(Dinov2Config(**SIZES)),
    "DINOv2 with SwiGLU": lambda: Dinov2Model(Dinov2Config(**SIZES, use_swiglu_ffn=True)),
    "DINOv2 with registers": lambda: Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**SIZES)),
    "DINOv3": lambda: DINOv3ViTModel(DINOv3ViTConfig(**SIZES, intermediate_size=96, num_register_tokens=4)),
    "DINOv3 with SwiGLU": lambda: DINOv3ViTModel(
        DINOv3ViTConfig(**SIZES, intermediate_size=96, use_gated_mlp=True, hidden_act="silu", num_register_tokens=4)
    ),
    "ViT": lambda: ViTModel(ViTConfig(**SIZES, intermediate_size=96)),
    "AIMv2": lambda: Aimv2VisionModel(Aimv2VisionConfig(**SIZES, intermediate_size=96)),
}


def lively(build: str) -> nn.Module:
    """A small tower of random weights, in which every part counts."""
    torch.manual_seed(0)
    model = BUILDS[build]()
    make_lively(model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lambda1" in name:
                parameter.uniform_(0.3, 1.5)
    return model.eval()


def pooled_by(model: nn.Module) -> torch.Tensor:
    pixels = torch.randn(3, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        found = model(pixels)
    return found.pooler_output if isinstance(model, Aimv2VisionModel) else found.last_hidden_state[:, 0]


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize(("arithmetic", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.02), ("int8", 0.06)])
def test_every_known_build_stays_within_the_rounding(
    build: str, arithmetic: products.Arithmetic, tolerance: float
) -> None:
    model = lively(build)
    expected = pooled_by(model)
    twin = tower.rebuilt(model, arithmetic)
    assert twin is not None
    found = pooled_by(twin)
    assert float((found - expected).norm() / expected.norm()) < tolerance
    assert not torch.equal(found, expected)  # otherwise nothing was rebuilt
    torch.testing.assert_close(pooled_by(model), expected, atol=0, rtol=0)  # the first is as it was


def test_a_layer_with_further_weights_is_left_to_the_library() -> None:
    model = lively("ViT")
    model.layers[1].attention.q_norm = nn.LayerNorm(12)
    assert not tower.rebuild(model, "float32")
    assert tower.rebuilt(BeitModel(BeitConfig(**SIZES)), "float32") is None


def test_masked_patches_stay_out_of_attention_and_of_pooling() -> None:
    torch.manual_seed(0)
    sizes = {name: size for name, size in SIZES.items() if name != "image_size"}
    model = Siglip2VisionModel(Siglip2VisionConfig(**sizes, intermediate_size=96, num_patches=16))
    make_lively(model)
    given = {
        "pixel_values": torch.randn(2, 16, 192),
        "pixel_attention_mask": (torch.arange(16) < torch.tensor([[16], [12]])).long(),
        "spatial_shapes": torch.tensor([[4, 4], [3, 4]]),
    }
    with torch.inference_mode():
        expected = model.eval()(**given).pooler_output
        assert tower.rebuild(model, "float32")
        torch.testing.assert_close(model(**given).pooler_output, expected, atol=1e-5, rtol=1e-5)
