"""Processes that share each batch and reach the same gradients as one process would. Imports torch.

Every process runs the towers on its part of the images and of the texts. The vectors, which are small, are gathered,
and every process takes the same loss of the whole batch; its gradients reach the part that it computed itself. Their
sum over the processes is the gradient of the whole batch. What all hold alike, such as the logit scale, would be
counted once per process, so it takes its share only.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from inkling.errors import InputError, require
from inkling.finetune.training.sampling import shard
from inkling.types import IntArray


class Team:
    """The processes of a training.

    Parameters
    ----------
    accelerator
        Of `accelerate`: tells device and processes.
    rounds
        Whether products are taken in bfloat16.
    fsdp
        Whether weights, gradients and moments are split over the processes (`inkling.finetune.training.sharding`).

    Raises
    ------
    InputError
        If there is one process only to split them over.
    """

    def __init__(self, accelerator: Any, *, rounds: bool, fsdp: bool = False) -> None:
        self.accelerator = accelerator
        self.rounds = rounds
        self.is_fsdp = fsdp
        self.size = int(accelerator.num_processes)
        self.rank = int(accelerator.process_index)
        self.is_main = bool(accelerator.is_main_process)
        self.device: torch.device = accelerator.device
        if fsdp and self.size == 1:
            raise InputError(
                "FSDP splits a model over several processes, and this training has one.",
                remedy="Start two processes or more with torchrun, accelerate launch or --engine ray, or leave --fsdp "
                "(in Python fsdp=True) out.",
            )

    @classmethod
    def form(cls, *, precision: str, cpu: bool, fsdp: bool = False) -> Team:
        """Ask `accelerate` for device and processes.

        Warns
        -----
        UserWarning
            If `torchrun` may start them again, and some may then look for others where those were before.

        Raises
        ------
        MissingExtraError
            If it is not installed.
        InputError
            If there is one process only to split the model over.
        """
        _warn_of_kept_addresses()
        # Unless it hears that there are processors alone, accelerate takes each of several processes for the only one.
        on_cpu = cpu or not torch.accelerator.is_available()
        accelerator = require("accelerate", extra="finetune").Accelerator(cpu=on_cpu)
        by_itself = accelerator.device.type == "cuda" or accelerator.mixed_precision == "bf16"
        rounds = precision == "bfloat16" or (precision == "auto" and by_itself)
        return cls(accelerator, rounds=rounds, fsdp=fsdp)

    @cached_property
    def mesh(self) -> Any:
        """All processes, as torch names those that a model is split over."""
        from torch.distributed import group
        from torch.distributed.device_mesh import DeviceMesh

        return DeviceMesh.from_group(cast(Any, group.WORLD), self.device.type)

    def autocast(self) -> torch.autocast:
        """Products in bfloat16 where the precision says so."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.rounds)

    def own(self, rows: IntArray) -> IntArray:
        """This process's part of a batch."""
        return shard(rows, self.rank, self.size)

    def gathered(self, own: Tensor, n_rows: int) -> Tensor:
        """Rows (n_rows, d) of all processes in order; gradients reach this process's own."""
        if self.size == 1:
            return own
        sizes = [len(part) for part in np.array_split(np.arange(n_rows), self.size)]
        padded = torch.zeros(max(sizes), own.shape[1], device=own.device)
        padded[: len(own)] = own.detach()
        parts: list[Tensor] = list(self.accelerator.gather(padded).split(max(sizes)))
        parts = [part[:size] for part, size in zip(parts, sizes, strict=True)]
        parts[self.rank] = own
        return torch.cat(parts)

    def common(self, value: Tensor) -> Tensor:
        """A value that all processes hold alike: each takes its share of the gradient."""
        shared = value.view_as(value)
        if self.size > 1 and shared.requires_grad:
            cast(Any, shared).register_hook(lambda gradient: gradient / self.size)
        return shared

    def sum_gradients(self, parameters: Iterable[Parameter]) -> None:
        """Add up the gradients of all processes; those of split parameters are summed as they come."""
        learning = [one for one in parameters if not is_split(one)]
        if self.size == 1 or not learning:
            return
        gradients = [torch.zeros_like(one) if one.grad is None else one.grad for one in learning]
        total: Tensor = self.accelerator.reduce(torch.cat([one.flatten() for one in gradients]), reduction="sum")
        pieces = torch.split(total, [one.numel() for one in gradients])
        for parameter, piece in zip(learning, pieces, strict=True):
            parameter.grad = piece.view_as(parameter).clone()

    def agreed(self, value: bool) -> bool:
        """What the main process says, where all must do the same."""
        if not self.is_fsdp:
            return value
        told = torch.tensor(int(value and self.is_main), device=self.device)
        return bool(self.accelerator.reduce(told, reduction="sum"))

    def wait(self) -> None:
        """Until all processes are here."""
        self.accelerator.wait_for_everyone()


def is_split(tensor: Tensor) -> bool:
    """Whether a process holds a part of it only."""
    return hasattr(tensor, "full_tensor")  # a DTensor, known without importing its module, which takes a second


def _warn_of_kept_addresses() -> None:
    """torchrun's own store outlives a restart, addresses of processes that ended included (pytorch issue 135712)."""
    kept = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    if kept and os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0") != "0":
        warnings.warn(
            "Processes that torchrun starts again may not find each other: it keeps the addresses from before. "
            "Set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 and give it --rdzv-backend c10d.",
            stacklevel=3,
        )
