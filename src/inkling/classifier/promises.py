"""What is asked of verdicts beside labels: sets at a coverage, answers at an error rate."""

from __future__ import annotations

from dataclasses import dataclass

from inkling.heads.hierarchy import Climbing
from inkling.heads.prediction_sets import Coverage


@dataclass(frozen=True)
class Promises:
    """Promises that verdicts keep.

    Attributes
    ----------
    coverage
        Asks for prediction sets.
    climbing
        Asks for answers that may be groups of classes.
    """

    coverage: Coverage | None = None
    climbing: Climbing | None = None


NOTHING = Promises()
