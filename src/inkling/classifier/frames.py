"""Verdicts as a data frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from inkling.errors import require
from inkling.labels import Kind
from inkling.types import SkippedImage, Verdict


def verdict_frame(paths: Sequence[str], found: Iterable[Verdict | SkippedImage], *, kind: Kind, top: int) -> Any:
    """One row an image, in the order of the paths.

    Raises
    ------
    MissingExtraError
        If pandas is not installed.
    """
    frames = require("pandas", extra="pandas")
    rows = {one.path: _row(one, kind, top) for one in found}
    return frames.DataFrame([rows[path] for path in paths], columns=_columns(top))


def _columns(top: int) -> list[str]:
    likely = [f"top{rank}_{what}" for rank in range(2, top + 1) for what in ("label", "probability")]
    return ["path", "label", "probability", "unknown", "p_known", *likely, "error"]


def _row(found: Verdict | SkippedImage, kind: Kind, top: int) -> dict[str, Any]:
    if isinstance(found, SkippedImage):
        return {"path": found.path, "error": found.reason}
    row = {
        "path": found.path,
        "label": kind.label(found.label),
        "probability": found.probability,
        "unknown": found.unknown,
        "p_known": found.p_known,
    }
    ranked = zip(found.top_labels[1:top], found.top_probabilities[1:top], strict=True)
    for rank, (name, probability) in enumerate(ranked, start=2):
        row |= {f"top{rank}_label": kind.label(name), f"top{rank}_probability": probability}
    return row
