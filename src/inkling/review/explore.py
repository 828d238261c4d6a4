"""All unlabelled images at once, together with those that wait in the pool."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inkling.classifier.few_shot import FewShotClassifier
from inkling.discovery import discover
from inkling.discovery.batch import GATE
from inkling.embeddings.samples import Samples
from inkling.memory.discovered import PooledImage
from inkling.memory.pool import observe, read_pool
from inkling.review.propose import Explored, detector_of, known_side, put_forward, ties
from inkling.types import BoolArray, FloatArray


def explore(
    path: str | Path,
    classifier: FewShotClassifier,
    samples: Samples | None,
    *,
    min_images: int,
) -> Explored:
    """Look for classes that are not known yet, and propose them in the memory.

    Parameters
    ----------
    path
        The memory that the classifier was loaded from.
    samples
        Unlabelled images. None sorts the pool anew, whatever order its images came in.
    min_images
        Pictures that a proposal needs.

    Raises
    ------
    InputError
        If the memory can't tell strange images.
    EncoderMismatchError, MemoryFileError
        If the memory has another encoder or version by now.
    """
    detector = detector_of(classifier)
    strange = np.zeros(0, dtype=bool)
    p_new: FloatArray = np.zeros(0)
    if samples is not None:
        p_new = detector.p_known(samples.X)
        strange = p_new <= GATE
        keep(path, samples, p_new, strange)
    pool = read_pool(path)
    d = classifier.fitted.samples.identity.dimension
    hashes = [image.content_hash for image in pool.images]
    X, p_known = pool.vectors[:, :d], detector.p_known(pool.vectors)
    # Images that are not strange are no candidates, but they tell how many strange ones chance accounts for.
    if samples is not None:
        X = np.concatenate([X, samples.embeddings[~strange]])
        p_known = np.concatenate([p_known, p_new[~strange]])
        hashes += [
            content for content, is_strange in zip(samples.content_hashes, strange, strict=True) if not is_strange
        ]
    known_X, known_y = known_side(classifier)
    found = discover(
        X,
        p_known,
        known_X,
        known_y,
        ties=ties(pool, hashes),
        min_images=min_images,
        seed=classifier.seed,
    )
    proposals, version = put_forward(path, classifier, pool, found)
    return Explored(
        proposals=proposals,
        drift=found.drift,
        n_images=len(p_new),
        n_strange=int(strange.sum()),
        waiting=dict(zip(pool.ids.tolist(), pool.images, strict=True)),
        memory_version=version,
        skipped=() if samples is None else samples.skipped,
    )


def keep(path: str | Path, samples: Samples, p_known: FloatArray, strange: BoolArray) -> None:
    """Put the strange ones of some images into the memory's pool."""
    rows = np.flatnonzero(strange)
    observe(path, pooled(samples, p_known, strange), samples.X[rows], fingerprint=samples.identity.fingerprint)


def pooled(samples: Samples, p_known: FloatArray, strange: BoolArray) -> list[PooledImage]:
    """The strange ones as the pool keeps them."""
    return [
        PooledImage(samples.paths[row], samples.content_hashes[row], float(p_known[row]), samples.thumbnails[row])
        for row in np.flatnonzero(strange)
    ]
