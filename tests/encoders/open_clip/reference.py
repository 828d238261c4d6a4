"""OpenCLIP's ViT model, written down anew from its description: the reference for what is read from its folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.encoders.folders import TEXT_LENGTH, clip_tokenizer, make_lively

SIDE, PATCH, WIDTH, SPACE = 32, 8, 48, 24
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class QuickGelu(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width: int, heads: int, activation: nn.Module) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, 4 * width))
        self.mlp.add_module("gelu", activation)
        self.mlp.add_module("c_proj", nn.Linear(4 * width, width))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class Blocks(nn.Module):
    def __init__(self, width: int, heads: int, activation: nn.Module, layers: int) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width, heads, activation) for _ in range(layers))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        for block in self.resblocks:
            x = block(x, mask)
        return x


class Visual(nn.Module):
    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTH, PATCH, PATCH, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(WIDTH))
        self.positional_embedding = nn.Parameter(torch.randn((SIDE // PATCH) ** 2 + 1, WIDTH))
        self.ln_pre, self.ln_post = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.transformer = Blocks(WIDTH, 3, activation, 3)
        self.proj = nn.Parameter(torch.randn(WIDTH, SPACE))

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.conv1(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], dim=1) + self.positional_embedding
        return self.ln_post(self.transformer(self.ln_pre(x))[:, 0]) @ self.proj


class OpenClip(nn.Module):
    """Two towers; images have 3 heads of 16, texts 2 of 20."""

    def __init__(self, *, quick: bool, vocabulary: int) -> None:
        super().__init__()
        activation = QuickGelu() if quick else nn.GELU()
        self.visual = Visual(activation)
        self.token_embedding = nn.Embedding(vocabulary, 40)
        self.positional_embedding = nn.Parameter(torch.randn(TEXT_LENGTH, 40))
        self.transformer = Blocks(40, 2, activation, 2)
        self.ln_final = nn.LayerNorm(40)
        self.text_projection = nn.Parameter(torch.randn(40, SPACE))
        self.logit_scale = nn.Parameter(torch.tensor(3.5))

    @torch.inference_mode()
    def image_vectors(self, pixels: np.ndarray) -> np.ndarray:
        return nn.functional.normalize(self.visual(torch.from_numpy(pixels)), dim=1).numpy()

    @torch.inference_mode()
    def text_vectors(self, tokens: Tensor) -> np.ndarray:
        mask = torch.full((TEXT_LENGTH, TEXT_LENGTH), -torch.inf).triu(1)
        x = self.transformer(self.token_embedding(tokens) + self.positional_embedding, mask)
        last = self.ln_final(x)[torch.arange(len(x)), tokens.argmax(dim=1)]
        return nn.functional.normalize(last @ self.text_projection, dim=1).numpy()


def write_open_clip(
    folder: Path, *, quick: bool = False, custom_text: bool = False, older: bool = False, **preprocess: Any
) -> OpenClip:
    """A folder as OpenCLIP's ``push_to_hf_hub`` writes it; returns the reference."""
    torch.manual_seed(0)
    folder.mkdir(exist_ok=True, parents=True)
    tokenizer = clip_tokenizer()
    model = OpenClip(quick=quick, vocabulary=len(tokenizer)).eval()
    make_lively(model)
    with torch.no_grad():
        model.logit_scale.fill_(3.5)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    if custom_text:
        kept = ("visual.", "logit_scale")
        state = {name if name.startswith(kept) else f"text.{name}": tensor for name, tensor in state.items()}
    if older:
        torch.save(state, folder / "open_clip_pytorch_model.bin")
    else:
        save_file(state, folder / "open_clip_model.safetensors")
    tokenizer.save_pretrained(folder)
    config = {
        "model_cfg": {
            "embed_dim": SPACE,
            **({"quick_gelu": True} if quick else {}),
            **({"custom_text": True} if custom_text else {}),
            "vision_cfg": {"image_size": SIDE, "layers": 3, "width": WIDTH, "head_width": 16, "patch_size": PATCH},
            "text_cfg": {
                "context_length": TEXT_LENGTH,
                "vocab_size": len(tokenizer),
                "width": 40,
                "heads": 2,
                "layers": 2,
            },
        },
        "preprocess_cfg": {"mean": MEAN, "std": STD, **preprocess},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return model


def tokens_of(texts: list[str]) -> Tensor:
    """Token numbers as OpenCLIP's tokenizer gives them: beginning, text, end, and zeros up to the full length."""
    ids = [clip_tokenizer()(text)["input_ids"] for text in texts]
    return torch.tensor([each + [0] * (TEXT_LENGTH - len(each)) for each in ids])


def prepared(image: Image.Image, *, mode: str = "shortest", fill: int = 0) -> np.ndarray:
    """Preprocessing as OpenCLIP composes it of torchvision's steps, (3, SIDE, SIDE)."""
    width, height = image.size
    if mode == "squash":
        size = (SIDE, SIDE)
    elif mode == "longest":
        ratio = max(width, height) / SIDE
        size = (round(width / ratio), round(height / ratio))
    else:
        size = (SIDE, int(SIDE * height / width)) if width <= height else (int(SIDE * width / height), SIDE)
    resized = np.asarray(image.resize(size, Image.Resampling.BICUBIC)).astype(np.float32)
    rows, columns = resized.shape[:2]
    if mode == "longest":
        top, left = (SIDE - rows) // 2, (SIDE - columns) // 2
        margins = ((top, SIDE - rows - top), (left, SIDE - columns - left), (0, 0))
        resized = np.pad(resized, margins, constant_values=fill)
    else:
        top, left = round((rows - SIDE) / 2), round((columns - SIDE) / 2)
        resized = resized[top : top + SIDE, left : left + SIDE]
    return ((resized / 255 - np.float32(MEAN)) / np.float32(STD)).transpose(2, 0, 1).astype(np.float32)
