"""Images and texts to arrays of vectors, through the cache: the only callers of encoders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.entries import CachedImage
from inkling.embeddings.pipeline import Done, Finished, Pipeline
from inkling.embeddings.run_cache import RunCache
from inkling.encoders.base import Encoder
from inkling.encoders.composed import composed_texts, parts_of
from inkling.errors import EncoderError, UnreadableImageError
from inkling.types import EncoderIdentity, ImageRecord, SkippedImage
from inkling.wording import excerpt

TEXTS_OF_A_COMMIT = 512
"""So that a thousand classes with 80 prompts each lose little when interrupted."""


class Progress(Protocol):
    """Called with the progress of a run: before the first batch, then after each."""

    def __call__(self, done: int, total: int) -> None:
        """`done` images or texts of `total` are through, skipped ones included."""
        ...


@dataclass(frozen=True)
class Embedded:
    """Images with their vectors, in the order of the input, without those that were skipped.

    Attributes
    ----------
    records
        The n images that have vectors.
    content_hashes
        blake2b of each image's content: equal for equal files.
    embeddings
        Unit vectors (n, d) float32.
    features
        Second output of the encoder, (n, f) float32, or None where it has none.
    thumbnails
        A small JPEG of each.
    skipped
        Images without vectors, and why.
    n_encoded
        Images that went through the encoder; the others were in the cache or repeated another's content.
    """

    records: tuple[ImageRecord, ...]
    content_hashes: tuple[str, ...]
    embeddings: NDArray[np.float32]
    features: NDArray[np.float32] | None
    thumbnails: tuple[bytes, ...]
    skipped: tuple[SkippedImage, ...]
    n_encoded: int


def embed_images(
    records: Sequence[ImageRecord],
    encoder: Encoder,
    *,
    cache: EmbeddingCache | None,
    view: int = 0,
    batch_size: int = 32,
    progress: Progress | None = None,
    threads: int | None = None,
) -> Embedded:
    """Vectors of images. See `iter_embedded` for the parameters, and for more images than fit in memory."""
    options: dict[str, Any] = {"cache": cache, "view": view, "batch_size": batch_size}
    parts = list(iter_embedded(records, encoder, **options, progress=progress, threads=threads))
    return joined(parts, encoder.identity)


def iter_embedded(
    records: Sequence[ImageRecord],
    encoder: Encoder,
    *,
    cache: EmbeddingCache | None,
    view: int = 0,
    batch_size: int = 32,
    progress: Progress | None = None,
    threads: int | None = None,
) -> Iterator[Embedded]:
    """Vectors of images, batch by batch, in memory that does not grow with their number.

    Images that the cache knows are read and hashed, nothing more; equal content is encoded once. Each batch
    is committed to the cache before it is yielded, so interrupted work goes on where it stopped.

    Parameters
    ----------
    records
        Images; what cannot be read becomes a `SkippedImage`.
    encoder
        Loads its weights only if an image is not in the cache.
    cache
        None keeps nothing beyond this run.
    view
        0 for the image itself, k for its k-th random view (`inkling.images.views.view_of`).
    batch_size
        Images for one forward pass, and for one commit.
    progress
        Called with the progress.
    threads
        How many decode; None: one for each processor.
    """
    announce = progress or _silent
    announce(0, len(records))
    through = 0
    batches = (records[at : at + batch_size] for at in range(0, len(records), batch_size))
    with ExitStack() as stack:
        caches = [stack.enter_context(closing(RunCache(cache, part.identity))) for part in parts_of(encoder)]
        pipeline = stack.enter_context(Pipeline(encoder, caches, view=view, threads=threads))
        for finished in pipeline.run(batches):
            through += len(finished.done)
            announce(through, len(records))
            yield _gathered(finished, encoder.identity)


def embed_texts(
    texts: Sequence[str], encoder: Encoder, *, cache: EmbeddingCache | None, progress: Progress | None = None
) -> NDArray[np.float32]:
    """Unit vectors (n, d) of texts; each different text that the cache lacks is encoded once.

    Parameters
    ----------
    texts, encoder, cache
        As `iter_embedded` takes images.
    progress
        Called with the number of texts done, of those that the cache lacks.

    Raises
    ------
    EncoderError
        If the encoder has no vector for one of the texts, or one that is zeros alone or not finite.
    """
    maker = parts_of(encoder)[0]
    with closing(RunCache(cache, maker.identity)) as run_cache:
        vectors = run_cache.get_texts(texts)
        unknown = [text for text in dict.fromkeys(texts) if text not in vectors]
        announce = progress or _silent
        for at in range(0, len(unknown), TEXTS_OF_A_COMMIT):
            announce(at, len(unknown))
            some = unknown[at : at + TEXTS_OF_A_COMMIT]
            made = dict(zip(some, _sound(maker.encode_texts(some), some, maker.identity), strict=True))
            run_cache.put_texts(made)
            vectors |= made
            announce(at + len(some), len(unknown))
    if not texts:
        return _no_rows(encoder.identity.dimension)
    return _sound(composed_texts(encoder, np.stack([vectors[text] for text in texts])), texts, encoder.identity)


def _sound(vectors: NDArray[np.float32], texts: Sequence[str], identity: EncoderIdentity) -> NDArray[np.float32]:
    """The vectors, if all of them have a direction: others must not fill the cache."""
    sound = np.isfinite(vectors).all(axis=1) & vectors.any(axis=1)
    if not sound.all():
        text = texts[int(sound.argmin())]
        raise EncoderError(
            f"The encoder {identity.name} gave a vector of zeros, or one that is not finite, for '{excerpt(text)}'.",
            remedy="Check the files of the encoder: its text side overflows or is empty.",
        )
    return vectors


def _silent(done: int, total: int) -> None:
    """For runs that nobody watches."""


def _gathered(finished: Finished, identity: EncoderIdentity) -> Embedded:
    kept: list[tuple[Done, CachedImage]] = []
    skipped: list[SkippedImage] = []
    for done in finished.done:
        if isinstance(done.outcome, UnreadableImageError):
            skipped.append(SkippedImage(done.record.path, done.outcome.message))
        else:
            kept.append((done, done.outcome))
    features = [image.feature for _, image in kept if image.feature is not None]
    return Embedded(
        records=tuple(done.record for done, _ in kept),
        content_hashes=tuple(done.content_hash or "" for done, _ in kept),
        embeddings=_stacked([image.embedding for _, image in kept], identity.dimension),
        features=_stacked(features, identity.feature_dimension) if identity.feature_dimension else None,
        thumbnails=tuple(image.thumbnail for _, image in kept),
        skipped=tuple(skipped),
        n_encoded=finished.n_encoded,
    )


def joined(parts: Sequence[Embedded], identity: EncoderIdentity) -> Embedded:
    """Batches as one."""
    features = [part.features for part in parts if part.features is not None]
    return Embedded(
        records=tuple(record for part in parts for record in part.records),
        content_hashes=tuple(key for part in parts for key in part.content_hashes),
        embeddings=np.concatenate([_no_rows(identity.dimension), *(part.embeddings for part in parts)]),
        features=np.concatenate([_no_rows(identity.feature_dimension), *features])
        if identity.feature_dimension
        else None,
        thumbnails=tuple(picture for part in parts for picture in part.thumbnails),
        skipped=tuple(image for part in parts for image in part.skipped),
        n_encoded=sum(part.n_encoded for part in parts),
    )


def _stacked(rows: Sequence[NDArray[np.float32]], width: int) -> NDArray[np.float32]:
    return np.stack(rows) if rows else _no_rows(width)


def _no_rows(width: int) -> NDArray[np.float32]:
    return np.empty((0, width), dtype=np.float32)
