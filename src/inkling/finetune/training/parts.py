"""What is trained of a two-tower model: everything else stays frozen. Imports torch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import Parameter

from inkling.errors import InputError, require
from inkling.finetune.recipe import Recipe

IMAGE_TOWER = ("vision_model.", "visual_projection.")
TEXT_TOWER = ("text_model.", "text_projection.")
LORA_TARGETS = ("q_proj", "k_proj", "v_proj")
UNUSED = ("logit_bias",)
"""SigLIP's bias: one number added to all logits changes no softmax, so no loss here can train it."""
_LAYERS = "vision_model.encoder.layers."


@dataclass(frozen=True, eq=False)
class Trained:
    """The parameters that learn, by name, and which towers they change.

    Attributes
    ----------
    parameters
        By their name in the model.
    adapters
        The model wrapped by peft, for ``lora``; else None.
    """

    parameters: Mapping[str, Parameter]
    adapters: Any = None

    @property
    def image_tower(self) -> bool:
        """Whether image vectors change."""
        return any(name.startswith(IMAGE_TOWER) for name in self.parameters)

    @property
    def text_tower(self) -> bool:
        """Whether text vectors change."""
        return any(name.startswith(TEXT_TOWER) for name in self.parameters)


def choose(model: Any, recipe: Recipe) -> Trained:
    """Freeze the model but for what the recipe trains.

    Raises
    ------
    InputError
        If the model has no such part.
    MissingExtraError
        If peft is needed and not installed.
    """
    model.requires_grad_(False)
    if recipe.train == "lora":
        return _with_adapters(model, recipe)
    learns = _rule(model, recipe)
    parameters = {
        name: parameter for name, parameter in model.named_parameters() if learns(name) and name not in UNUSED
    }
    for parameter in parameters.values():
        parameter.requires_grad_(True)
    return Trained(parameters)


def merge(trained: Trained) -> None:
    """Add low-rank additions to the weights that they belong to, and leave the plain model."""
    if trained.adapters is not None:
        trained.adapters.merge_and_unload()


def _rule(model: Any, recipe: Recipe) -> Callable[[str], bool]:
    if recipe.n_blocks is not None:
        return _last_blocks(model, recipe.n_blocks)
    if recipe.train == "layernorm":
        norms = tuple(f"{name}." for name, module in model.named_modules() if isinstance(module, nn.LayerNorm))
        return lambda name: name.startswith(norms)
    prefixes = {
        "full": ("",),
        "image": IMAGE_TOWER,
        "text": TEXT_TOWER,
        "projection": (_projection(model),),
    }[recipe.train]
    return lambda name: name.startswith(prefixes)


def _last_blocks(model: Any, n_blocks: int) -> Callable[[str], bool]:
    n_there = len(model.vision_model.encoder.layers)
    if n_blocks > n_there:
        raise InputError(
            f"The image tower has {n_there} blocks; blocks:{n_blocks} asks for more.",
            remedy=f"Choose blocks:1 to blocks:{n_there}, or image for the whole tower.",
        )
    blocks = tuple(f"{_LAYERS}{index}." for index in range(n_there - n_blocks, n_there))
    return lambda name: name.startswith((*blocks, "vision_model.post_layernorm.", _projection(model)))


def _projection(model: Any) -> str:
    """The last map into the shared space: CLIP's projection, or SigLIP's pooling head."""
    return "visual_projection." if hasattr(model, "visual_projection") else "vision_model.head."


def _with_adapters(model: Any, recipe: Recipe) -> Trained:
    peft = require("peft", extra="finetune")
    config = peft.LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules=list(LORA_TARGETS),
        bias="none",
    )
    # The first matrix of each addition is random: drawn from the recipe's seed, the same in every process.
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks the model by a name that transformers will drop
        torch.manual_seed(recipe.seed)
        adapters = peft.get_peft_model(model, config)
    return Trained({name: one for name, one in model.named_parameters() if one.requires_grad}, adapters)


def changed_weights(trained: Trained) -> list[str]:
    """Names, in the plain model, of the weights that training changes."""
    if trained.adapters is None:
        return list(trained.parameters)
    return sorted({f"{name.partition('.lora_')[0]}.weight" for name in trained.parameters})
