"""Where a training is: everything that decides how it goes on, apart from weights and optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from inkling.finetune.training.divergence import WINDOW
from inkling.finetune.training.step import Score


@dataclass
class State:
    """Position and memory of a training.

    Attributes
    ----------
    stage
        Index of the stage.
    stage_step, step
        Steps done in the stage, and in all; the latter also counts the batches drawn.
    best_loss, best_step
        Lowest held-out loss of the stage, and where it was.
    waited
        Looks since then.
    scores
        Loss, top-1 and top-5 of the steps since the last row of the log.
    losses
        First loss of the stage and the latest ones.
    seconds
        Spent so far.
    finished
        Whether the training is over.
    """

    stage: int = 0
    stage_step: int = 0
    step: int = 0
    best_loss: float | None = None
    best_step: int = 0
    waited: int = 0
    scores: list[tuple[float, float, float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    finished: bool = False

    def count(self, score: Score) -> None:
        """One more step is done."""
        self.stage_step += 1
        self.step += 1
        self.scores.append((score.loss, score.top1, score.top5))
        first, latest = self.losses[:1], [*self.losses[1:], score.loss]
        self.losses = [*first, *latest[-WINDOW:]]

    def look(self, validation: Score) -> bool:
        """Take note of how held-out images score; whether it is the best of the stage."""
        is_best = self.best_loss is None or validation.loss < self.best_loss
        if is_best:
            self.best_loss, self.best_step, self.waited = validation.loss, self.step, 0
        else:
            self.waited += 1
        return is_best

    def next_stage(self, *, of: int) -> None:
        """Go on with the next of so many stages, which has its own best moment, or finish."""
        self.finished = self.stage + 1 == of
        self.stage += not self.finished
        self.stage_step, self.best_loss, self.best_step, self.waited = 0, None, self.step, 0
        self.losses = []

    def mean_score(self) -> Score | None:
        """Mean since the last row of the log; then it begins anew."""
        if not self.scores:
            return None
        loss, top1, top5 = (sum(values) / len(values) for values in zip(*self.scores, strict=True))
        self.scores = []
        return Score(loss, top1, top5)

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it, to the last digit."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        return cls(**{**values, "scores": [tuple(score) for score in values["scores"]]})
