"""The untrained encoder with its tokenizer and image processor, and the folder it is saved to."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPTextConfig,
    CLIPVisionConfig,
    PreTrainedTokenizerFast,
)

from inkling.sketch import HELD_OUT, TRAINED, description
from inkling.sketch.captions import vocabulary
from sketch_training.pictures import SIDE

Record = dict[str, Any]

CARD = Path(__file__).with_name("model_card.md")

PAD, START, UNKNOWN, END = "[pad]", "[start]", "[unk]", "[end]"
LONGEST_TEXT = 40


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Whole words of the caption grammar; any other word falls into the longest known words and letters.

    The end token must not have id 2: for that id CLIPTextModel keeps an old rule and pools at the largest id.
    """
    pieces = [*string.ascii_lowercase, *string.digits, *".,-'", *vocabulary()]
    entries = dict.fromkeys([PAD, START, UNKNOWN, END, *pieces])
    ids = {token: number for number, token in enumerate(entries)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token=UNKNOWN, continuing_subword_prefix=""))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
            normalizers.Replace("_", " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, ids[START]), (END, ids[END])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=START,
        unk_token=UNKNOWN,
        eos_token=END,
        model_max_length=LONGEST_TEXT,
    )


def build_model(tokenizer: PreTrainedTokenizerFast) -> CLIPModel:
    """An untrained two-tower CLIP of about a million weights."""
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=96,
        intermediate_size=288,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=LONGEST_TEXT,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    vision = CLIPVisionConfig(
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        image_size=SIDE,
        patch_size=8,
    )
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=128))


def save(folder: Path, model: CLIPModel, tokenizer: PreTrainedTokenizerFast, record: Record) -> None:
    """Write the encoder, its tokenizer and image processor, the record of the run, and the model card."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    CLIPImageProcessorPil(
        size={"shortest_edge": SIDE},
        crop_size={"height": SIDE, "width": SIDE},
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    ).save_pretrained(folder)
    (folder / "training.json").write_text(json.dumps(record, indent=2) + "\n")
    (folder / "README.md").write_text(model_card(model, record))


def model_card(model: CLIPModel, record: Record) -> str:
    """The card for people, with the figures of this run."""
    return CARD.read_text().format(
        **{name: f"{100 * value:.1f} %" for name, value in record["figures"].items()},
        weights=record["weights"],
        dimension=model.config.projection_dim,
        side=SIDE,
        trained=", ".join(TRAINED),
        held_out=", ".join(HELD_OUT),
        example=description("castle"),
    )
