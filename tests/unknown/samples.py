"""Tasks with known and unknown classes, drawn so that everything about them is known."""

from __future__ import annotations

from dataclasses import dataclass

from inkling.types import BoolArray, FloatArray, IntArray
from inkling.unknown.task import Task
from tests.heads.samples import draw_task

DIMS = 24


@dataclass(frozen=True, eq=False)
class OpenTask:
    """Support of the known classes, and images some of which are of other classes."""

    X: FloatArray
    y: IntArray
    text: FloatArray | None
    test_X: FloatArray
    strange: BoolArray

    @property
    def n_classes(self) -> int:
        return int(self.y.max()) + 1

    def task(self, *, seed: int = 0, sources: IntArray | None = None, negatives: FloatArray | None = None) -> Task:
        return Task.of(
            self.X,
            self.y,
            sources=sources,
            text=self.text,
            negatives=negatives,
            n_classes=None,
            embedding_dims=None,
            logit_scale=20.0,
            seed=seed,
        )


def open_task(
    seed: int = 0,
    *,
    n_classes: int = 6,
    n_unknown: int = 4,
    shots: int = 8,
    text_noise: float | None = None,
    spread: float = 0.8,
    n_test: int = 400,
) -> OpenTask:
    """Known classes and others, around random centres; see `draw_task`."""
    drawn = draw_task(
        seed,
        n_classes=n_classes + n_unknown,
        shots=shots,
        dims=DIMS,
        spread=spread,
        text_noise=text_noise,
        n_test=n_test,
    )
    rows = drawn.y < n_classes
    text = None if drawn.text is None else drawn.text[:n_classes]
    return OpenTask(drawn.X[rows], drawn.y[rows], text, drawn.test_X, drawn.test_y >= n_classes)
