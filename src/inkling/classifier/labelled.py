"""Labelled images to samples, for whoever looks at them before, or without, fitting a classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from inkling.classifier.fitted import labelled_rows, require_readable
from inkling.embeddings.samples import Samples
from inkling.images.handed_over import GivenImages
from inkling.types import ImageRecord


def labelled_samples(given: GivenImages, embed: Callable[[Sequence[ImageRecord]], Samples]) -> Samples:
    """Samples of training images that have a label; the others are among the skipped.

    Parameters
    ----------
    given
        As from `inkling.images.handed_over.read_images`.
    embed
        Makes samples of images, as `inkling.embeddings.samples.embed_samples` does.

    Raises
    ------
    InputError
        If there are no labels, or no image can be read.
    """
    rows, unlabelled = labelled_rows([one.path for one in given.records], [one.label for one in given.records])
    samples = embed([given.records[row] for row in rows])
    require_readable(samples)
    return replace(samples.also_skipped(unlabelled), label_kind=given.label_kind)
