"""What becomes of texts that are longer than a text tower reads."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from inkling.wording import counted, excerpt

_SHOWN = 60


def warn_of_cuts(cut: Sequence[str], *, longest: int) -> None:
    """Say which texts were cut at the length that the encoder reads; nothing where none was."""
    if cut:
        warnings.warn(
            f"{counted(len(cut), 'text')} longer than the {longest} tokens that the encoder reads were cut there; "
            f"the first is '{excerpt(cut[0], most=_SHOWN)}'.",
            stacklevel=3,
        )
