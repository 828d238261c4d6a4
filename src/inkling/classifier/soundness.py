"""Whether the head and the detector of a memory can be used, which neither a digest nor the log can show."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inkling.classifier.fitted import FittedClassifier
from inkling.classifier.persistence import from_memory
from inkling.errors import InklingError
from inkling.memory.faults import damaged
from inkling.memory.place import place_of
from inkling.memory.store import read_memory
from inkling.wording import excerpt

TRIED = 64
"""Exemplars that are scored."""


def require_usable(path: str | Path) -> None:
    """Decode the head and the detector of a memory, and score some of its exemplars with both.

    Raises
    ------
    MemoryFileError
        If the memory is damaged, or one of the two does not give finite probabilities.
    """
    content = read_memory(path).content
    try:
        fitted = from_memory(content)
        with np.errstate(all="ignore"):
            faults = _faults(fitted, content.vectors[:TRIED])
    except InklingError as error:
        raise damaged(place_of(path), f"its head or detector cannot be used: {error.message.rstrip('.')}") from error
    except Exception as error:  # damaged numbers and names make almost anything of any step
        raise damaged(
            place_of(path), f"its head or detector cannot be used ({type(error).__name__}: {excerpt(error)})"
        ) from error
    if faults:
        raise damaged(place_of(path), faults)


def _faults(fitted: FittedClassifier, X: np.ndarray) -> str | None:
    """What is wrong with the scores of vectors, if anything is."""
    p = fitted.fitted_head.probabilities(X)
    if p.shape != (len(X), len(fitted.classes)) or not np.isfinite(p).all():
        return "its head does not give a probability for each class"
    if fitted.detector is not None and not np.isfinite(fitted.detector.p_known(X)).all():
        return "its detector does not score how unlike the known classes an image is"
    return None
