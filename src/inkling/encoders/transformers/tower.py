"""The image tower of a model, rebuilt for the processor that runs it.

`transformers` stays the reference: embeddings, last normalisation and projection are its own modules. The layers, which
hold nearly all the work, are replaced by equal ones that

- keep their weights in the block layout that the processor's matrix kernels read (oneDNN), instead of
  rearranging them at each call,
- read the normalised tokens once for query, key and value, and apply activations and the factors of LayerScale inside
  the matrix products,
- compute the last layer for the class token alone, where that is all the model reads of it.

Patches are cut by one product of matrices, and attention pooling with a learnt probe asks for the scores of its tokens
without computing their keys and values. Products are taken in the arithmetics of
`inkling.encoders.transformers.products`; under bfloat16 and int8 everything between them stays in float32.

How the layers of a family are built is a row in `LAYOUTS`. Towers of another build keep the library's own layers.

Imports torch, so this module is imported only when weights are loaded.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from inkling.encoders.transformers.layers import Layer, Layout, Patches, ProbeAttention, part_of
from inkling.encoders.transformers.products import Arithmetic, activation_like, has_fast_bfloat16

_CLIP = Layout(
    layers="encoder.layers",
    patches="embeddings.patch_embedding",
    class_token="embeddings.class_embedding",
    norms=("layer_norm1", "layer_norm2"),
    attention="self_attn",
    output="out_proj",
    mlp=("mlp.fc1", "mlp.fc2"),
    activation="mlp.activation_fn",
)
_DINOV2 = Layout(
    layers="encoder.layer",
    patches="embeddings.patch_embeddings.projection",
    class_token="embeddings.cls_token",
    norms=("norm1", "norm2"),
    attention="attention",
    output="o_proj",
    mlp=("mlp.fc1", "mlp.fc2"),
    activation="mlp.activation_fn",
    scales=("layer_scale1", "layer_scale2"),
)
_DINOV3 = replace(
    _DINOV2,
    layers="model.layer",
    patches="embeddings.patch_embeddings",
    mlp=("mlp.up_proj", "mlp.down_proj"),
    activation="mlp.act_fn",
)
_GATED: dict[str, Any] = {"mlp": ("mlp.up_proj", "mlp.down_proj"), "activation": "mlp.act_fn", "gate": "mlp.gate_proj"}

LAYOUTS = (
    _CLIP,
    _DINOV2,
    replace(_DINOV2, **_GATED),
    _DINOV3,
    replace(_DINOV3, **_GATED),
    replace(_DINOV2, layers="layers", norms=("layernorm_before", "layernorm_after"), scales=()),  # ViT
    Layout(  # AIMv2
        layers="encoder.layers",
        patches="embeddings.patch_embed",
        class_token="embeddings.cls_token",
        norms=("rms_norm1", "rms_norm2"),
        attention="attention",
        output="out_proj",
        mlp=("ffn.up_proj", "ffn.down_proj"),
        activation="ffn.act_fn",
        gate="ffn.gate_proj",
    ),
)
"""The first that fits a tower is taken."""


def rebuild(vision: nn.Module, arithmetic: Arithmetic) -> bool:
    """Replace the layers of an image tower in place.

    Parameters
    ----------
    vision
        ``CLIPVisionModel``, ``Dinov2Model`` or another that a row of `LAYOUTS` describes, in float32, on the CPU.
    arithmetic
        How the products of matrices are taken.

    Returns
    -------
    bool
        False, and nothing changed, where no layout fits.
    """
    layout = _layout_of(vision)
    if layout is None:
        return False
    patches, layers = part_of(vision, layout.patches), part_of(vision, layout.layers)
    if _cuts_into_patches(patches):
        _replace(vision, layout.patches, Patches(patches, _of_pixels(arithmetic)))
    only_class_token, last = part_of(vision, layout.class_token) is not None, len(layers) - 1
    _replace(
        vision,
        layout.layers,
        nn.ModuleList(
            Layer(layer, layout, arithmetic, class_token_only=only_class_token and index == last)
            for index, layer in enumerate(layers)
        ),
    )
    if _pools_by_probe(part_of(vision, layout.probe)):
        _replace(vision, f"{layout.probe}.attention", ProbeAttention(part_of(vision, layout.probe)))
    return True


def rebuilt(vision: nn.Module, arithmetic: Arithmetic) -> nn.Module | None:
    """A rebuilt tower beside one that stays as it is; None where no layout fits.

    Weights are arranged anew as they are at this moment: later changes to the first tower don't reach the second.
    """
    layout = _layout_of(vision)
    if layout is None:
        return None
    twin = _sharing_copy(vision)
    for path in (layout.layers, layout.patches, f"{layout.probe}.attention"):
        _own_parents(twin, path)
    return twin if rebuild(twin, arithmetic) else None


def _layout_of(vision: nn.Module) -> Layout | None:
    return next((layout for layout in LAYOUTS if _fits(vision, layout)), None)


def _fits(vision: nn.Module, layout: Layout) -> bool:
    layers = part_of(vision, layout.layers)
    return (
        isinstance(layers, nn.ModuleList)
        and len(layers) > 0
        and all(layout.fits(layer) for layer in layers)
        and all(activation_like(part_of(layer, layout.activation)) for layer in layers)
    )


def _replace(module: nn.Module, path: str, part: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(module.get_submodule(parent), name, part)


def _own_parents(module: nn.Module, path: str) -> None:
    """Give a module parts of its own in place of those that it shares, down to whatever holds a part of them."""
    names = path.split(".")[:-1]
    for depth in range(1, len(names) + 1):
        parent = ".".join(names[:depth])
        if isinstance(part := part_of(module, parent), nn.Module):
            _replace(module, parent, _sharing_copy(part))


def _sharing_copy(module: nn.Module) -> nn.Module:
    """A module of its own whose parts are those of another."""
    twin = copy(module)
    twin._modules = dict(module._modules)
    return twin


def _cuts_into_patches(module: Any) -> bool:
    """Whether a convolution reads every pixel exactly once."""
    return (
        type(module) is nn.Conv2d
        and module.stride == module.kernel_size
        and module.padding in ("valid", (0, 0))
        and module.dilation == (1, 1)
        and module.groups == 1
    )


def _pools_by_probe(head: Any) -> bool:
    """Whether a pooling asks its tokens by a learnt probe, as that of SigLIP."""
    attention = getattr(head, "attention", None)
    return (
        isinstance(attention, nn.MultiheadAttention)
        and isinstance(getattr(head, "probe", None), Tensor)
        and attention.in_proj_weight is not None
        and attention.in_proj_bias is not None
        and attention.bias_k is None
        and not attention.add_zero_attn
    )


def _of_pixels(arithmetic: Arithmetic) -> Arithmetic:
    """Pixels are too few to be worth the loss of 8 bits."""
    if arithmetic == "int8":
        return "bfloat16" if has_fast_bfloat16() else "float32"
    return arithmetic
