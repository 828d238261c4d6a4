"""The closer look of local GDA as a graph: the systems of an image's likeliest classes, solved where it runs.

ONNX has no operator that solves a system. Those here are symmetric and positive definite, with eigenvalues from the
prior's on, so conjugate gradients (Hestenes and Stiefel 1952) reach the last digits of a double in few steps.
"""

from __future__ import annotations

import numpy as np

from inkling.exporting.graph import Graph
from inkling.exporting.traced import Shape, Traced, taken
from inkling.heads.local_gda import LocalGDAHead, where_in_doubt
from inkling.heads.neighbourhood import Correction, Neighbourhood
from inkling.heads.scatter import Projection

SQUARED_TOLERANCE = 1e-26
"""Of what is left over, in units of the right side: its length is then 1e-13 of it."""
MOST_STEPS = 2000


@where_in_doubt.register
def _(z: Traced, in_doubt: Traced, rows: Projection, products: Traced, head: LocalGDAHead) -> Traced:
    """Scores of all rows found anew, if one of them is in doubt: mostly there is one row alone."""
    graph, shape = z.graph, z.shape
    any_in_doubt = in_doubt.astype(np.int32).max(axis=0)
    branches = {}
    for name, looks_closer in (("then_branch", True), ("else_branch", False)):
        branch = Graph(graph)
        inner = [Traced(branch, one.name, one.dtype, one.shape) for one in (z, in_doubt, products)]
        found = _closer(*inner, _on(branch, rows), head) if looks_closer else inner[0]
        out = branch.name(found.name, graph.new_name(name))
        branches[name] = branch.body(name, inputs={}, outputs={out: (z.dtype, ["n", shape[1]])})
    return z.made("If", any_in_doubt.astype(bool), dtype=z.dtype, shape=shape, **branches)


def _on(graph: Graph, rows: Projection) -> Projection:
    return Projection(*(Traced(graph, one.name, one.dtype, one.shape) for one in (rows.centred, rows.along)))


def _closer(z: Traced, in_doubt: Traced, products: Traced, rows: Projection, head: LocalGDAHead) -> Traced:
    n_candidates = min(head.n_candidates, z.shape[1] or 1)
    shape = (None, n_candidates)
    _, likeliest = z.all_made(
        "TopK", z, np.array([n_candidates]), like=((z.dtype, shape), (np.int64, shape)), axis=1, sorted=1
    )
    found = _explained(head.neighbourhood, head.along(rows), likeliest)
    closer = head.closer(found, likeliest, products, z).astype(z.dtype)
    changed = z.made("ScatterElements", z, likeliest, closer, dtype=z.dtype, shape=z.shape, axis=1)
    return np.where(in_doubt[:, None], changed, z)


def _explained(near: Neighbourhood, along: Traced, likeliest: Traced) -> Correction:
    """What `Neighbourhood.look` finds, every row with a system of its own."""
    classes = np.arange(len(near.means))[:, None]
    index = near.padded(classes)
    n_rows = likeliest.shape[1] * index.shape[1]
    R = taken(near.residuals, taken(index, likeliest).reshape(0, n_rows))
    products = R @ R.transpose(0, 2, 1)
    system = products.astype(np.float64) + near.prior_images * np.eye(n_rows)
    means = R @ taken(near.means, likeliest).transpose(0, 2, 1)
    solved = solved_by(system, means.astype(np.float64))
    read = (along[:, None] @ R.transpose(0, 2, 1) @ solved)[:, 0]
    degrees = taken(near.degrees, likeliest).sum(axis=1, keepdims=True)
    return Correction(read, (means * solved).sum(axis=1), 1.0 + degrees / near.prior_images)


def solved_by(A: Traced, B: Traced) -> Traced:
    """X of A X = B, for symmetric positive definite A (n, m, m) and B (n, m, k), in double precision.

    Each column has steps of its own; all go on until the last of them is there.
    """
    graph, body = A.graph, Graph(A.graph)
    columns: Shape = (None, 1, B.shape[2])
    squares = (B * B).sum(axis=1, keepdims=True)
    carried = {"x": B - B, "left": B, "direction": B, "squared": squares}
    names = {key: graph.new_name(key) for key in carried}
    here = {key: Traced(body, names[key], np.float64, one.shape) for key, one in carried.items()}
    A, bound = (Traced(body, one.name, np.float64, one.shape) for one in (A, squares * SQUARED_TOLERANCE))
    moved = A @ here["direction"]
    step = _ratio(here["squared"], (here["direction"] * moved).sum(axis=1, keepdims=True))
    left = here["left"] - step * moved
    squared = (left * left).sum(axis=1, keepdims=True)
    after = {
        "x": here["x"] + step * here["direction"],
        "left": left,
        "direction": left + _ratio(squared, here["squared"]) * here["direction"],
        "squared": squared,
    }
    flag, outputs = _goes_on(body, squared > bound), {key: body.name(one.name, graph.new_name(key)) for key, one in after.items()}
    axes = {key: ["n", one.shape[1] if key != "squared" else 1, columns[2]] for key, one in carried.items()}
    count, goes_on = graph.new_name("step"), graph.new_name("goes_on")
    loop = body.body(
        "conjugate_gradients",
        inputs={count: (np.int64, []), goes_on: (np.bool_, [])}
        | {names[key]: (np.float64, axes[key]) for key in carried},
        outputs={flag: (np.bool_, [])} | {outputs[key]: (np.float64, axes[key]) for key in carried},
    )
    like = [(np.float64, one.shape) for one in carried.values()]
    given = [np.array(MOST_STEPS), np.array(True), *carried.values()]
    return B.all_made("Loop", *given, like=like, body=loop)[0]


def _ratio(a: Traced, b: Traced) -> Traced:
    """a / b, and 0 where there is nothing left to divide by."""
    return np.where(b > 0, a / np.where(b > 0, b, 1.0), 0.0)


def _goes_on(body: Graph, unfinished: Traced) -> str:
    flat = unfinished.astype(np.int32)
    return body.node("Cast", body.node("ReduceMax", flat.name, keepdims=0), to=9)
