"""What probabilities rest on where no image could be held out: said, so that nobody takes them for measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SCALES = {
    "prior": "prior: no image could be held out, so how sure it is was learned elsewhere, not measured on these",
    "unlabelled": "unlabelled: images without labels take part, and too few have one to measure how sure that makes "
    "it: mostly less sure than right",
    "none": "none: no image could be held out, so probabilities are scores, not measured odds; auto has a prior",
}


def unmeasured(calibration: Mapping[str, Any]) -> str | None:
    """What the probabilities of a head rest on, in a clause; None where images held out gave their scale."""
    return SCALES.get(calibration.get("basis", "out of fold" if calibration["n"] else "none"))
