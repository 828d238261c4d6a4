"""An ONNX model that is loaded when it first runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.devices import CUDA, CUDA_PROVIDER, require_onnx_device
from inkling.encoders.per_process import PerProcess
from inkling.errors import EncoderError, InputError
from inkling.wording import excerpt

CPU_PROVIDER = "CPUExecutionProvider"

_NUMPY_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}
"""By onnxruntime's names. Exports of one model differ in whether token numbers have 32 or 64 bits."""


@dataclass
class _Own:
    """The session of this process: its threads don't outlive a fork."""

    loading: threading.Lock = field(default_factory=threading.Lock)
    session: Any = None


class Session:
    """A model file and the onnxruntime session made from it. It survives a fork and a pickle.

    Parameters
    ----------
    file
        ONNX model.
    device
        ``auto``, ``cpu`` or ``cuda``.

    Raises
    ------
    InputError
        If onnxruntime cannot use the device.
    """

    def __init__(self, file: Path, *, device: str) -> None:
        require_onnx_device(device)
        self._file = file
        self._provider = CUDA_PROVIDER if device == CUDA else CPU_PROVIDER
        self._own = PerProcess(_Own)

    @property
    def inputs(self) -> Mapping[str, tuple[int | str | None, ...]]:
        """Names of the inputs and their shapes; sizes that vary are names or None. Loads the model."""
        return {each.name: tuple(each.shape) for each in self._opened().get_inputs()}

    def run(self, outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Outputs by name for inputs by name, which are given the number types that the model reads.

        A model of a fixed batch size runs as often as that takes, the last time with its last row repeated.

        Raises
        ------
        EncoderError
            If the model can't be loaded, lacks one of the names, or refuses the inputs.
        """
        session = self._opened()
        there = session.get_inputs()
        _check_names(self._file, "inputs", inputs, [each.name for each in there])
        _check_names(self._file, "outputs", outputs, [each.name for each in session.get_outputs()])
        given = {
            each.name: inputs[each.name].astype(_NUMPY_TYPES.get(each.type, inputs[each.name].dtype), copy=False)
            for each in there
            if each.name in inputs
        }
        fixed = next((each.shape[0] for each in there if each.name in given and each.shape), None)
        try:
            if isinstance(fixed, int):
                return _in_batches(session, list(outputs), given, fixed)
            return list(session.run(list(outputs), given))
        except Exception as error:  # onnxruntime's own kinds, which share no public base
            shapes = {name: array.shape for name, array in inputs.items()}
            raise EncoderError(
                f"The model {self._file} refuses inputs of shapes {shapes}: {excerpt(error)}.",
                remedy="The size that pictures are prepared to, and the length of texts, must be those of its inputs.",
            ) from error

    def _opened(self) -> Any:
        own = self._own.value
        with own.loading:
            if own.session is None:
                own.session = self._open()
            return own.session

    def _open(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # Threads that spin while they wait would take the cores from the threads that decode.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        if (threads := os.environ.get("OMP_NUM_THREADS", "")).isdecimal():  # onnxruntime itself has no such variable
            options.intra_op_num_threads = int(threads)
        try:
            session = onnxruntime.InferenceSession(str(self._file), options, providers=[self._provider])
        except Exception as error:  # as above
            raise EncoderError(
                f"The ONNX model {self._file} can't be loaded: {excerpt(error)}.", remedy="Export or download it again."
            ) from error
        # Where the driver or a library is missing, onnxruntime goes on with the processor and says nothing.
        if self._provider not in session.get_providers():
            raise InputError(
                "onnxruntime cannot use the device 'cuda' on this machine: its driver, CUDA or cuDNN is missing.",
                remedy="Use the device auto or cpu, or install the versions that onnxruntime-gpu asks for.",
            )
        return session


def _in_batches(session: Any, outputs: list[str], inputs: Mapping[str, NDArray[Any]], size: int) -> list[NDArray[Any]]:
    """Run a model that reads `size` rows at once. Inputs of fewer rows than the others are the same for all of them."""
    rows = max(len(array) for array in inputs.values())
    places = np.minimum(np.arange(-(-rows // size) * size), rows - 1).reshape(-1, size)
    parts = [
        session.run(outputs, {name: array[at] if len(array) == rows else array for name, array in inputs.items()})
        for at in places
    ]
    return [np.concatenate(arrays)[:rows] for arrays in zip(*parts, strict=True)]


def _check_names(file: Path, what: str, wanted: Sequence[str] | Mapping[str, Any], there: list[str]) -> None:
    unknown = [name for name in wanted if name not in there]
    if unknown:
        raise EncoderError(
            f"The model {file} has no {what} named {', '.join(unknown)}; it has {', '.join(there)}.",
            remedy="Correct the names in encoder.json, or complete the inputs when the model is exported.",
        )
