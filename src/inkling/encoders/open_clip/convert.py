"""Weights of OpenCLIP to a model of `transformers`, in memory. Imports both libraries' tensors, so it is imported when
weights are needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPConfig, CLIPModel

from inkling.encoders.open_clip.names import Renamed, renamed


def clip_model(config: Mapping[str, Any], files: Sequence[Path], **options: Any) -> Any:
    """A `CLIPModel` with the weights of OpenCLIP's files; `options` are those of its ``from_pretrained``."""
    described = CLIPConfig(**{key: value for key, value in config.items() if key != "model_type"})
    return CLIPModel.from_pretrained(None, config=described, state_dict=_state(files), **options)


def _state(files: Sequence[Path]) -> dict[str, Tensor]:
    return {
        new.name: _changed(tensor, new)
        for file in files
        for name, tensor in _tensors(file).items()
        for new in renamed(name)
    }


def _tensors(file: Path) -> Mapping[str, Tensor]:
    if file.suffix == ".safetensors":
        return dict(load_file(file))
    return dict(torch.load(file, map_location="cpu", weights_only=True, mmap=True))


def _changed(tensor: Tensor, new: Renamed) -> Tensor:
    if new.turned:
        return tensor.t().contiguous()
    if new.third is not None:
        return tensor.chunk(3)[new.third].contiguous()
    return tensor.reshape(()) if new.name == "logit_scale" else tensor
