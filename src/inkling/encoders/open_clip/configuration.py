"""``open_clip_config.json`` to the configuration that `transformers` has for the same towers.

OpenCLIP builds many models from one configuration. Read are those whose towers are CLIP's: a ViT that ends in its class
token, and a causal text transformer that ends in its last token. Any option that would change what they compute is
refused by its name, so that no model is read as another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inkling.encoders.text_forms import TextForm
from inkling.errors import EncoderError
from inkling.wording import excerpt, quoted

FILE = "open_clip_config.json"

_IMAGE_DEFAULTS: Mapping[str, Any] = {
    "layers": 12, "width": 768, "head_width": 64, "mlp_ratio": 4.0, "patch_size": 16, "image_size": 224
}  # fmt: skip
_TEXT_DEFAULTS: Mapping[str, Any] = {
    "context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12, "mlp_ratio": 4.0
}  # fmt: skip

_OF_TRAINING = ("patch_dropout", "hf_tokenizer_name", "tokenizer_kwargs", "norm_kwargs", "pad_id", "eos_id")
"""Options that change nothing of what a trained tower computes, or that are read elsewhere."""

_NEUTRAL: Mapping[str, Any] = {
    "pool_type": ("tok", "argmax"),
    "pos_embed_type": ("learnable",),
    "final_ln_after_pool": (True, False),
    "block_type": ("default",),
    "proj_type": ("linear",),
    "attn_pooler_queries": (256,),
    "attn_pooler_heads": (8,),
    "hf_proj_type": ("mlp", "linear"),
    "hf_pooler_type": ("mean_pooler",),
    "hf_model_pretrained": (True, False),
}
"""Values of further options under which a tower is CLIP's, beside those that are false, empty or left out."""

_EPSILON = 1e-5

WAYS_ON = (
    "Such models work as ONNX files, which need no OpenCLIP: many are published so (immich-app, onnx-community), and "
    "others can be exported (docs/how-to/encoders.md)."
)

_CLEANED: Mapping[object, TextForm] = {"whitespace": "spaces", "lower": "lower", "canonicalize": "canonical"}
"""By OpenCLIP's names, ``clean`` of ``tokenizer_kwargs``."""


def clip_config(model: Mapping[str, Any], *, where: Path) -> Mapping[str, Any]:
    """Configuration of a `CLIPModel` that computes what OpenCLIP's model does.

    Parameters
    ----------
    model
        ``model_cfg`` of an ``open_clip_config.json``.
    where
        The file, for messages.

    Raises
    ------
    EncoderError
        If the model is of another kind, or the file holds no numbers where they belong.
    """
    images, texts = section(model, "vision_cfg"), section(model, "text_cfg")
    _refuse_other_towers(model, images, texts, where)
    activation = "quick_gelu" if model.get("quick_gelu") else "gelu"
    try:
        return {
            "model_type": "clip",
            "projection_dim": int(model["embed_dim"]),
            "vision_config": _image_tower({**_IMAGE_DEFAULTS, **_given(images)}, activation),
            "text_config": _text_tower({**_TEXT_DEFAULTS, **_given(texts)}, activation),
        }
    except (TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise EncoderError(
            f"The model that {where} describes can't be read: {excerpt(error)}.",
            remedy="Use the file that belongs to the weights.",
        ) from error


def _image_tower(given: Mapping[str, Any], activation: str) -> Mapping[str, Any]:
    width, size = int(given["width"]), given["image_size"]
    sides = {int(side) for side in (size if isinstance(size, list) else [size])}
    if len(sides) != 1:
        raise ValueError("image_size isn't a square")
    return {
        "hidden_size": width,
        "intermediate_size": int(width * float(given["mlp_ratio"])),
        "num_hidden_layers": int(given["layers"]),
        "num_attention_heads": width // int(given["head_width"]),
        "patch_size": int(given["patch_size"]),
        "image_size": sides.pop(),
        "hidden_act": activation,
        "layer_norm_eps": _epsilon(given),
    }


def _text_tower(given: Mapping[str, Any], activation: str) -> Mapping[str, Any]:
    width, vocabulary = int(given["width"]), int(given["vocab_size"])
    return {
        "hidden_size": width,
        "intermediate_size": int(width * float(given["mlp_ratio"])),
        "num_hidden_layers": int(given["layers"]),
        "num_attention_heads": int(given["heads"]),
        "max_position_embeddings": int(given["context_length"]),
        "vocab_size": vocabulary,
        "hidden_act": activation,
        "layer_norm_eps": _epsilon(given),
        "pad_token_id": 0,
        "bos_token_id": vocabulary - 2,
        # The library's mark of models that end in the token of the highest number, as OpenCLIP's all do.
        "eos_token_id": 2,
    }


def _given(tower: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in tower.items() if value is not None}


def _epsilon(tower: Mapping[str, Any]) -> float:
    return float(section(tower, "norm_kwargs").get("eps", _EPSILON))


def _refuse_other_towers(
    model: Mapping[str, Any], images: Mapping[str, Any], texts: Mapping[str, Any], where: Path
) -> None:
    kinds = {
        "an image tower of timm": images.get("timm_model_name"),
        "a text tower of another library": texts.get("hf_model_name"),
        "a text decoder (CoCa)": model.get("multimodal_cfg"),
        "a residual network": isinstance(images.get("layers"), list),
        "no configuration of an image tower": not images,
    }
    found = next((f"has {kind}" for kind, value in kinds.items() if value), None) or _odd_option(images, texts)
    if found:
        raise EncoderError(
            f"The OpenCLIP model that {where} describes {found}; read are those with CLIP's own towers.",
            remedy=WAYS_ON,
        )


def _odd_option(images: Mapping[str, Any], texts: Mapping[str, Any]) -> str | None:
    for tower, known in ((images, _IMAGE_DEFAULTS), (texts, _TEXT_DEFAULTS)):
        for key, value in tower.items():
            skipped = key in known or key in _OF_TRAINING or key.startswith("timm_")
            if not skipped and value and value not in _NEUTRAL.get(key, ()):
                return f"has {key} {quoted(value)}"
        further = [key for key in section(tower, "norm_kwargs") if key != "eps"]
        if further:
            return f"has norm_kwargs with {quoted(further[0])}"
    return None


def text_form(text_cfg: Mapping[str, Any], *, where: Path) -> TextForm:
    """What becomes of a text before OpenCLIP's tokenizer cuts it, by the ``text_cfg`` of a model.

    Raises
    ------
    EncoderError
        If it asks for what isn't known.
    """
    options = section(text_cfg, "tokenizer_kwargs")
    known: Mapping[object, TextForm] = {None: "spaces", **_CLEANED}
    clean = options.get("clean")
    if clean not in known or options.get("strip_sep_token"):
        raise EncoderError(
            f"{where} asks for tokens as {quoted(str(dict(options)))}, which isn't known.",
            remedy="Choose another model: its texts would be read as other words.",
        )
    return known[clean]


def section(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A part of a configuration, empty where it is left out or something else."""
    found = config.get(key)
    return found if isinstance(found, dict) else {}
