"""Coarser arithmetics of the image towers in an exported model. Head, detector and embeddings stay in float.

float16
    Weights are kept in 16 bits and become float32 when the model is loaded, so that every runtime computes with them.
int8
    Static quantisation, see `inkling.exporting.quantisation`. Weights that stay in float are kept as under float16.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from inkling.encoders.precision import FLOAT16, FLOAT32, INT8
from inkling.errors import InputError
from inkling.exporting.image_side import TOWER_PREFIX
from inkling.exporting.quantisation import quantised
from inkling.wording import excerpt, quoted

PRECISIONS = (FLOAT32, FLOAT16, INT8)


def shrunk(model: onnx.ModelProto, precision: str, pictures: Mapping[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """An exported model whose image towers compute more coarsely.

    Parameters
    ----------
    model
        As `inkling.exporting.model.build_model` makes it; left as it is.
    precision
        One of `PRECISIONS`.
    pictures
        For int8: prepared pictures (n, \\*axes), by the names of the inputs that they are for;
        `inkling.exporting.quantisation.ENOUGH_PICTURES` of them are enough.

    Raises
    ------
    InputError
        If there is no such precision, no picture, or nothing in a tower that could be computed so.
    """
    if precision not in PRECISIONS:
        raise InputError(
            f"There is no precision {quoted(precision)} of exports.", remedy=f"Choose one of: {', '.join(PRECISIONS)}."
        )
    if precision == FLOAT16:
        return _with_half_weights(model)
    if precision == INT8:
        return _that_runs(_with_half_weights(quantised(model, pictures)))
    return model


def _with_half_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.CopyFrom(model)
    casts = []
    for tensor in made.graph.initializer:
        is_weight = tensor.name.startswith(TOWER_PREFIX) and tensor.data_type == onnx.TensorProto.FLOAT
        if not is_weight or len(tensor.dims) < 2:  # norms, biases and scales save nothing, and count for much
            continue
        with np.errstate(over="ignore"):
            halves = numpy_helper.to_array(tensor).astype(np.float16)
        if np.isfinite(halves).all():
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(halves, f"{name}/float16"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], name=name, to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *made.graph.node]
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    return made


def _that_runs(model: onnx.ModelProto) -> onnx.ModelProto:
    """Refuse what the runtime at hand can't load."""
    import onnxruntime

    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own kinds, which share no public base
        raise InputError(
            f"onnxruntime {onnxruntime.__version__} can't run the model in int8: {excerpt(error)}.",
            remedy="Export in float32 or float16, or with another release of onnxruntime.",
        ) from error
    return model
