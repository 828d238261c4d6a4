"""Labelled images to samples, for whoever looks at them before, or without, fitting a classifier."""

from __future__ import annotations

from dataclasses import replace

from inkling.classifier.fitted import labelled_rows, require_readable
from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import Progress
from inkling.embeddings.samples import Samples, embed_samples
from inkling.encoders.base import Encoder
from inkling.images.handed_over import GivenImages


def labelled_samples(
    given: GivenImages, *, encoder: Encoder, cache: EmbeddingCache | None, progress: Progress | None
) -> Samples:
    """Samples of training images that have a label; the others are among the skipped.

    Parameters
    ----------
    given
        As from `inkling.images.handed_over.read_images`.

    Raises
    ------
    InputError
        If there are no labels, or no image can be read.
    """
    rows, unlabelled = labelled_rows([one.path for one in given.records], [one.label for one in given.records])
    samples = embed_samples([given.records[row] for row in rows], encoder, cache=cache, progress=progress)
    require_readable(samples)
    return replace(samples.also_skipped(unlabelled), label_kind=given.label_kind)
