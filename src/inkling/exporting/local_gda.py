"""The closer look of local GDA as a graph: the systems of an image's likeliest classes, solved where it runs.

ONNX has no operator that solves a system. Those here are symmetric and positive definite, with eigenvalues from the
prior's on, so conjugate gradients (Hestenes and Stiefel 1952) reach the last digits of a double in few steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from inkling.exporting.graph import Axes, Graph
from inkling.exporting.traced import Traced, Value, taken
from inkling.heads.local_gda import LocalGDAHead, where_in_doubt
from inkling.heads.neighbourhood import Correction, Neighbourhood
from inkling.heads.scatter import Projection

SQUARED_TOLERANCE = 1e-26
"""Of what is left over, in units of the right side: its length is then 1e-13 of it."""
MOST_STEPS = 2000


@where_in_doubt.register(Traced)
def _(z: Value, in_doubt: Value, rows: Projection, products: Value, head: LocalGDAHead) -> Value:
    """Scores of all rows found anew, if one of them is in doubt: mostly there is one row alone."""
    graph, shape = z.graph, z.shape
    any_in_doubt = in_doubt.astype(np.int32).max(axis=0)
    branches = {}
    for name, looks_closer in (("then_branch", True), ("else_branch", False)):
        branch = Graph(graph)
        inner = [one.on(branch) for one in (z, in_doubt, products)]
        found = _closer(*inner, rows=_on(branch, rows), head=head) if looks_closer else inner[0]
        out = branch.name(found.name, graph.new_name(name))
        branches[name] = branch.body(name, inputs={}, outputs={out: (z.dtype, ["n", shape[1]])})
    return z.made("If", any_in_doubt.astype(bool), dtype=z.dtype, shape=shape, **branches)


def _on(graph: Graph, rows: Projection) -> Projection:
    parts: list[Value] = [rows.centred, rows.along]
    return Projection(*(one.on(graph) for one in parts))


def _closer(z: Value, in_doubt: Value, products: Value, *, rows: Projection, head: LocalGDAHead) -> Value:
    n_candidates = min(head.n_candidates, z.shape[1] or 1)
    shape = (None, n_candidates)
    _, likeliest = z.all_made(
        "TopK", z, np.array([n_candidates]), like=((z.dtype, shape), (np.int64, shape)), axis=1, sorted=1
    )
    found = _explained(head.neighbourhood, head.along(rows), likeliest)
    closer = head.closer(found, likeliest, products, z).astype(z.dtype)
    changed = z.made("ScatterElements", z, likeliest, closer, dtype=z.dtype, shape=z.shape, axis=1)
    return np.where(in_doubt[:, None], changed, z)


def _explained(near: Neighbourhood, along: Value, likeliest: Value) -> Correction:
    """What `Neighbourhood.look` finds, every row with a system of its own."""
    classes = np.arange(len(near.means))[:, None]
    index = near.padded(classes)
    n_rows = likeliest.shape[1] * index.shape[1]
    R = taken(near.residuals, taken(index, likeliest).reshape(0, n_rows))
    products = R @ R.transpose(0, 2, 1)
    system = products.astype(np.float64) + near.prior_images * np.eye(n_rows)
    means = R @ taken(near.means, likeliest).transpose(0, 2, 1)
    solved = solved_by(system, means.astype(np.float64))
    # Not as a product with R transposed: onnxruntime to 1.25 fuses the two to an operator that it lacks in float64.
    read = ((R @ along[:, :, None]) * solved).sum(axis=1)
    degrees = taken(near.degrees, likeliest).sum(axis=1, keepdims=True)
    return Correction(read, (means * solved).sum(axis=1), 1.0 + degrees / near.prior_images)


def solved_by(A: Traced, B: Traced) -> Traced:
    """X of A X = B, for symmetric positive definite A (n, m, m) and B (n, m, k), in double precision.

    Each column has steps of its own; all go on until the last of them is there.
    """
    squares = (B * B).sum(axis=1, keepdims=True)
    carried = {"x": B - B, "left": B, "direction": B, "squared": squares}
    loop = _steps(A, carried, enough=squares * SQUARED_TOLERANCE)
    like = [(np.float64, one.shape) for one in carried.values()]
    return B.all_made("Loop", np.array(MOST_STEPS), np.array(True), *carried.values(), like=like, body=loop)[0]


def _steps(A: Traced, carried: Mapping[str, Traced], *, enough: Traced) -> onnx.GraphProto:
    """Body of the loop that goes on until every squared length of what is left is below `enough`."""
    graph, body = A.graph, Graph(A.graph)
    before = {key: graph.new_name(key) for key in carried}
    A, enough = A.on(body), enough.on(body)
    after = _step(A, **{key: Traced(body, before[key], np.float64, one.shape) for key, one in carried.items()})
    unfinished = (after["squared"] > enough).astype(np.int32)
    goes_on = body.node("Cast", body.node("ReduceMax", unfinished.name, keepdims=0), to=TensorProto.BOOL)
    made = {key: body.name(one.name, graph.new_name(key)) for key, one in after.items()}
    kinds = {key: (np.float64, list(one.shape)) for key, one in carried.items()}
    counts: dict[str, tuple[Any, Axes]] = {
        graph.new_name("step"): (np.int64, []),
        graph.new_name("goes_on"): (np.bool_, []),
    }
    return body.body(
        "conjugate_gradients",
        inputs=counts | {before[key]: kind for key, kind in kinds.items()},
        outputs={goes_on: (np.bool_, [])} | {made[key]: kind for key, kind in kinds.items()},
    )


def _step(A: Value, x: Value, left: Value, direction: Value, squared: Value) -> dict[str, Traced]:
    moved = A @ direction
    size = _ratio(squared, (direction * moved).sum(axis=1, keepdims=True))
    left = left - size * moved
    now = (left * left).sum(axis=1, keepdims=True)
    return {
        "x": x + size * direction,
        "left": left,
        "direction": left + _ratio(now, squared) * direction,
        "squared": now,
    }


def _ratio(a: Value, b: Value) -> Value:
    """a / b, and 0 where there is nothing left to divide by."""
    found: Value = np.where(b > 0, a / np.where(b > 0, b, 1.0), 0.0)
    return found
