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

import math
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from inkling.wording import excerpt

Arithmetic = Literal["float32", "bfloat16", "int8"]

QUICK_GELU = 1.702
"""QuickGELU is x sigmoid(1.702 x) (Hendrycks and Gimpel 2016, 1606.08415)."""

_INT8_MAX = 127.0

_Product = Callable[[Tensor], Tensor]

_TRIAL_TOKENS, _TRIAL_WEIGHT = (128, 768), (3072, 768)
_TRIAL_ROUNDS = 5
"""A product of ViT-B's, in the size in which one core takes it: some milliseconds a round."""


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
    patches = tower.embeddings.patch_embedding
    if _cuts_into_patches(patches):
        tower.embeddings.patch_embedding = _Patches(patches, _of_pixels(arithmetic))
    reads_class_token = hasattr(tower.embeddings, "class_embedding")
    last = len(layers) - 1
    tower.encoder.layers = nn.ModuleList(
        _Layer(layer, activation, arithmetic, class_token_only=reads_class_token and index == last)
        for index, layer in enumerate(layers)
    )
    return True


def rebuilt(vision: nn.Module, arithmetic: Arithmetic) -> nn.Module | None:
    """A rebuilt tower beside one that stays as it is; None where it isn't built like those of CLIP and SigLIP.

    Weights are arranged anew as they are at this moment: later changes to the first tower don't reach the second.
    """
    twin = _sharing_copy(vision)
    twin.embeddings = _sharing_copy(cast(Any, vision).embeddings)
    twin.encoder = _sharing_copy(cast(Any, vision).encoder)
    return twin if rebuild(twin, arithmetic) else None


def _sharing_copy(module: nn.Module) -> Any:
    """A module of its own whose parts are those of another."""
    twin = copy(module)
    twin._modules = dict(module._modules)
    return twin


def has_fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 faster than float32 (AVX512-BF16 or AMX)."""
    capabilities = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return _has_kernels() and any(getattr(torch.cpu, name, bool)() for name in capabilities)


def has_exact_int8() -> bool:
    """Whether sums of int8 products are exact here; instruction sets before VNNI saturate in between."""
    extreme = torch.full((32, 64), 127, dtype=torch.int8)
    return bool((torch._int_mm(extreme, extreme.t().contiguous()) == 64 * 127 * 127).all())


def why_not(arithmetic: Arithmetic) -> str | None:
    """Why an arithmetic is of no use on this processor, or None where it is exact and faster than float32."""
    if arithmetic == "int8" and not has_exact_int8():
        return "this processor's sums of 8-bit products aren't exact (it has no VNNI instructions)"
    try:
        times = times_of_float32(arithmetic)
    except RuntimeError as error:
        return f"this processor has no such products ({excerpt(error)})"
    return f"on this processor it takes {times:.1f} times as long as float32" if times >= 1 else None


@cache
def times_of_float32(arithmetic: Arithmetic) -> float:
    """Time of a matrix product in one arithmetic, in times of that in float32: the best of each, taken in turn."""
    generator = torch.Generator().manual_seed(0)
    tokens, weight = (torch.randn(shape, generator=generator) for shape in (_TRIAL_TOKENS, _TRIAL_WEIGHT))
    products = [_product(weight, torch.zeros(len(weight)), each) for each in ("float32", arithmetic)]
    best = [math.inf, math.inf]
    for _ in range(_TRIAL_ROUNDS):
        for number, product in enumerate(products):
            started = time.perf_counter()
            product(tokens)
            best[number] = min(best[number], time.perf_counter() - started)
    return best[1] / best[0]


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


def _cuts_into_patches(module: Any) -> bool:
    """Whether a convolution reads every pixel exactly once."""
    return (
        type(module) is nn.Conv2d
        and module.stride == module.kernel_size
        and module.padding in ("valid", (0, 0))
        and module.dilation == (1, 1)
        and module.groups == 1
    )


def _of_pixels(arithmetic: Arithmetic) -> Arithmetic:
    """Pixels are too few to be worth the loss of 8 bits."""
    if arithmetic == "int8":
        return "bfloat16" if has_fast_bfloat16() else "float32"
    return arithmetic


class _Patches(nn.Module):
    """The first convolution, as one matrix product of patches: (n, 3, height, width) to (n, width of tokens,
    rows of patches, columns of patches)."""

    def __init__(self, convolution: nn.Conv2d, arithmetic: Arithmetic) -> None:
        super().__init__()
        self.weight = convolution.weight  # asked by transformers for its number format
        self.height, self.width = convolution.kernel_size
        self.product = _product(convolution.weight.detach().flatten(1), _bias_of(convolution), arithmetic)

    def forward(self, pixels: Tensor) -> Tensor:
        rows, columns = pixels.shape[2] // self.height, pixels.shape[3] // self.width
        whole = pixels[..., : rows * self.height, : columns * self.width]  # a convolution drops the remainder, too
        grid = whole.reshape(len(pixels), -1, rows, self.height, columns, self.width)
        patches = grid.permute(0, 2, 4, 1, 3, 5).flatten(3)
        return self.product(patches).permute(0, 3, 1, 2)


class _Layer(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)), on tokens (n_images, n_tokens, width)."""

    def __init__(self, layer: Any, activation: _Activation, arithmetic: Arithmetic, *, class_token_only: bool) -> None:
        super().__init__()
        attention, mlp = layer.self_attn, layer.mlp
        self.norm1, self.norm2 = layer.layer_norm1, layer.layer_norm2
        self.n_heads = int(attention.num_heads)
        self.class_token_only = class_token_only
        keys_values = (attention.k_proj, attention.v_proj)
        if class_token_only:
            self.query = _product(*_joined(attention.q_proj), arithmetic)
            self.key_value = _product(*_joined(*keys_values), arithmetic)
        else:
            self.query_key_value = _product(*_joined(attention.q_proj, *keys_values), arithmetic)
        self.attention_output = _product(*_joined(attention.out_proj), arithmetic)
        gain = activation.gain
        weight, bias = _joined(mlp.fc1)
        self.mlp_input = _product(weight * gain, bias * gain, arithmetic, activation)
        weight, bias = _joined(mlp.fc2)
        self.mlp_output = _product(weight / gain, bias, arithmetic)

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


def _joined(*linears: nn.Linear) -> tuple[Tensor, Tensor]:
    """Weight and bias of linear layers that read the same input, as of one layer."""
    weight = torch.cat([linear.weight.detach() for linear in linears])
    return weight, torch.cat([_bias_of(linear) for linear in linears])


def _bias_of(module: nn.Linear | nn.Conv2d) -> Tensor:
    return torch.zeros(len(module.weight)) if module.bias is None else module.bias.detach()


def _product(weight: Tensor, bias: Tensor, arithmetic: Arithmetic, activation: _Activation = _LINEAR) -> _Product:
    """a(x W' + b) on tokens (..., width)."""
    if arithmetic == "int8":
        return _int8_product(weight, bias, activation)
    dtype = torch.bfloat16 if arithmetic == "bfloat16" else torch.float32
    weight, bias = weight.to(dtype), bias.to(dtype)
    if _has_kernels():
        return _packed_product(weight, bias, activation)
    return lambda x: activation.function(functional.linear(x.to(dtype), weight, bias))


def _packed_product(weight: Tensor, bias: Tensor, activation: _Activation) -> _Product:
    kernels = torch.ops.mkldnn
    packed, dtype = kernels._reorder_linear_weight(weight.contiguous()), weight.dtype
    name, algorithm = activation.kernel

    def product(x: Tensor) -> Tensor:
        return cast(Tensor, kernels._linear_pointwise(x.to(dtype), packed, bias, name, [], algorithm))

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
