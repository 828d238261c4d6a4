"""Devices that an encoder may run on, and whether they are there. One that is named is never passed over."""

from __future__ import annotations

from collections.abc import Sequence

from inkling.errors import InputError, require
from inkling.wording import quoted

AUTO, CPU, CUDA, MPS = "auto", "cpu", "cuda", "mps"
DEVICES = (AUTO, CPU, CUDA, MPS)
CUDA_PROVIDER = "CUDAExecutionProvider"
"""What onnxruntime calls a GPU of NVIDIA."""


def check_device(device: str, *, choices: Sequence[str] = DEVICES) -> None:
    """Refuse a name that is no choice. Whether the device is there is another question.

    Raises
    ------
    InputError
        Says which names there are.
    """
    if device not in choices:
        raise InputError(
            f"The device must be {_either(choices)}, got {quoted(device)}.",
            remedy="auto takes a GPU where one can be used; CUDA_VISIBLE_DEVICES chooses among several.",
        )


def require_torch_device(device: str) -> None:
    """Make sure that torch can use a device. For ``auto`` and ``cpu`` torch is not imported.

    Raises
    ------
    InputError
        If there is no device of that name, or this machine or this installation of torch lacks it.
    MissingExtraError
        If the device needs torch, which is not installed.
    """
    check_device(device)
    if device in (AUTO, CPU):
        return
    require("torch", extra="torch", purpose=f"The device '{device}'")
    import torch

    there = torch.cuda.is_available() if device == CUDA else torch.backends.mps.is_available()
    if not there:
        raise InputError(
            f"The device '{device}' is not available to torch on this machine.",
            remedy="Use the device auto or cpu, or install the build of torch for your GPU and its driver.",
        )


def require_onnx_device(device: str) -> None:
    """Make sure that onnxruntime has what a device needs. Whether that works shows when a model is loaded.

    Raises
    ------
    InputError
        If there is no device of that name, or onnxruntime cannot use it.
    """
    check_device(device)
    if device == MPS:
        raise InputError("ONNX models run on cpu or cuda, not on mps.", remedy="Use the device auto or cpu.")
    if device != CUDA:
        return
    import onnxruntime

    if CUDA_PROVIDER not in onnxruntime.get_available_providers():
        raise InputError(
            "The device 'cuda' is not available to this installation of onnxruntime.",
            remedy="Use the device auto or cpu, or install onnxruntime-gpu in place of onnxruntime.",
        )


def _either(choices: Sequence[str]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"
