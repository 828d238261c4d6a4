"""Classes known by their text alone, beside classes with images. Arrays only.

Experts of images know such a class by one stand-in at most, so images of its own would go to classes with images. Text
decides whether an image is of such a class, as zero-shot does; the blend decides among the others:

    log p(k) = log p_text(k) for a class k without images,
    log p(k) = log p_blend(k | with images) + log p_text(with images) for the others.
"""

from __future__ import annotations

import numpy as np

from inkling.heads.softmax import log_softmax, logsumexp
from inkling.types import BoolArray, FloatArray


def with_text_only(z: FloatArray, text_logits: FloatArray, unseen: BoolArray) -> FloatArray:
    """Logits (n, n_classes) of a blend, those of classes without images by their texts.

    Parameters
    ----------
    z, text_logits
        Of the blend and of zero-shot, (n, n_classes).
    unseen
        Classes without images, (n_classes,).
    """
    if not unseen.any() or unseen.all():
        return z
    by_text = log_softmax(text_logits)
    with_images = log_softmax(np.where(unseen, -np.inf, z)) + logsumexp(by_text[:, ~unseen])[:, None]
    return np.where(unseen, by_text, with_images)
