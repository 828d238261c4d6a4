"""The parts of which an image tower is rebuilt: patches, layers, pooling."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from inkling.encoders.transformers.products import LINEAR, Arithmetic, activation_like, bias_of, joined, product

Rotation = tuple[Tensor, Tensor]
"""Cosines and sines by which rotary positions turn the patches, each (n_patches, width of a head)."""


@dataclass(frozen=True)
class Layout:
    """Where the parts of a tower lie, and, relative to a layer, those of its layers.

    Attributes
    ----------
    layers
        The list of layers.
    patches
        The convolution that cuts patches.
    class_token
        A weight whose presence says that the model reads the class token alone.
    norms
        Normalisation before attention, and before the perceptron.
    attention
        Attention, which holds ``q_proj``, ``k_proj`` and ``v_proj``.
    output
        Linear layer after attention.
    mlp
        First and last linear layer of the perceptron.
    activation
        What is applied between them.
    gate
        Linear layer, the activation of which is a factor on the first one's output (SwiGLU).
    scales
        LayerScale after attention and after the perceptron: factors on their channels.
    probe
        Attention pooling, which holds ``probe`` and ``attention``.
    """

    layers: str
    patches: str
    class_token: str
    norms: tuple[str, str]
    attention: str
    output: str
    mlp: tuple[str, str]
    activation: str
    gate: str | None = None
    scales: tuple[str, ...] = ()
    probe: str = "head"

    @property
    def linears(self) -> tuple[str, ...]:
        """The linear layers of a layer."""
        parts = tuple(f"{self.attention}.{part}" for part in ("q_proj", "k_proj", "v_proj", self.output))
        return parts + self.mlp + (() if self.gate is None else (self.gate,))

    def fits(self, layer: nn.Module) -> bool:
        """Whether a layer has these parts, with weights in no others."""
        modules = dict(layer.named_modules())
        weighty = {name.rpartition(".")[0] for name, _ in layer.named_parameters()}
        return weighty == {*self.norms, *self.linears, *self.scales} and all(
            type(modules[name]) is nn.Linear for name in self.linears
        )


def part_of(module: nn.Module, path: str) -> Any:
    """What lies at a path of attributes; None where there is nothing."""
    try:
        return attrgetter(path)(module)
    except AttributeError:
        return None


class Patches(nn.Module):
    """The first convolution, as one matrix product of patches: (n, 3, height, width) to (n, width of tokens,
    rows of patches, columns of patches)."""

    def __init__(self, convolution: nn.Conv2d, arithmetic: Arithmetic) -> None:
        super().__init__()
        self.weight = convolution.weight  # asked by transformers for its number format
        self.height, self.width = convolution.kernel_size
        self.product = product(convolution.weight.detach().flatten(1), bias_of(convolution), arithmetic)

    def forward(self, pixels: Tensor) -> Tensor:
        """Tokens in the shape of their grid."""
        rows, columns = pixels.shape[2] // self.height, pixels.shape[3] // self.width
        whole = pixels[..., : rows * self.height, : columns * self.width]  # a convolution drops the remainder, too
        grid = whole.reshape(len(pixels), -1, rows, self.height, columns, self.width)
        patches = grid.permute(0, 2, 4, 1, 3, 5).flatten(3)
        tokens: Tensor = self.product(patches)
        return tokens.permute(0, 3, 1, 2)


class Layer(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)), on tokens (n_images, n_tokens, width)."""

    def __init__(self, layer: nn.Module, layout: Layout, arithmetic: Arithmetic, *, class_token_only: bool) -> None:
        super().__init__()
        self.norm1, self.norm2 = (part_of(layer, name) for name in layout.norms)
        scales = [part_of(layer, name).lambda1.detach() for name in layout.scales] or [torch.ones(()), torch.ones(())]
        self.class_token_only = class_token_only
        attend = _ClassAttention if class_token_only else _Attention
        self.attention = attend(part_of(layer, layout.attention), layout.output, arithmetic, scale=scales[0])
        self.mlp = _Perceptron(layer, layout, arithmetic, scale=scales[1])

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        position_embeddings: Rotation | None = None,
        **_: object,
    ) -> Tensor:
        """Tokens after the layer; of the last, where that is all that is read, the class token alone."""
        x = hidden_states
        y: Tensor = self.attention(self.norm1(x), attention_mask, position_embeddings)
        x = (x[:, :1] if self.class_token_only else x) + y
        y = self.mlp(self.norm2(x))
        return x + y


class _Attention(nn.Module):
    """Attention among all tokens."""

    def __init__(self, attention: Any, output: str, arithmetic: Arithmetic, *, scale: Tensor) -> None:
        super().__init__()
        self.head_width = int(attention.head_dim)
        self._take_inputs(attention, arithmetic)
        weight, bias = joined(getattr(attention, output))
        self.output = product(_rows_times(scale, weight), scale * bias, arithmetic)

    def _take_inputs(self, attention: Any, arithmetic: Arithmetic) -> None:
        self.query_key_value = product(*joined(attention.q_proj, attention.k_proj, attention.v_proj), arithmetic)

    def _inputs(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.query_key_value(x).chunk(3, dim=-1)

    def forward(self, x: Tensor, mask: Tensor | None, rotation: Rotation | None) -> Tensor:
        # In float32 whatever the product: that is as quick as torch's attention in bfloat16, and rounds once less.
        query, key, value = (self._heads(part).float() for part in self._inputs(x))
        if rotation is not None:
            query, key = self._rotated(query, rotation), _rotated(key, rotation)
        heads = functional.scaled_dot_product_attention(query, key, value, attn_mask=self._mask(mask))
        return self.output(heads.transpose(1, 2).flatten(2))

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:-1], -1, self.head_width).transpose(1, 2)

    def _rotated(self, query: Tensor, rotation: Rotation) -> Tensor:
        return _rotated(query, rotation)

    def _mask(self, mask: Tensor | None) -> Tensor | None:
        return mask


class _ClassAttention(_Attention):
    """Attention of the class token to all tokens."""

    def _take_inputs(self, attention: Any, arithmetic: Arithmetic) -> None:
        self.query = product(*joined(attention.q_proj), arithmetic)
        self.key_value = product(*joined(attention.k_proj, attention.v_proj), arithmetic)

    def _inputs(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.query(x[:, :1]), *self.key_value(x).chunk(2, dim=-1)

    def _rotated(self, query: Tensor, rotation: Rotation) -> Tensor:  # noqa: ARG002 - the class token has no position
        return query

    def _mask(self, mask: Tensor | None) -> Tensor | None:
        return None if mask is None else mask[..., :1, :]


class _Perceptron(nn.Module):
    """W2 a(W1 x), or W2 (a(Wg x) * W1 x) with a gate."""

    def __init__(self, layer: nn.Module, layout: Layout, arithmetic: Arithmetic, *, scale: Tensor) -> None:
        super().__init__()
        first, last = (part_of(layer, name) for name in layout.mlp)
        activation = activation_like(part_of(layer, layout.activation)) or LINEAR
        activated = first if layout.gate is None else part_of(layer, layout.gate)
        weight, bias = joined(activated)
        self.activated = product(weight * activation.gain, bias * activation.gain, arithmetic, activation)
        self.factor = None if layout.gate is None else product(*joined(first), arithmetic)
        weight, bias = joined(last)
        self.output = product(_rows_times(scale / activation.gain, weight), scale * bias, arithmetic)

    def forward(self, x: Tensor) -> Tensor:
        y = self.activated(x)
        return self.output(y if self.factor is None else y * self.factor(x))


class ProbeAttention(nn.Module):
    """Attention of a learnt probe to all tokens, in place of `torch.nn.MultiheadAttention`.

    The probe is the same for all images. So its scores are products of the tokens with one vector a head, and the
    values are taken of the mean that the scores weight, instead of each token:

    softmax(q (W_k x + b_k)' / sqrt(d)) = softmax((W_k' q) x' / sqrt(d)), and sum p (W_v x + b_v) = W_v (sum p x) + b_v.
    """

    def __init__(self, head: Any) -> None:
        super().__init__()
        attention = head.attention
        self.n_heads = int(attention.num_heads)
        query, key, value = attention.in_proj_weight.detach().chunk(3)
        query_bias, _, self.value_bias = attention.in_proj_bias.detach().chunk(3)
        probe = functional.linear(head.probe.detach().flatten(), query, query_bias)
        by_head = (self.n_heads, -1, key.shape[1])
        asked = torch.einsum("hd,hdw->hw", probe.view(self.n_heads, -1), key.reshape(by_head))
        self.asked = asked / (len(probe) // self.n_heads) ** 0.5
        self.value = value.reshape(by_head)
        self.out_proj = attention.out_proj

    def forward(
        self, _probe: Tensor, tokens: Tensor, *_: object, attn_mask: Tensor | None = None
    ) -> tuple[Tensor, None]:
        """What `torch.nn.MultiheadAttention` gives: (n_images, 1, width), and no weights."""
        scores = functional.linear(tokens, self.asked).transpose(1, 2)
        if attn_mask is not None:
            scores = scores + attn_mask.view(scores.shape)
        means = scores.softmax(dim=-1) @ tokens
        values = torch.einsum("nhw,hdw->nhd", means, self.value).flatten(1) + self.value_bias
        return self.out_proj(values)[:, None], None


def _rows_times(scale: Tensor, weight: Tensor) -> Tensor:
    """Weights of a linear layer, the outputs of which are scaled, each by its factor or all by one."""
    return scale[..., None] * weight


def _rotated(x: Tensor, rotation: Rotation) -> Tensor:
    """Rotary positions (Su et al. 2021, 2104.09864) on patches, the last of tokens (n, n_heads, n_tokens, width)."""
    cosines, sines = rotation
    n_prefix = x.shape[-2] - len(sines)
    prefix, patches = x[..., :n_prefix, :], x[..., n_prefix:, :]
    first, second = patches.chunk(2, dim=-1)
    return torch.cat((prefix, patches * cosines + torch.cat((-second, first), dim=-1) * sines), dim=-2)
