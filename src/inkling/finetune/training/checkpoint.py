"""The state of a training on disk: one file that is whole at any moment.

Tensors and the JSON of everything else stand in one safetensors file, which takes its place by a single rename: a kill
at any moment leaves the file before or the file after. Imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from inkling.errors import InputError
from inkling.outputs import draft_beside, flush_to_disk
from inkling.wording import excerpt

LAST, BEST = "last.safetensors", "best.safetensors"
_STATE = "state"
_WEIGHTS, _OPTIMIZER = "weights/", "optimizer/"


def write_checkpoint(
    path: Path,
    weights: Mapping[str, Tensor],
    state: Mapping[str, Any],
    *,
    optimizer: Optimizer | None = None,
    names: Iterable[str] = (),
) -> None:
    """Put a checkpoint in place of the one before.

    Parameters
    ----------
    weights
        By name.
    state
        What JSON can hold.
    optimizer, names
        Its moments are kept too, under the names of its parameters, in their order.

    Raises
    ------
    InputError
        If the disk is full, or the folder can't be written; the checkpoint before stays as it was.
    """
    tensors = {f"{_WEIGHTS}{name}": value.detach().cpu().contiguous() for name, value in weights.items()}
    if optimizer is not None:
        tensors |= _moments(optimizer, names)
    try:
        with draft_beside(path) as draft:
            save_file(tensors, draft, metadata={_STATE: json.dumps(state)})
            flush_to_disk(draft)
            draft.replace(path)
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"The checkpoint {path} can't be written: {excerpt(error)}.",
            remedy="Make room, or correct the folder, and resume the training (--resume, in Python "
            "resume=True): all but the last minutes are kept.",
        ) from error


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Weights by name, and the state.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    tensors, state = _read(path)
    weights = {name.removeprefix(_WEIGHTS): one for name, one in tensors.items() if name.startswith(_WEIGHTS)}
    return weights, state


def restore_optimizer(path: Path, optimizer: Optimizer, names: Iterable[str]) -> None:
    """Give an optimizer the moments of a checkpoint."""
    tensors, _ = _read(path)
    for name, parameter in zip(names, _parameters(optimizer), strict=True):
        prefix = f"{_OPTIMIZER}{name}/"
        moments = {key.removeprefix(prefix): one for key, one in tensors.items() if key.startswith(prefix)}
        if moments:
            optimizer.state[parameter] = {key: one.to(parameter.device) for key, one in moments.items()}


def _moments(optimizer: Optimizer, names: Iterable[str]) -> dict[str, Tensor]:
    return {
        f"{_OPTIMIZER}{name}/{key}": value.detach().cpu().contiguous()
        for name, parameter in zip(names, _parameters(optimizer), strict=True)
        for key, value in optimizer.state[parameter].items()
    }


def _parameters(optimizer: Optimizer) -> list[Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
            return tensors, json.loads(file.metadata()[_STATE])
    except (OSError, SafetensorError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"The checkpoint {path} can't be read: {excerpt(error)}.",
            remedy="Start the training anew in another folder.",
        ) from error
