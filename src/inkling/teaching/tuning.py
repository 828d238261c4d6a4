"""What must be known of an encoder that was tuned on the samples, for nothing to be calibrated on what it knows."""

from __future__ import annotations

from dataclasses import dataclass

from inkling.heads.fold_spaces import FoldSpaces
from inkling.unknown import UnknownDetector


@dataclass(frozen=True, eq=False)
class Tuning:
    """How an encoder came to know the samples.

    Attributes
    ----------
    fold_spaces
        Vectors by encoders that did not see the images; its rows are those of the samples, its classes those of the
        entries by name. None where nothing could be held out.
    detector
        Of unknown images, taught with the same samples before the tuning; None where that could not be.
    again
        Whether the encoder had been tuned before, so that even those of the folds may know the images.
    """

    fold_spaces: FoldSpaces | None
    detector: UnknownDetector | None
    again: bool = False
