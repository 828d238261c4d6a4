"""What a caller hands over to be judged: images, or vectors in their place."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inkling.embeddings.checks import matrix, number_of_views, unit_rows
from inkling.embeddings.samples import Samples
from inkling.errors import InputError, SkippedImagesWarning
from inkling.images.tables import PATH
from inkling.types import EncoderIdentity, SkippedImage
from inkling.wording import counted, excerpt

Errors = Literal["raise", "skip"]
"""What to do about images that can't be read."""

SHOWN_REASONS = 3


def vectors_among(images: Any) -> Any | None:
    """What was handed over, if it is vectors: an array, tensor or data frame (n, d) of fractions.

    A picture of one channel is of whole numbers, so none is taken for vectors.
    """
    if hasattr(images, "columns"):
        is_table = PATH in (str(name).strip().lower() for name in images.columns)
        return None if is_table or np.asarray(images).dtype.kind not in "fiu" else np.asarray(images)
    if hasattr(images, "detach") and hasattr(images, "numpy"):
        images = images.detach().cpu().numpy()
    is_vectors = isinstance(images, np.ndarray) and images.ndim == 2 and images.dtype.kind == "f"
    return images if is_vectors else None


def checked_vectors(X: Any, identity: EncoderIdentity) -> NDArray[np.float32]:
    """Vectors (n, d + f) to be judged, held to what those were that the classifier learned from.

    Raises
    ------
    InputError
        If they are not finite numbers of that width, there is none, or an embedding is zeros alone.
    """
    if hasattr(X, "detach"):
        X = X.detach().cpu().numpy()
    rows, d = matrix(X, "embeddings"), identity.dimension
    if rows.shape[1] != d + identity.feature_dimension:
        feature = f" and {identity.feature_dimension} of the feature" if identity.feature_dimension else ""
        raise InputError(
            f"The classifier learned from vectors of {d} dimensions{feature}; these have {rows.shape[1]}.",
            remedy="Embed the images with the encoder that the classifier was fitted with.",
        )
    return np.hstack([unit_rows(rows[:, :d]), rows[:, d:]])


def samples_to_judge(X: Any, identity: EncoderIdentity, *, views: int | None = None) -> Samples:
    """Samples of such vectors, named by their rows; `views` as for `given_samples`."""
    rows = checked_vectors(X, identity)
    n = len(rows)
    names = tuple(f"row {row}" for row in range(n))
    samples = Samples(identity, names, (None,) * n, names, (None,) * n, (0,) * n, rows)
    return replace(samples, stated_views=number_of_views(views))


def report_unread(skipped: Sequence[SkippedImage], errors: Errors) -> None:
    """Refuse to go on without images that can't be read, or warn.

    Raises
    ------
    InputError
        If there are any, and `errors` is ``raise``.
    """
    if errors not in ("raise", "skip"):
        raise InputError(f"errors must be 'raise' or 'skip', got {errors!r}.")
    if not skipped:
        return
    first = f"'{excerpt(skipped[0].path)}': {skipped[0].reason}"
    told = f"{first}" if len(skipped) == 1 else f"{first}; and {len(skipped) - 1} more"
    if errors == "raise":
        raise InputError(
            f"Images that can't be read: {told}.", remedy='Leave them out, or get None for them by errors="skip".'
        )
    warnings.warn(f"Images were skipped: {told}.", SkippedImagesWarning, stacklevel=3)


def warn_of_skipped(skipped: Sequence[SkippedImage], *, stacklevel: int) -> None:
    """Say how many images were left out, and why; nothing where none was.

    Parameters
    ----------
    stacklevel
        Calls from here to the user's, this one among them.
    """
    if skipped:
        reasons = Counter(image.reason for image in skipped)
        told = "; ".join(
            f"{counted(count, 'time')}: {excerpt(reason)}" for reason, count in reasons.most_common(SHOWN_REASONS)
        )
        warnings.warn(
            f"Images were skipped: {len(skipped)} ({told}); the first is '{excerpt(skipped[0].path)}'.",
            SkippedImagesWarning,
            stacklevel=stacklevel,
        )
