"""Small encoder folders with random weights, made as users' tools make them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
import torch
from PIL import Image
from transformers import (
    AutoModel,
    CLIPConfig,
    CLIPModel,
    CLIPTokenizer,
    Dinov2Config,
    Dinov2Model,
    PreTrainedModel,
    SiglipConfig,
    SiglipModel,
    SiglipTokenizer,
)
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

TEXT_LENGTH = 24
SENTENCES = [f"a photo of a {noun}." for noun in ("cat", "dog", "train", "bicycle", "boat", "car", "Zebra")]


def write_clip(
    folder: Path,
    *,
    kind: tuple[type[Any], type[Any]] = (CLIPConfig, CLIPModel),
    side: int = 32,
    seed: int = 0,
    positions: int = TEXT_LENGTH,
    **vision: Any,
) -> PreTrainedModel:
    """A tiny CLIP, or one of its kin, with image processor and tokenizer; returns the reference model."""
    torch.manual_seed(seed)
    tokenizer = clip_tokenizer()
    tower = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4}
    config_class, model_class = kind
    model = model_class(
        config_class(
            text_config={**tower, **_special_tokens(tokenizer), "max_position_embeddings": positions},
            vision_config={**tower, "image_size": side, "patch_size": 8, **vision},
            projection_dim=24,
        )
    )
    make_lively(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size=side).save_pretrained(folder)
    return model.eval()


def write_siglip(folder: Path, *, side: int = 32, seed: int = 0, tokenizer: Any = None) -> SiglipModel:
    """A tiny SigLIP with image processor and, if no other is given, its tokenizer; returns the reference model."""
    torch.manual_seed(seed)
    folder.mkdir(exist_ok=True)
    tokenizer = tokenizer or _siglip_tokenizer(folder)
    tower = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
    model = SiglipModel(
        SiglipConfig(
            text_config={**tower, **_special_tokens(tokenizer), "max_position_embeddings": TEXT_LENGTH},
            vision_config={**tower, "image_size": side, "patch_size": 8},
        )
    )
    make_lively(model)
    with torch.no_grad():
        model.logit_scale.fill_(np.log(30.0))
        model.logit_bias.fill_(-5.0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": side, "width": side}).save_pretrained(folder)
    return model.eval()


def write_dinov2(folder: Path, *, side: int = 32, seed: int = 0, **config: Any) -> Dinov2Model:
    """A tiny DINOv2 with image processor; returns the reference model."""
    torch.manual_seed(seed)
    tower = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 40, "patch_size": 8}
    model = Dinov2Model(Dinov2Config(**tower | config))
    make_lively(model)
    model.save_pretrained(folder)
    BitImageProcessorPil(size={"shortest_edge": side + 6}, crop_size=side).save_pretrained(folder)
    return model.eval()


def reference_vectors(model: PreTrainedModel, **inputs: torch.Tensor) -> np.ndarray:
    """Image vectors of the library itself, unit length."""
    with torch.inference_mode():
        return model(**inputs).image_embeds.numpy()


def pictures(n: int, *, seed: int = 0) -> list[Image.Image]:
    """Smooth pictures of various shapes: noise through a JPEG, so that it has the statistics of a file."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        height, width = rng.integers(20, 120, size=2)
        coarse = Image.fromarray(rng.integers(0, 256, size=(5, 5, 3), dtype=np.uint8))
        stream = io.BytesIO()
        coarse.resize((int(width), int(height)), Image.Resampling.BICUBIC).save(stream, "JPEG")
        found.append(Image.open(stream).convert("RGB"))
    return found


def reload(folder: Path) -> PreTrainedModel:
    """The library's own model from a folder."""
    return AutoModel.from_pretrained(folder).eval()


def change_json(path: Path, **changes: Any) -> None:
    """Set keys of a JSON file; None removes one."""
    content = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def _special_tokens(tokenizer: Any) -> dict[str, Any]:
    ids = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    return {"vocab_size": len(tokenizer), **ids}


def make_lively(model: torch.nn.Module) -> None:
    """Fresh weights are so small that all images look alike; biases and norms are trivial."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(std=0.1)
            elif "norm" in name:
                parameter.add_(torch.randn_like(parameter) * 0.1)
            elif parameter.ndim >= 2:
                parameter.mul_(2.0)


def clip_tokenizer() -> CLIPTokenizer:
    letters = "abcdefghijklmnopqrstuvwxyz.,'"
    pieces = [*letters, *(letter + "</w>" for letter in letters)]
    merges = [("a", "t</w>"), ("p", "h"), ("o", "t")]
    words = [*pieces, *("".join(pair) for pair in merges), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={word: at for at, word in enumerate(words)}, merges=merges)


def _siglip_tokenizer(folder: Path) -> SiglipTokenizer:
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([sentence.lower() for sentence in SENTENCES] * 20),
        model_writer=trained,
        vocab_size=40,
        hard_vocab_limit=False,
        add_dummy_prefix=False,
        bos_id=-1,
        eos_id=1,
        pad_id=0,
        unk_id=2,
        minloglevel=2,
    )
    (folder / "spiece.model").write_bytes(trained.getvalue())
    return SiglipTokenizer(str(folder / "spiece.model"), model_max_length=TEXT_LENGTH, model_input_names=["input_ids"])
