"""Names of weights: of OpenCLIP's ViT models to those of `transformers`, whose towers compute the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TOP: Mapping[str, str] = {
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.ln_pre.weight": "vision_model.pre_layrnorm.weight",
    "visual.ln_pre.bias": "vision_model.pre_layrnorm.bias",
    "visual.ln_post.weight": "vision_model.post_layernorm.weight",
    "visual.ln_post.bias": "vision_model.post_layernorm.bias",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
    "logit_scale": "logit_scale",
}
_TURNED: Mapping[str, str] = {
    "visual.proj": "visual_projection.weight",
    "text_projection": "text_projection.weight",
}
"""Matrices that stand on the other side of the product there."""

_IN_LAYER: Mapping[str, str] = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
_LAYER = re.compile(r"(visual\.)?transformer\.resblocks\.(\d+)\.(.+)[._](weight|bias)")
_THREE_IN_ONE = "attn.in_proj"
_QUERY_KEY_VALUE = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")

_TEXT_PREFIX = "text."
"""Before the weights of a text tower, in models whose configuration says ``custom_text``."""

UNUSED = ("attn_mask", "logit_bias", "context_length", "input_resolution", "vocab_size")
"""What no vector depends on: SigLIP's bias, and what the first checkpoints of CLIP carry along."""


@dataclass(frozen=True)
class Renamed:
    """What becomes of a weight.

    Attributes
    ----------
    name
        Its name in `transformers`.
    third
        Which third of its rows it is; None for all of them.
    turned
        Whether rows and columns change places.
    """

    name: str
    third: int | None = None
    turned: bool = False

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape that it has then."""
        if self.turned:
            return shape[::-1]
        return shape if self.third is None else (shape[0] // 3, *shape[1:])


def renamed(name: str) -> tuple[Renamed, ...]:
    """What becomes of a weight of OpenCLIP: one of `transformers`, or three; none where there is no place for it."""
    plain = name.removeprefix(_TEXT_PREFIX)
    if plain in _TURNED:
        return (Renamed(_TURNED[plain], turned=True),)
    if plain in _TOP:
        return (Renamed(_TOP[plain]),)
    layer = _LAYER.fullmatch(plain)
    if layer is None:
        return ()
    tower = "vision_model" if layer[1] else "text_model"
    prefix, part, kind = f"{tower}.encoder.layers.{layer[2]}", layer[3], layer[4]
    if part == _THREE_IN_ONE:
        return tuple(Renamed(f"{prefix}.{each}.{kind}", third=third) for third, each in enumerate(_QUERY_KEY_VALUE))
    return (Renamed(f"{prefix}.{_IN_LAYER[part]}.{kind}"),) if part in _IN_LAYER else ()
