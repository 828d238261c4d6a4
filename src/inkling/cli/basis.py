"""What probabilities rest on where no image could be held out: said, so that nobody takes them for measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SCALES = {
    "prior": "prior: no image could be held out, so how sure it is was learned elsewhere, not measured on these",
    "none": "none: no image could be held out, so probabilities are scores, not measured odds; auto has a prior",
}


def unmeasured(calibration: Mapping[str, Any]) -> str | None:
    """What the probabilities of a head rest on, in a clause; None where images held out gave their scale."""
    if calibration["n"]:
        return None
    return SCALES[calibration.get("basis", "none")]
