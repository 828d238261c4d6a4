"""What must be known of an encoder that was tuned on the samples, for nothing to be calibrated on what it knows."""

from __future__ import annotations

from dataclasses import dataclass

from inkling.errors import InputError
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
        Of unknown images, fitted on the same samples before the tuning; None where that could not be.
    tuned_before
        Whether the encoder had been tuned before, so that even those of the folds may know the images.
    """

    fold_spaces: FoldSpaces | None
    detector: UnknownDetector | None
    tuned_before: bool = False

    def require_unseen(self) -> None:
        """Refuse to calibrate on images that every encoder has seen.

        Raises
        ------
        InputError
            If there are no others.
        """
        if self.tuned_before:
            raise tuned_twice()
        if self.fold_spaces is None:
            raise InputError(
                "The encoder was tuned on all images that could calibrate the detection of unknown images: the classes "
                "had too few to leave any out.",
                remedy="Add images; with two of each class, trainings leave some out.",
            )


def tuned_twice() -> InputError:
    """Why an encoder that was tuned twice can't have its images calibrated."""
    return InputError(
        "The encoder had been tuned before, maybe on the same images, so even a training that leaves them out begins "
        "with an encoder that knows them.",
        remedy="Fine-tune the encoder as it was before.",
    )
