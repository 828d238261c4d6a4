"""A part of an exported model, for tools that are to run that part alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import onnx

from inkling.errors import InputError


def part_of(model: onnx.ModelProto, inputs: Sequence[str], outputs: Sequence[str]) -> onnx.ModelProto:
    """What leads from some values of a model to others.

    Parameters
    ----------
    model
        As ``model.onnx`` of an export holds it.
    inputs, outputs
        Inputs and outputs of the model, ``prepared`` or ``vectors``.

    Raises
    ------
    InputError
        If the model has no such value, or the outputs take more than these inputs.

    Examples
    --------
    >>> import onnx
    >>> exported = export("vehicles.ink", "in-parts")
    >>> tower = part_of(onnx.load("in-parts/model.onnx"), ["prepared"], ["vectors"])
    >>> [value.name for value in tower.graph.input]
    ['prepared']
    """
    whole = model.graph
    described = {value.name: value for value in (*whole.input, *whole.output, *whole.value_info)}
    unknown = [name for name in (*inputs, *outputs) if name not in described]
    if unknown:
        raise InputError(f"The model has no value '{unknown[0]}'.", remedy=f"Choose among {', '.join(described)}.")
    needed, nodes = set(outputs), []
    for node in reversed(whole.node):
        if needed.intersection(node.output).difference(inputs):
            nodes.append(node)
            needed.update(_read_by(node))
    tensors = [tensor for tensor in whole.initializer if tensor.name in needed and tensor.name not in inputs]
    lacking = needed.intersection(value.name for value in whole.input).difference(inputs, (one.name for one in tensors))
    if lacking:
        raise InputError(f"What is asked for takes '{min(lacking)}' too.", remedy="Name it among the inputs.")
    # An input that may be left out stays one.
    optional = [value for value in whole.input if value.name in {one.name for one in tensors}]
    ends = [*(described[name] for name in inputs), *optional], [described[name] for name in outputs]
    graph = onnx.helper.make_graph(nodes[::-1], "part", *ends, tensors)
    return onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def _read_by(node: onnx.NodeProto) -> Iterator[str]:
    """Names that a node reads, in the graphs within it too."""
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node if attribute.HasField("g") else ():
            yield from _read_by(inner)
