"""The learning rate over the steps of a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping


def rate_factor(step: int, n_steps: int, *, schedule: str, warmup: float = 0.0) -> float:
    """Factor on the learning rate at a step, counted from 0.

    Parameters
    ----------
    schedule
        ``constant``: 1. ``cosine``: (1 + cos(pi t)) / 2, with t from 0 after the warm-up to 1 at the end.
    warmup
        Share of the steps in which the factor rises in equal parts to 1; its first step is not 0, so no step is lost.
    """
    n_warmup = round(warmup * n_steps)
    if step < n_warmup:
        return (step + 1) / n_warmup
    return _SHAPES[schedule]((step - n_warmup) / max(n_steps - n_warmup, 1))


def _constant(_: float) -> float:
    return 1.0


def _cosine(t: float) -> float:
    return (1 + math.cos(math.pi * t)) / 2


_SHAPES: Mapping[str, Callable[[float], float]] = {"constant": _constant, "cosine": _cosine}
