"""All unlabelled images at once, together with those that wait in the pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from inkling.classifier.few_shot import FewShotClassifier
from inkling.discovery import Found, Rules, Ties, discover
from inkling.discovery.batch import GATE
from inkling.discovery.p_values import BINS, PValues
from inkling.embeddings.samples import Samples
from inkling.images.looks import looks_of
from inkling.memory.discovered import Pool
from inkling.memory.pool import observe, read_pool
from inkling.review.changed import unless_changed
from inkling.review.known_images import KnownImages
from inkling.review.propose import (
    Explored,
    Seen,
    detector_of,
    explored,
    linked_rows,
    put_forward,
    require_same_encoder,
)
from inkling.review.retry import retried
from inkling.types import FloatArray


def explore(
    path: str | Path,
    classifier: FewShotClassifier,
    samples: Samples | None,
    *,
    min_images: int,
    proceed: Callable[[], None] = lambda: None,
) -> Explored:
    """Look for classes that are not known yet, and propose them in the memory.

    Proposals that a person merged, split, renamed or changed by hand stay as they are, and their images are not looked
    at. Where the memory is changed meanwhile, it is done again with what the memory holds then.

    Parameters
    ----------
    path
        The memory that the classifier was loaded from.
    samples
        Unlabelled images. None sorts the pool anew, whatever order its images came in.
    min_images
        Pictures that a proposal needs.
    proceed
        Called before the memory is changed; what it raises ends the work there.

    Raises
    ------
    InputError
        If the memory can't detect unknown images.
    EncoderMismatchError
        If the memory has another encoder by now.
    """
    detector, known = detector_of(classifier), KnownImages.of(classifier)
    seen = None
    if samples is not None:
        proceed()
        seen = Seen(samples, np.asarray(detector.p_known(samples.X)))
        observe(path, *seen.candidates(), fingerprint=samples.identity.fingerprint)

    def attempt(is_last: bool) -> tuple[Found, list[str]]:
        pool = read_pool(path)
        require_same_encoder(pool, classifier)
        free = pool.only(~pool.edited)
        found, paths = _found_among(free, pool, classifier, known, seen, min_images=min_images)
        proceed()
        put_forward(path, classifier, known, free, found, any_version=is_last)
        return found, paths

    found, paths = retried(attempt)
    return explored(path, found, seen, classes=known.names, paths=paths)


def _found_among(
    free: Pool,
    pool: Pool,
    classifier: FewShotClassifier,
    known: KnownImages,
    seen: Seen | None,
    *,
    min_images: int,
) -> tuple[Found, list[str]]:
    """Clusters among the images that are free to be proposed, and where all images come from; rows are theirs.

    The other images are no candidates, but they tell how many candidates chance accounts for.
    """
    d, n, detector = classifier.fitted.samples.identity.dimension, len(free.ids), detector_of(classifier)
    X, p_known = free.vectors[:, :d], detector.p_known(free.vectors)
    hashes = [image.content_hash for image in free.images]
    thumbnails, paths = ([getattr(image, name) for image in free.images] for name in ("thumbnail", "path"))
    if seen is not None:
        pooled = {image.content_hash for image in pool.images}
        others = [
            row for row in np.flatnonzero(~seen.candidate).tolist() if seen.samples.content_hashes[row] not in pooled
        ]
        X = np.concatenate([X, seen.samples.embeddings[others]])
        p_known = np.concatenate([p_known, seen.p_known[others]])
        thumbnails += [seen.samples.thumbnails[row] for row in others]
        paths += [seen.samples.paths[row] for row in others]
        hashes += [seen.samples.content_hashes[row] for row in others]
    found = discover(
        X,
        p_known,
        known.X,
        known.y,
        ties=Ties(hashes=hashes, looks=looks_of(thumbnails), **linked_rows(free, hashes[:n])),
        seen=_all_looked_at(free, p_known) if seen is None else None,
        rules=Rules(min_images, classifier.seed),
    )
    return _of_rows(unless_changed(found, known, thumbnails), n, min_images=min_images), paths


def _all_looked_at(free: Pool, p_known: FloatArray) -> PValues | None:
    """p-values of these images and of those that were looked at beside them and not kept; None where nobody counted.

    What waits is unlike the known classes by choice. What a stream passed by tells how much of it chance accounts for.
    """
    if free.stream is None:
        return None
    counts = np.array(free.stream.arrays["p_counts"])
    candidates = slice(round(GATE * BINS))
    if counts[candidates].sum() < len(free.ids):
        return None
    counts[candidates] = 0  # some of them are decided by now; those that wait are at hand
    return PValues(counts, free.stream.state["params"]["smallest_p"]).with_more(p_known)


def _of_rows(found: Found, n: int, *, min_images: int) -> Found:
    """What was found of the first n rows; an image that is no candidate is not proposed for lying near one."""
    proposals = []
    for one in found.proposals:
        rows = one.rows[one.rows < n]
        pictures = len(np.unique(found.picture[rows]))
        if pictures >= min_images:
            proposals.append(replace(one, rows=rows, size=pictures))
    return replace(found, proposals=tuple(proposals))
