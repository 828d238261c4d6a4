"""Systems solved in the graph, and the closer look that asks for them."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.exporting.graph import Graph
from inkling.exporting.local_gda import solved_by
from inkling.exporting.traced import Traced
from inkling.heads.local_gda import LocalGDAHead
from tests.exporting.graphs import run, traced
from tests.heads.samples import draw_task


def solve(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    graph = Graph()
    given = {"A": A, "B": B}
    values = [Traced(graph, name, np.float64, (None, *one.shape[1:])) for name, one in given.items()]
    graph.name(solved_by(*values).name, "X")
    inputs = {name: (np.float64, ["n", *one.shape[1:]]) for name, one in given.items()}
    return run(graph.model(inputs=inputs, outputs={"X": (np.float64, [])}, defaults={}, description=""), given)["X"]


@pytest.mark.parametrize("condition", [1.0, 1e2, 1e6])
def test_systems_are_solved_to_the_last_digits(condition: float) -> None:
    rng = np.random.default_rng(int(condition))
    turned = np.linalg.qr(rng.normal(size=(3, 40, 40)))[0]
    A = turned * np.geomspace(1.0, condition, 40) @ turned.transpose(0, 2, 1)
    B = rng.normal(size=(3, 40, 5))
    B[1, :, 2] = 0.0
    found, expected = solve(A, B), np.linalg.solve(A, B)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * condition**0.5 * np.abs(expected).max())
    assert not found[1, :, 2].any()


@pytest.mark.parametrize("sure", [1.0, 0.9, 1e-9], ids=["all", "some", "none"])
@pytest.mark.parametrize("shots", [2, (1, 7, 3, 12, 40, 2)], ids=["two each", "uneven"])
def test_the_closer_look_is_the_same(sure: float, shots: int | tuple[int, ...]) -> None:
    task = draw_task(n_classes=6, shots=shots, dims=24, text_noise=None)
    head = LocalGDAHead(sure=sure, prior_images=10.0).fit(task.X, task.y)
    expected = head.logits(task.test_X)
    found = traced(lambda X: {"z": head.scores(X)}, task.test_X)["z"]
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


def test_one_row_in_doubt_changes_no_other() -> None:
    task = draw_task(n_classes=6, shots=5, dims=24, text_noise=None)
    head = LocalGDAHead(sure=0.9, prior_images=10.0).fit(task.X, task.y)
    together = traced(lambda X: {"z": head.scores(X)}, task.test_X)["z"]
    alone = [traced(lambda X: {"z": head.scores(X)}, task.test_X[row : row + 1])["z"] for row in range(8)]
    np.testing.assert_allclose(np.concatenate(alone), together[:8], rtol=1e-9, atol=1e-9)
