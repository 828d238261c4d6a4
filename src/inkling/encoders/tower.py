"""The image tower of a CLIP or SigLIP model, rebuilt for the processor that runs it.

`transformers` stays the reference: embeddings, pooling and projection are its own modules. Only the encoder
layers, which hold nearly all the work, are replaced by equal ones that

- keep their weights in the block layout that the processor's matrix kernels read (oneDNN), instead of
  rearranging them at each call,
- read the normalised tokens once for query, key and value, and apply activations inside the matrix product,
- compute the last layer for the class token alone, where that is all the model reads of it.

The products of the matrices can be taken in three arithmetics:

float32
    Float32 throughout.
bfloat16
    Operands rounded to bfloat16, sums in float32; residual stream, normalisation and pooling in float32.
int8
    Weights rounded to 8 bits per output channel, tokens to 8 bits per token as they come, sums exact in
    int32; everything between the products in float32. No token's rounding depends on another image, so the
    vector of an image doesn't depend on its batch.

Imports torch, so this module is imported only when weights are loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

Arithmetic = Literal["float32", "bfloat16", "int8"]

QUICK_GELU = 1.702
"""QuickGELU is x sigmoid(1.702 x) (Hendrycks and Gimpel 2016, 1606.08415)."""

_INT8_MAX = 127.0

_Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class _Activation:
    """An activation as the matrix kernels know it, or as a function to apply afterwards.

    Attributes
    ----------
    kernel
        Name and algorithm of the fused kernel.
    function
        The same on a tensor.
    gain
        Factor g where the activation is computed as a(g x) / g.
    """

    kernel: tuple[str, str]
    function: Callable[[Tensor], Tensor]
    gain: float = 1.0


_LINEAR = _Activation(("none", ""), lambda x: x)

_ACTIVATIONS = {
    "quick_gelu": _Activation(("swish", ""), functional.silu, gain=QUICK_GELU),
    "gelu": _Activation(("gelu", "none"), functional.gelu),
    "gelu_pytorch_tanh": _Activation(("gelu", "tanh"), lambda x: functional.gelu(x, approximate="tanh")),
}


def rebuild(vision: nn.Module, arithmetic: Arithmetic) -> bool:
    """Replace the encoder layers of an image tower in place.

    Parameters
    ----------
    vision
        ``CLIPVisionModel``, ``SiglipVisionModel`` or one built like them, in float32, on the CPU.
    arithmetic
        How the products of matrices are taken.

    Returns
    -------
    bool
        False, and nothing changed, where the tower isn't built like those of CLIP and SigLIP.
    """
    tower = cast(Any, vision)
    layers = getattr(getattr(tower, "encoder", None), "layers", None)
    activation = _ACTIVATIONS.get(str(getattr(tower.config, "hidden_act", "")))
    if not layers or activation is None or not all(_is_known(layer) for layer in layers):
        return False
    reads_class_token = hasattr(tower.embeddings, "class_embedding")
    last = len(layers) - 1
    tower.encoder.layers = nn.ModuleList(
        _Layer(layer, activation, arithmetic, class_token_only=reads_class_token and index == last)
        for index, layer in enumerate(layers)
    )
    return True


def has_fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 faster than float32 (AVX512-BF16 or AMX)."""
    capabilities = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return _has_kernels() and any(getattr(torch.cpu, name, bool)() for name in capabilities)


def has_exact_int8() -> bool:
    """Whether sums of int8 products are exact here; instruction sets before VNNI saturate in between."""
    extreme = torch.full((32, 64), 127, dtype=torch.int8)
    return bool((torch._int_mm(extreme, extreme.t().contiguous()) == 64 * 127 * 127).all())


def _has_kernels() -> bool:
    return hasattr(torch.ops.mkldnn, "_linear_pointwise")


def _is_known(layer: nn.Module) -> bool:
    """Whether a layer has the parts of CLIP's and SigLIP's pre-norm transformer layer."""
    linears = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj", "mlp.fc1", "mlp.fc2")
    norms = ("layer_norm1", "layer_norm2")
    modules = dict(layer.named_modules())
    return all(type(modules.get(name)) is nn.Linear for name in linears) and all(
        type(modules.get(name)) is nn.LayerNorm for name in norms
    )


class _Layer(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)), on tokens (n_images, n_tokens, width)."""

    def __init__(self, layer: Any, activation: _Activation, arithmetic: Arithmetic, *, class_token_only: bool) -> None:
        super().__init__()
        attention, mlp = layer.self_attn, layer.mlp
        self.norm1, self.norm2 = layer.layer_norm1, layer.layer_norm2
        self.n_heads = int(attention.num_heads)
        self.class_token_only = class_token_only
        queries = (attention.q_proj,)
        keys_values = (attention.k_proj, attention.v_proj)
        if class_token_only:
            self.query = _product(queries, arithmetic)
            self.key_value = _product(keys_values, arithmetic)
        else:
            self.query_key_value = _product(queries + keys_values, arithmetic)
        self.attention_output = _product((attention.out_proj,), arithmetic)
        gain = activation.gain
        self.mlp_input = _product((mlp.fc1,), arithmetic, activation=activation, gain=gain)
        self.mlp_output = _product((mlp.fc2,), arithmetic, input_gain=1 / gain)

    def forward(self, hidden_states: Tensor, *_: object, **__: object) -> Tensor:
        x = hidden_states
        y = self.norm1(x)
        if self.class_token_only:
            query, (key, value) = self.query(y[:, :1]), self.key_value(y).chunk(2, dim=-1)
            x = x[:, :1]
        else:
            query, key, value = self.query_key_value(y).chunk(3, dim=-1)
        x = x + self.attention_output(self._attend(query, key, value))
        return x + self.mlp_output(self.mlp_input(self.norm2(x)))

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        query, key, value = (self._split(part) for part in (query, key, value))
        heads = functional.scaled_dot_product_attention(query, key, value)
        return heads.transpose(1, 2).flatten(2)

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:-1], self.n_heads, -1).transpose(1, 2)


def _product(
    linears: tuple[nn.Linear, ...],
    arithmetic: Arithmetic,
    *,
    activation: _Activation = _LINEAR,
    gain: float = 1.0,
    input_gain: float = 1.0,
) -> _Product:
    """One product for several linear layers that read the same input: a(g (h x W' + b))."""
    weight = torch.cat([linear.weight.detach() for linear in linears]) * (gain * input_gain)
    bias = torch.cat([_bias_of(linear) for linear in linears]) * gain
    if arithmetic == "int8":
        return _int8_product(weight, bias, activation)
    dtype = torch.bfloat16 if arithmetic == "bfloat16" else torch.float32
    if _has_kernels():
        return _packed_product(weight.to(dtype), bias.to(dtype), activation)
    return lambda x: activation.function(functional.linear(x.to(dtype), weight.to(dtype), bias.to(dtype)))


def _bias_of(linear: nn.Linear) -> Tensor:
    bias = cast("Tensor | None", linear.bias)
    return torch.zeros(linear.out_features) if bias is None else bias.detach()


def _packed_product(weight: Tensor, bias: Tensor, activation: _Activation) -> _Product:
    kernels = torch.ops.mkldnn
    packed = kernels._reorder_linear_weight(weight.contiguous())
    name, algorithm = activation.kernel

    def product(x: Tensor) -> Tensor:
        return cast(Tensor, kernels._linear_pointwise(x.to(weight.dtype), packed, bias, name, [], algorithm))

    return product


def _int8_product(weight: Tensor, bias: Tensor, activation: _Activation) -> _Product:
    step = weight.abs().amax(dim=1).clamp_min(torch.finfo(torch.float32).tiny) / _INT8_MAX
    rounded = (weight / step[:, None]).round().to(torch.int8).t().contiguous()

    def product(x: Tensor) -> Tensor:
        rows = x.flatten(0, -2)
        tokens, token_step = _round_tokens(rows)
        sums = torch._int_mm(tokens, rounded).to(torch.float32)
        y = torch.addcmul(bias, sums.mul_(step), token_step)
        return activation.function(y).view(*x.shape[:-1], -1)

    return product


def _round_tokens(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens (n, width) as int8 and the step (n, 1) of each, so that the largest entry of a token is 127."""
    step = rows.abs().amax(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny) / _INT8_MAX
    return (rows / step).round_().to(torch.int8), step
