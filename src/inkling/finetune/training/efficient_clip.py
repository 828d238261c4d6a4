"""A CLIP model that computes the same with less work. Imports torch.

Of the last block of the image tower, only the class token is read: the others give keys and values, and need neither
query nor output nor MLP. QuickGELU takes one saved tensor and fewer passes over it. Patches don't overlap, so the slope
of what embeds them is one matrix product. None of this changes a weight, or a gradient beyond rounding.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from torch import Tensor, nn
from torch.autograd import Function
from torch.nn.functional import conv2d, scaled_dot_product_attention, silu
from transformers.activations import QuickGELUActivation
from transformers.models.clip.modeling_clip import CLIPEncoderLayer

QUICK_GELU = 1.702


class QuickGelu(nn.Module):
    """x sigmoid(1.702 x) (Hendrycks and Gimpel 2016, 1606.08415), as silu(1.702 x) / 1.702."""

    def forward(self, x: Tensor) -> Tensor:
        """Of any shape; x is overwritten, since the linear map that made it does not need it any more."""
        return silu(x.mul_(QUICK_GELU)).div_(QUICK_GELU)


def make_lean(model: Any) -> None:
    """Change how a two-tower model computes, in place; models of other kinds than CLIP's stay as they are."""
    for layer in _clip_layers(model.vision_model) + _clip_layers(model.text_model):
        if type(layer.mlp.activation_fn) is QuickGELUActivation:
            layer.mlp.activation_fn = QuickGelu()
    if _clip_layers(model.vision_model):
        patches = model.vision_model.embeddings.patch_embedding
        patches.forward = partial(_patch_vectors, patches)
    for last in _clip_layers(model.vision_model)[-1:]:
        if last.self_attn.dropout == 0:
            last.forward = partial(_class_token, last)


class PatchEmbedding(Function):
    """The convolution of patches that lie side by side; its slope by a matrix product, several times as fast."""

    @staticmethod
    def forward(context: Any, pixels: Tensor, weight: Tensor) -> Tensor:
        """Images (n_images, channels, height, width) and a weight (width, channels, side, side)."""
        context.save_for_backward(pixels)
        context.shape = weight.shape
        return conv2d(pixels, weight, stride=weight.shape[2:])

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[None, Tensor]:
        """Of the weight alone: nothing asks for the slope along the pixels."""
        (pixels,) = context.saved_tensors
        of_patches = gradient.to(pixels.dtype).movedim(1, 0).flatten(1)
        return None, (of_patches @ _patches(pixels, context.shape[-1])).view(context.shape)


def _patches(pixels: Tensor, side: int) -> Tensor:
    """Pixels of each patch in a row, (n_images x n_rows x n_columns, channels x side x side)."""
    n_images, channels, rows, columns = *pixels.shape[:2], *(size // side for size in pixels.shape[2:])
    parts = pixels[..., : rows * side, : columns * side].reshape(n_images, channels, rows, side, columns, side)
    return parts.permute(0, 2, 4, 1, 3, 5).reshape(n_images * rows * columns, -1)


def _patch_vectors(convolution: nn.Conv2d, pixels: Tensor) -> Tensor:
    return cast(Tensor, cast(Any, PatchEmbedding).apply(pixels, convolution.weight))


def _clip_layers(tower: Any) -> list[Any]:
    return [layer for layer in tower.encoder.layers if type(layer) is CLIPEncoderLayer]


def _class_token(layer: Any, hidden_states: Tensor, *_: object, **__: object) -> Tensor:
    """x + attention(norm(x)), then x + mlp(norm(x)), of the first of the tokens (n_images, n_tokens, width)."""
    x, attention = hidden_states[:, :1], layer.self_attn
    y = layer.layer_norm1(hidden_states)
    query, key, value = (
        _split(part, attention.head_dim)
        for part in (attention.q_proj(y[:, :1]), attention.k_proj(y), attention.v_proj(y))
    )
    heads = scaled_dot_product_attention(query, key, value, scale=attention.scale)
    x = x + attention.out_proj(heads.transpose(1, 2).flatten(2))
    output: Tensor = x + layer.mlp(layer.layer_norm2(x))
    return output


def _split(x: Tensor, head_dim: int) -> Tensor:
    return x.view(*x.shape[:-1], -1, head_dim).transpose(1, 2)
