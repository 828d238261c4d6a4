"""Products of matrices in three arithmetics, with weights laid out once for the processor's own kernels.

float32
    Float32 throughout.
bfloat16
    Operands rounded to bfloat16, sums in float32.
int8
    Weights rounded to 8 bits per output channel, tokens to 8 bits per token as they come, sums exact in
    int32. No token's rounding depends on another image, so the vector of an image doesn't depend on its batch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from inkling.wording import excerpt

Arithmetic = Literal["float32", "bfloat16", "int8"]

Product = Callable[[Tensor], Tensor]

QUICK_GELU = 1.702
"""QuickGELU is x sigmoid(1.702 x) (Hendrycks and Gimpel 2016, 1606.08415)."""

_INT8_MAX = 127.0

_TRIAL_TOKENS, _TRIAL_WEIGHT = (128, 768), (3072, 768)
_TRIAL_ROUNDS = 5
"""A product of ViT-B's, in the size in which one core takes it: some milliseconds a round."""


@dataclass(frozen=True)
class Activation:
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


LINEAR = Activation(("none", ""), lambda x: x)

ACTIVATIONS = (
    Activation(("swish", ""), functional.silu, gain=QUICK_GELU),
    Activation(("swish", ""), functional.silu),
    Activation(("gelu", "none"), functional.gelu),
    Activation(("gelu", "tanh"), lambda x: functional.gelu(x, approximate="tanh")),
)


def activation_like(function: Callable[[Tensor], Tensor]) -> Activation | None:
    """The activation that computes the same, by its values; None where the kernels know none."""
    x = torch.linspace(-8, 8, 257)
    expected = function(x)
    found = ((each, each.function(each.gain * x) / each.gain) for each in ACTIVATIONS)
    return next((each for each, values in found if torch.allclose(values, expected, atol=1e-5)), None)


def joined(*linears: nn.Linear) -> tuple[Tensor, Tensor]:
    """Weight and bias of linear layers that read the same input, as of one layer."""
    weight = torch.cat([linear.weight.detach() for linear in linears])
    return weight, torch.cat([bias_of(linear) for linear in linears])


def bias_of(module: nn.Linear | nn.Conv2d) -> Tensor:
    """Bias of a layer, zeros where it has none."""
    return torch.zeros(len(module.weight)) if module.bias is None else module.bias.detach()


def product(weight: Tensor, bias: Tensor, arithmetic: Arithmetic, activation: Activation = LINEAR) -> Product:
    """a(x W' + b) on tokens (..., width)."""
    if arithmetic == "int8":
        return _int8_product(weight, bias, activation)
    dtype = torch.bfloat16 if arithmetic == "bfloat16" else torch.float32
    weight, bias = weight.to(dtype), bias.to(dtype)
    if has_kernels() and (dtype == torch.float32 or torch.ops.mkldnn._is_mkldnn_bf16_supported()):
        return _packed_product(weight, bias, activation)
    return lambda x: activation.function(functional.linear(x.to(dtype), weight, bias))


def _packed_product(weight: Tensor, bias: Tensor, activation: Activation) -> Product:
    kernels = torch.ops.mkldnn
    packed, dtype = kernels._reorder_linear_weight(weight.contiguous()), weight.dtype
    name, algorithm = activation.kernel

    def take(x: Tensor) -> Tensor:
        return cast(Tensor, kernels._linear_pointwise(x.to(dtype), packed, bias, name, [], algorithm))

    return take


def _int8_product(weight: Tensor, bias: Tensor, activation: Activation) -> Product:
    step = weight.abs().amax(dim=1).clamp_min(torch.finfo(torch.float32).tiny) / _INT8_MAX
    rounded = (weight / step[:, None]).round().to(torch.int8).t().contiguous()

    def take(x: Tensor) -> Tensor:
        rows = x.flatten(0, -2)
        tokens, token_step = _round_tokens(rows)
        sums = torch._int_mm(tokens, rounded).to(torch.float32)
        y = torch.addcmul(bias, sums.mul_(step), token_step)
        return activation.function(y).view(*x.shape[:-1], -1)

    return take


def _round_tokens(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens (n, width) as int8 and the step (n, 1) of each, so that the largest entry of a token is 127."""
    step = rows.abs().amax(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny) / _INT8_MAX
    return (rows / step).round_().to(torch.int8), step


def has_fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 faster than float32 (AVX512-BF16 or AMX)."""
    capabilities = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return has_kernels() and any(getattr(torch.cpu, name, bool)() for name in capabilities)


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
    ways = [product(weight, torch.zeros(len(weight)), each) for each in ("float32", arithmetic)]
    best = [math.inf, math.inf]
    for _ in range(_TRIAL_ROUNDS):
        for number, way in enumerate(ways):
            started = time.perf_counter()
            way(tokens)
            best[number] = min(best[number], time.perf_counter() - started)
    return best[1] / best[0]


def has_kernels() -> bool:
    """Whether this build of torch has oneDNN's kernels for linear layers with packed weights."""
    return hasattr(torch.ops.mkldnn, "_linear_pointwise")
