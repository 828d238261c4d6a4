"""Towers whose weights, gradients and moments are split over the processes (FSDP, as ZeRO-3 of Rajbhandari et al. 2020,
1910.02054).

Each process keeps a part of every weight along its first axis. A block is gathered right before it is needed, forwards
and backwards, and let go right after. Gradients are summed over the processes, and each keeps its part of the sum, so
the optimizer sees parts alone. Gathering needs all processes at the same place: whatever runs a tower is run by all of
them, equally often.

What is small stays whole in every process: the LayerNorms, the projections, the logit scale and a head. Imports torch.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.nn.utils import clip_grad_norm_, get_total_norm

from inkling.finetune.training.distributed import Team, is_split


def distribute(model: Any, team: Team) -> None:
    """Bring a two-tower model to a team's device, in place: whole, or this process's part of it.

    A tower is split block by block, so that the device never holds more than one block beyond its part.
    """
    if not team.is_fsdp:
        model.to(team.device)
        return
    gc.collect()  # modules and their hooks refer to each other, so an earlier model may still be on the device
    norms = {one for norm in model.modules() if isinstance(norm, nn.LayerNorm) for one in norm.parameters()}
    for tower in (model.vision_model, model.text_model):
        _shard(tower, norms, team)
    for parameter in model.parameters():
        if not is_split(parameter):
            parameter.data = parameter.data.to(team.device)


def _shard(tower: Any, norms: set[Parameter], team: Team) -> None:
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    rounded = MixedPrecisionPolicy(
        # autocast would keep a rounded copy of each weight until the backward pass. It still rounds what enters.
        param_dtype=torch.bfloat16 if team.rounds else None,
        reduce_dtype=torch.float32,
        cast_forward_inputs=False,
    )
    if hasattr(tower, "head"):
        # SigLIP pools to a view of its tokens, and hooks on a view are lost where it is changed in place.
        tower.head.register_forward_hook(lambda *call: call[-1].clone())
    exact, blocks = MixedPrecisionPolicy(cast_forward_inputs=False), list(tower.encoder.layers)
    for part in (*blocks, tower.embeddings, tower):
        precision = rounded if part in blocks else exact
        shard = fully_shard(part, mesh=team.mesh, reshard_after_forward=True, mp_policy=precision, ignored_params=norms)
        # The sum and not the mean: every process has the slope of the loss of the whole batch.
        shard.set_gradient_divide_factor(1.0)
        shard.set_force_sum_reduction_for_comms(True)


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor; of a split one all processes ask together."""
    return cast(Tensor, cast(Any, tensor).full_tensor()) if is_split(tensor) else tensor


def split_like(value: Tensor, parameter: Tensor) -> Tensor:
    """A whole tensor, on the device of a parameter and split as that is; nothing is sent."""
    if not is_split(parameter):
        return value.to(parameter.device)
    from torch.distributed.tensor import distribute_tensor

    like = cast(Any, parameter)
    return distribute_tensor(value.to(parameter.device), like.device_mesh, like.placements, src_data_rank=None)


def collected(tensors: Mapping[str, Tensor], team: Team) -> dict[str, Tensor]:
    """Whole tensors on the CPU, for the main process; the others take part, one tensor at a time, and get nothing."""
    found = {}
    for name, tensor in tensors.items():
        value = whole(tensor.detach())
        if team.is_main:
            found[name] = value.cpu().contiguous()
    return found


def clip_gradients(parameters: Iterable[Parameter], limit: float, team: Team) -> float:
    """Scale gradients to a norm of at most a limit; returns the norm that they had."""
    parameters = list(parameters)
    if not any(map(is_split, parameters)):
        return float(clip_grad_norm_(parameters, limit, foreach=True))
    gradients = [one.grad for one in parameters if one.grad is not None]
    parts = [cast(Any, one).to_local() for one in gradients if is_split(one)]
    others = [one for one in gradients if not is_split(one)]
    norms = [get_total_norm(some).to(team.device) for some in (parts, others)]
    of_parts: Tensor = team.accelerator.reduce(norms[0].square(), reduction="sum")
    norm = (of_parts + norms[1].square()).sqrt()
    factor = (limit / (norm + 1e-6)).clamp(max=1.0)
    for gradient in chain(parts, others):
        gradient.mul_(factor)
    return float(norm)
