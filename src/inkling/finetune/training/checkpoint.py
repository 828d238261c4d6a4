"""The state of a training on disk: one file that is whole at any moment.

Tensors and the JSON of everything else stand in one safetensors file, which takes its place by a single rename: a kill
at any moment leaves the file before or the file after. Imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from inkling.errors import InputError
from inkling.finetune.training.sharding import split_like
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
    moments: Mapping[str, Tensor] | None = None,
) -> None:
    """Put a checkpoint in place of the one before.

    Parameters
    ----------
    weights
        By name.
    state
        What JSON can hold.
    moments
        What `moments_of` gives.

    Raises
    ------
    InputError
        If the disk is full, or the folder can't be written; the checkpoint before stays as it was.
    """
    named = {
        **{f"{_WEIGHTS}{name}": one for name, one in weights.items()},
        **{f"{_OPTIMIZER}{name}": one for name, one in (moments or {}).items()},
    }
    tensors = {name: one.detach().cpu().contiguous() for name, one in named.items()}
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


def moments_of(optimizer: Optimizer, learning: Mapping[str, Parameter]) -> dict[str, Tensor]:
    """The moments of an optimizer and its counts of steps, under the names of its parameters."""
    return {
        f"{name}/{key}": value
        for name, parameter in learning.items()
        for key, value in optimizer.state[parameter].items()
    }


def restore_optimizer(path: Path, optimizer: Optimizer, learning: Mapping[str, Parameter]) -> None:
    """Give an optimizer the moments of a checkpoint."""
    tensors, _ = _read(path)
    for name, parameter in learning.items():
        prefix = f"{_OPTIMIZER}{name}/"
        moments = {key.removeprefix(prefix): one for key, one in tensors.items() if key.startswith(prefix)}
        if moments:
            optimizer.state[parameter] = {
                key: split_like(one, parameter) if one.shape == parameter.shape else one.to(parameter.device)
                for key, one in moments.items()
            }


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
