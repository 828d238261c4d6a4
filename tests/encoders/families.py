"""Small folders of each family of two towers, with random weights, as `save_pretrained` writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import (
    Aimv2Config,
    Aimv2Model,
    AltCLIPConfig,
    AltCLIPModel,
    BertConfig,
    BertTokenizer,
    ChineseCLIPConfig,
    ChineseCLIPModel,
    CLIPVisionConfig,
    Dinov2Config,
    GemmaTokenizer,
    MetaClip2Config,
    MetaClip2Model,
    PreTrainedModel,
    Siglip2Config,
    Siglip2Model,
    Siglip2Tokenizer,
    Tipsv2Config,
    Tipsv2Model,
    Tipsv2Tokenizer,
    VisionTextDualEncoderConfig,
    VisionTextDualEncoderModel,
    ViTConfig,
    XLMRobertaConfig,
    XLMRobertaTokenizer,
)
from transformers.models.chinese_clip.image_processing_pil_chinese_clip import ChineseCLIPImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from tests.encoders.folders import TEXT_LENGTH, clip_tokenizer, make_lively, write_clip, write_siglip

SIDE = 32
TOWER = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _save(folder: Path, model: PreTrainedModel, *parts: Any) -> None:
    make_lively(model)
    for part in (model, *parts):
        part.save_pretrained(folder)


def _ids(tokenizer: Any) -> dict[str, Any]:
    names = ("bos_token_id", "eos_token_id", "pad_token_id")
    return {"vocab_size": len(tokenizer), **{name: getattr(tokenizer, name) for name in names}}


def _vision(**other: Any) -> dict[str, Any]:
    return {**TOWER, "image_size": SIDE, "patch_size": 8, **other}


def xlm_tokenizer() -> XLMRobertaTokenizer:
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [*("▁" + letter for letter in LETTERS), *LETTERS, ".", "▁cat", "▁photo"]
    return XLMRobertaTokenizer(vocab=[(piece, -float(at)) for at, piece in enumerate([*special, *pieces, "<mask>"])])


def bert_tokenizer() -> BertTokenizer:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *("##" + letter for letter in LETTERS), "."]
    return BertTokenizer(vocab={piece: at for at, piece in enumerate(pieces)})


def _gemma_pieces() -> dict[str, int]:
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *LETTERS, *LETTERS.upper(), ".", ",", "'"]
    return {piece: at for at, piece in enumerate(pieces)}


def write_long_clip(folder: Path) -> None:
    write_clip(folder, positions=248)


def write_metaclip_2(folder: Path) -> None:
    tokenizer = xlm_tokenizer()
    texts = {**TOWER, **_ids(tokenizer), "max_position_embeddings": TEXT_LENGTH}
    config = MetaClip2Config(text_config=texts, vision_config=_vision(), projection_dim=24)
    _save(
        folder, MetaClip2Model(config), tokenizer, CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=SIDE)
    )


def write_siglip_2(folder: Path) -> None:
    """Of fixed resolution: SigLIP's model, Gemma's tokenizer without a mask."""
    write_siglip(folder, tokenizer=GemmaTokenizer(vocab=_gemma_pieces(), model_input_names=["input_ids"]))


def write_naflex(folder: Path, *, masks: bool = False) -> None:
    names = ["input_ids", "attention_mask"] if masks else ["input_ids"]
    tokenizer = Siglip2Tokenizer(vocab=_gemma_pieces(), model_input_names=names)
    texts = {**TOWER, **_ids(tokenizer), "max_position_embeddings": TEXT_LENGTH, "projection_size": 48}
    vision = {**TOWER, "num_patches": 16, "patch_size": 8}
    model = Siglip2Model(Siglip2Config(text_config=texts, vision_config=vision))
    with torch.no_grad():
        model.logit_scale.fill_(3.0)
    _save(folder, model, tokenizer, Siglip2ImageProcessorPil(patch_size=8, max_num_patches=20))


def write_aimv2(folder: Path) -> None:
    tokenizer = clip_tokenizer()
    texts = {**TOWER, **_ids(tokenizer), "max_position_embeddings": TEXT_LENGTH}
    model = Aimv2Model(Aimv2Config(text_config=texts, vision_config=_vision(), projection_dim=24))
    with torch.no_grad():
        model.logit_scale.fill_(6.0)  # beyond the 100 that the library limits it to
    _save(folder, model, tokenizer, CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=SIDE))


def write_altclip(folder: Path) -> None:
    tokenizer = xlm_tokenizer()
    texts = {**TOWER, **_ids(tokenizer), "max_position_embeddings": TEXT_LENGTH + 2, "project_dim": 40}
    model = AltCLIPModel(AltCLIPConfig(text_config=texts, vision_config=_vision(), projection_dim=24))
    _save(folder, model, tokenizer, CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=SIDE))


def write_chinese_clip(folder: Path) -> None:
    tokenizer = bert_tokenizer()
    texts = {**TOWER, **_ids(tokenizer), "max_position_embeddings": TEXT_LENGTH}
    model = ChineseCLIPModel(ChineseCLIPConfig(text_config=texts, vision_config=_vision(), projection_dim=24))
    processor = ChineseCLIPImageProcessorPil(size={"height": SIDE, "width": SIDE}, do_center_crop=False)
    _save(folder, model, tokenizer, processor)


def write_tipsv2(folder: Path) -> None:
    pieces = ["<pad>", "<unk>", "▁", *LETTERS, *("▁" + letter for letter in LETTERS), "."]
    tokenizer = Tipsv2Tokenizer(vocab={piece: at for at, piece in enumerate(pieces)}, model_max_length=TEXT_LENGTH)
    texts = {**TOWER, "vocab_size": len(tokenizer), "max_position_embeddings": TEXT_LENGTH}
    vision = _vision(mlp_ratio=2, image_size=40)
    _save(folder, Tipsv2Model(Tipsv2Config(text_config=texts, vision_config=vision)), tokenizer)
    processor = {"image_processor_type": "Tipsv2ImageProcessor", "size": {"height": SIDE, "width": SIDE}}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def _dual(folder: Path, vision: Any, texts: Any, tokenizer: Any) -> None:
    config = VisionTextDualEncoderConfig.from_vision_text_configs(vision, texts, projection_dim=24)
    model = VisionTextDualEncoderModel(config)
    _save(folder, model, tokenizer, ViTImageProcessorPil(size={"height": SIDE, "width": SIDE}))


def write_dual_of_clip_and_bert(folder: Path) -> None:
    tokenizer = bert_tokenizer()
    texts = BertConfig(**TOWER, vocab_size=len(tokenizer), max_position_embeddings=TEXT_LENGTH)
    _dual(folder, CLIPVisionConfig(**_vision()), texts, tokenizer)


def write_dual_of_vit_and_xlm(folder: Path) -> None:
    tokenizer = xlm_tokenizer()
    texts = XLMRobertaConfig(**TOWER, **_ids(tokenizer), max_position_embeddings=TEXT_LENGTH + 2)
    _dual(folder, ViTConfig(**_vision()), texts, tokenizer)


def write_dual_of_dinov2_and_bert(folder: Path) -> None:
    tokenizer = bert_tokenizer()
    texts = BertConfig(**TOWER, vocab_size=len(tokenizer), max_position_embeddings=TEXT_LENGTH)
    _dual(folder, Dinov2Config(**_vision()), texts, tokenizer)


TWO_TOWERS: Mapping[str, Callable[[Path], Any]] = {
    "clip": write_clip,
    "long-clip": write_long_clip,
    "metaclip-2": write_metaclip_2,
    "siglip": write_siglip,
    "siglip-2": write_siglip_2,
    "siglip-2-naflex": write_naflex,
    "tipsv2": write_tipsv2,
    "aimv2": write_aimv2,
    "altclip": write_altclip,
    "chinese-clip": write_chinese_clip,
    "dual-clip-bert": write_dual_of_clip_and_bert,
    "dual-vit-xlm": write_dual_of_vit_and_xlm,
    "dual-dinov2-bert": write_dual_of_dinov2_and_bert,
}
