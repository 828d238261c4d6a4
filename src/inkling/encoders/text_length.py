"""What becomes of texts that are longer than a text tower reads."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

_SHOWN = 60


def warn_of_cuts(cut: Sequence[str], *, longest: int) -> None:
    """Say which texts were cut at the length that the encoder reads; nothing where none was."""
    if cut:
        warnings.warn(
            f"{len(cut)} texts are longer than the {longest} tokens that the encoder reads, and were cut; "
            f"the first is: {cut[0][:_SHOWN]}...",
            stacklevel=3,
        )
