"""Samples for a memory, from whatever the user names: images through its encoder, or files of embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from inkling.cli.console import progress_bar

if TYPE_CHECKING:
    from inkling.classifier import FewShotClassifier
    from inkling.embeddings.samples import Samples


def samples_for(classifier: FewShotClassifier, source: str, *, split: str) -> tuple[Samples, Mapping[str, int]]:
    """Samples of a source, and what was ignored beside them.

    Raises
    ------
    EncoderMismatchError
        If a file of embeddings was made by another encoder than the memory's.
    """
    from inkling.embeddings.precomputed import read_precomputed
    from inkling.embeddings.samples import is_precomputed, precomputed_samples
    from inkling.images.sources import find_images
    from inkling.memory.content import check_encoder

    if is_precomputed(source):
        samples = precomputed_samples(read_precomputed(source))
        check_encoder(classifier.taught.samples.identity, samples.identity)
        return samples, {}
    found = find_images(source, split=split)
    with progress_bar("Embedding") as progress:
        return classifier.embed(found.records, progress=progress), found.ignored
