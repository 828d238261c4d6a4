"""ONNX models from files, cut to what leads from pixels to vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import inliner, numpy_helper

from inkling.encoders.available_memory import require_memory
from inkling.errors import EncoderError
from inkling.wording import excerpt


def read_model(file: Path, external: Sequence[Path] = ()) -> onnx.ModelProto:
    """A model with all its weights.

    Parameters
    ----------
    file
        The model.
    external
        Files beside it that hold weights.

    Raises
    ------
    EncoderError
        If it can't be read, or its weights don't fit into memory.
    """
    try:
        require_memory(sum(path.stat().st_size for path in (file, *external)), purpose=f"The model {file}")
        model = onnx.load(str(file))
        return inliner.inline_local_functions(model) if model.functions else model
    except EncoderError:
        raise
    except Exception as error:  # of damaged files, by kinds of protobuf and onnx that are not public
        raise EncoderError(
            f"The ONNX model {file} can't be read: {excerpt(error)}.", remedy="Export or download it again."
        ) from error


def cut_to(
    model: onnx.ModelProto,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    given: Mapping[str, NDArray[Any]],
    where: str,
) -> onnx.ModelProto:
    """The part of a model on which outputs depend.

    Parameters
    ----------
    model
        Left as it is.
    inputs
        Those that stay inputs.
    outputs
        Those that stay outputs.
    given
        Values of other inputs, where outputs depend on them.
    where
        The file, for the message.

    Raises
    ------
    EncoderError
        If an output or input isn't there, or an output depends on another input.
    """
    graph = model.graph
    missing = {*inputs} - {each.name for each in graph.input} | {*outputs} - {each.name for each in graph.output}
    if missing:
        raise EncoderError(
            f"The model {where} has no inputs or outputs named {excerpt(', '.join(sorted(missing)))}.",
            remedy="Correct the names in encoder.json.",
        )
    nodes, read = _leading_to(graph, outputs)
    tensors = [tensor for tensor in graph.initializer if tensor.name in read]
    free = {each.name for each in graph.input} & read - {tensor.name for tensor in tensors} - {*inputs}
    if unknown := free - given.keys():
        raise EncoderError(
            f"The image vectors of the model {where} depend on its inputs {excerpt(', '.join(sorted(unknown)))} too.",
            remedy="Export the encoder's image tower as a model of its own.",
        )
    tensors += [numpy_helper.from_array(value, name) for name, value in given.items() if name in free]
    cut = onnx.ModelProto()
    cut.CopyFrom(_without_graph(model))
    by_name = {each.name: each for each in (*graph.input, *graph.output)}
    cut.graph.CopyFrom(
        onnx.helper.make_graph(
            nodes,
            graph.name or "tower",
            [by_name[name] for name in inputs],
            [by_name[name] for name in outputs],
            tensors,
        )
    )
    return cut


def _without_graph(model: onnx.ModelProto) -> onnx.ModelProto:
    return onnx.helper.make_model(
        onnx.GraphProto(),
        opset_imports=model.opset_import,
        ir_version=model.ir_version,
        producer_name=model.producer_name,
    )


def _leading_to(graph: onnx.GraphProto, outputs: Sequence[str]) -> tuple[list[onnx.NodeProto], set[str]]:
    """Nodes on which outputs depend, in their order, and the names of all that these read."""
    read = {*outputs}
    kept: list[onnx.NodeProto] = []
    for node in reversed(graph.node):  # in the order of a graph, what is read was made before
        if read.isdisjoint(node.output):
            continue
        kept.append(node)
        read.update(_read_by(node))
    return kept[::-1], read


def _read_by(node: onnx.NodeProto) -> Iterator[str]:
    """Names that a node reads, and the graphs within it."""
    yield from node.input
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            for within in inner.node:
                yield from _read_by(within)
            yield from (each.name for each in inner.output)


def fixed_rows(model: onnx.ModelProto, name: str) -> int | None:
    """Rows of an input where the model reads neither more nor fewer; else None."""
    value = next(each for each in model.graph.input if each.name == name)
    axes = value.type.tensor_type.shape.dim
    return (axes[0].dim_value or None) if axes else None
