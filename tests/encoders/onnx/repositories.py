"""Small ONNX repositories with random weights, exported from models of the library, in the layouts that people use."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from tests.encoders.folders import TEXT_LENGTH

SMALL_FILES = ("config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json")


class Outputs(nn.Module):
    """Some computation on a model, as a model of its own."""

    def __init__(self, model: nn.Module, compute: Callable[..., Any]) -> None:
        super().__init__()
        self.model, self.compute = model, compute

    def forward(self, *inputs: Tensor) -> Any:
        return self.compute(self.model, *inputs)


def images_of(model: Any, pixels: Tensor) -> Any:
    return model.get_image_features(pixel_values=pixels).pooler_output


def texts_of(model: Any, tokens: Tensor) -> Any:
    return model.get_text_features(input_ids=tokens).pooler_output


def texts_with_mask(model: Any, tokens: Tensor, mask: Tensor) -> Any:
    return model.get_text_features(input_ids=tokens, attention_mask=mask).pooler_output


def both_of(model: Any, tokens: Tensor, pixels: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    texts = model.get_text_features(input_ids=tokens, attention_mask=mask).pooler_output
    return texts, model.get_image_features(pixel_values=pixels).pooler_output


def export(
    model: nn.Module,
    file: Path,
    inputs: dict[str, Tensor],
    outputs: Sequence[str],
    *,
    fixed: bool = False,
) -> None:
    """Write an ONNX model; the first axis of each input, and the second of tokens, vary unless they are fixed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    axes = {name: {0: "n", **({1: "length"} if value.ndim == 2 else {})} for name, value in inputs.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            tuple(inputs.values()),
            str(file),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={} if fixed else {**axes, **{name: {0: "n"} for name in outputs}},
            opset_version=17,
            dynamo=False,
        )


def pixels(n: int = 2, side: int = 32) -> Tensor:
    return torch.zeros(n, 3, side, side)


def tokens(n: int = 2, length: int = 5) -> Tensor:
    return torch.ones(n, length, dtype=torch.int64)


def write_small_files(source: Path, folder: Path) -> None:
    """What transformers.js repositories hold beside their models; a tokenizer always as one file."""
    folder.mkdir(exist_ok=True, parents=True)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    for name in SMALL_FILES:
        if (source / name).is_file() and not (folder / name).is_file():
            shutil.copy(source / name, folder / name)


def write_transformers_js(
    source: Path,
    folder: Path,
    *,
    names: tuple[str, str] = ("image_embeds", "text_embeds"),
    mask: bool = False,
) -> Path:
    """The towers of a folder that `save_pretrained` wrote, in the layout of transformers.js."""
    write_small_files(source, folder)
    model = AutoModel.from_pretrained(source, attn_implementation="eager").eval()
    export(Outputs(model, images_of), folder / "onnx/vision_model.onnx", {"pixel_values": pixels()}, [names[0]])
    given = {"input_ids": tokens(), **({"attention_mask": tokens()} if mask else {})}
    export(Outputs(model, texts_with_mask if mask else texts_of), folder / "onnx/text_model.onnx", given, [names[1]])
    return folder


def write_both_in_one(source: Path, folder: Path) -> Path:
    """Both towers in one file."""
    write_small_files(source, folder)
    model = AutoModel.from_pretrained(source, attn_implementation="eager").eval()
    given = {"input_ids": tokens(), "pixel_values": pixels(), "attention_mask": tokens()}
    export(Outputs(model, both_of), folder / "onnx/model.onnx", given, ["text_embeds", "image_embeds"])
    return folder


def write_immich(source: Path, folder: Path, *, clean: str | None = None) -> Path:
    """Immich's layout: towers of fixed shapes, token numbers of 32 bits, OpenCLIP's configuration."""
    model = AutoModel.from_pretrained(source, attn_implementation="eager").eval()
    export(Outputs(model, images_of), folder / "visual/model.onnx", {"image": pixels(1)}, ["embedding"], fixed=True)
    given = {"text": tokens(1, TEXT_LENGTH).to(torch.int32)}
    export(Outputs(model, texts_of), folder / "textual/model.onnx", given, ["embedding"], fixed=True)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder / "textual")
    options = {"tokenizer_kwargs": {"clean": clean}} if clean else {}
    config = {
        "embed_dim": json.loads((source / "config.json").read_text()).get("projection_dim", 48),
        "vision_cfg": {"image_size": 32, "patch_size": 8},
        "text_cfg": {"context_length": TEXT_LENGTH, **options},
    }
    (folder / "config.json").write_text(json.dumps(config))
    preprocess = {
        "size": [32, 32],
        "mode": "RGB",
        "mean": [0.48145466, 0.4578275, 0.40821073],
        "std": [0.26862954, 0.26130258, 0.27577711],
        "interpolation": "bicubic",
        "resize_mode": "shortest",
        "fill_color": 0,
    }
    (folder / "visual/preprocess_cfg.json").write_text(json.dumps(preprocess))
    return folder
