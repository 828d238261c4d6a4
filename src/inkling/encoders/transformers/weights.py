"""What can be learnt from weight files without loading them: shapes, single numbers, a hash."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from inkling.errors import EncoderError, require
from inkling.wording import excerpt

SAFETENSORS = "model.safetensors"


@dataclass(frozen=True)
class Form:
    """A form in which weights are kept.

    Attributes
    ----------
    name
        The weights themselves, or the index of their parts.
    shards
        Pattern of the parts; None where the weights are one file.
    """

    name: str
    shards: str | None = None


FORMS = (
    Form(SAFETENSORS),
    Form("model.safetensors.index.json", "model-*.safetensors"),
    Form("pytorch_model.bin"),
    Form("pytorch_model.bin.index.json", "pytorch_model-*.bin"),
)
"""In the order in which `transformers` looks for them."""

LAYER = re.compile(r"\.(?:layers?|blocks|resblocks)\.(\d+)\.")
"""Where the name of a weight tells the number of its layer."""

_TORCH = ".bin"
_WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".h5", ".msgpack", ".gguf", ".onnx")

_UNREADABLE = (OSError, struct.error, ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What foreign JSON and its values raise when they are taken for what they should be."""

_MAX_HEADER_BYTES = 100_000_000
"""The limit that the safetensors format sets for its header."""


@dataclass(frozen=True)
class Entry:
    """One tensor of a weight file: shape and, for a safetensors file, where its bytes lie."""

    file: Path
    shape: tuple[int, ...]
    dtype: str
    start: int
    stop: int


@dataclass(frozen=True)
class WeightFiles:
    """The weight files of a model folder: one or several safetensors files, or PyTorch's older format."""

    files: tuple[Path, ...]

    @classmethod
    def of(cls, folder: Path) -> WeightFiles:
        """Find the weights of a model folder, as `transformers` would.

        Raises
        ------
        EncoderError
            If there are none.
        """
        for form in FORMS:
            if (folder / form.name).is_file():
                return cls(_shards(folder / form.name) if form.shards else (folder / form.name,))
        others = sorted(file.name for file in folder.glob("*") if file.suffix in _WEIGHT_SUFFIXES)
        raise EncoderError(
            f"The folder {folder} has no weights: expected one of {', '.join(form.name for form in FORMS)}"
            + (f"; it has {excerpt(', '.join(others))}." if others else "."),
            remedy="Download the whole model, or save it there with save_pretrained().",
        )

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a tensor.

        Raises
        ------
        EncoderError
            If the files don't hold it.
        """
        return self.entry(name).shape

    def number(self, name: str) -> float:
        """Value of a tensor of one element."""
        entry = self.entry(name)
        if entry.file.suffix == _TORCH:
            return float(_torch_tensors(entry.file)[name].item())
        try:
            with entry.file.open("rb") as file:
                file.seek(entry.start)
                return _number(file.read(min(8, entry.stop - entry.start)), entry.dtype)
        except _UNREADABLE as error:
            raise EncoderError(
                f"The weight file {entry.file} is damaged: {name} is no number.", remedy="Download it again."
            ) from error

    @property
    def names(self) -> Collection[str]:
        """Names of all tensors."""
        return self._entries.keys()

    @property
    def n_elements(self) -> int:
        """Numbers in all tensors together."""
        return sum(math.prod(entry.shape) for entry in self._entries.values())

    def has(self, name: str) -> bool:
        """Whether the files hold a tensor."""
        return name in self._entries

    def first(self, names: Sequence[str]) -> str:
        """The first of some names under which the files hold a tensor; the first of all where they hold none."""
        return next((name for name in names if self.has(name)), names[0])

    def entry(self, name: str) -> Entry:
        """Where a tensor lies.

        Raises
        ------
        EncoderError
            If the files don't hold it.
        """
        try:
            return self._entries[name]
        except KeyError:
            raise EncoderError(
                f"The weights in {self.files[0].parent} lack {name}: they aren't those of the model that config.json "
                "describes.",
                remedy="Use the config.json that belongs to them, or download the whole model.",
            ) from None

    @cached_property
    def _entries(self) -> Mapping[str, Entry]:
        return {name: entry for file in self.files for name, entry in _read_entries(file).items()}


def _shards(index: Path) -> tuple[Path, ...]:
    folder = index.parent
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        files = tuple(folder / name for name in names)
        missing = [file.name for file in files if not file.is_file()]
    except _UNREADABLE as error:
        raise EncoderError(f"The file {index} can't be read: {excerpt(error)}.", remedy="Download it again.") from error
    if missing:
        raise EncoderError(
            f"The folder {folder} lacks {len(missing)} of its {len(files)} weight files: "
            f"{excerpt(', '.join(missing))}.",
            remedy="Download the whole model.",
        )
    return files


def _read_entries(file: Path) -> dict[str, Entry]:
    if file.suffix == _TORCH:
        return {name: Entry(file, tuple(tensor.shape), "", 0, 0) for name, tensor in _torch_tensors(file).items()}
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _MAX_HEADER_BYTES:
                raise ValueError("its header is too long")
            header = json.loads(stream.read(length))
        first = 8 + length
        entries = {
            name: Entry(
                file, tuple(map(_whole, e["shape"])), e["dtype"], *(first + _whole(at) for at in e["data_offsets"])
            )
            for name, e in header.items()
            if name != "__metadata__"
        }
        size, expected = file.stat().st_size, max((entry.stop for entry in entries.values()), default=0)
        if size < expected:
            raise ValueError(f"it has {size:,} of {expected:,} bytes")
        return entries
    except _UNREADABLE as error:
        raise EncoderError(
            f"The weight file {file} is damaged: {excerpt(error)}.", remedy="Download it again."
        ) from error


def _whole(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**60:
        raise ValueError("it has a size or a place that is no whole number")
    return number


def _torch_tensors(file: Path) -> Mapping[str, Any]:
    torch = require("torch", extra="torch", purpose=f"The weight file {file}")
    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        return {str(name): tensor for name, tensor in tensors.items() if hasattr(tensor, "shape")}
    except Exception as error:  # of zip files, pickles and torch, by kinds that change with releases
        raise EncoderError(
            f"The weight file {file} can't be read as tensors alone: {excerpt(error)}.",
            remedy="Download it again, or take the model's safetensors; code in weight files is never executed.",
        ) from error


def _number(data: bytes, dtype: str) -> float:
    if dtype == "BF16":  # the upper half of a float32
        return float(np.frombuffer(b"\x00\x00" + data, dtype="<f4")[0])
    numpy_names = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
    return float(np.frombuffer(data, dtype=numpy_names[dtype])[0])
