"""A classifier from any number of vectors in parts, each read once; see `docs/decisions/streamed-fit.md`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from os import cpu_count
from typing import Any

import numpy as np

from inkling.classifier.class_texts import text_matrix
from inkling.classifier.fitted import FittedClassifier, require_classes
from inkling.classifier.sources import with_sources
from inkling.embeddings.checks import number_of_views, vector_hashes
from inkling.embeddings.chunks import (
    Told,
    Vectors,
    chunks_of,
    first_rows,
    identity_of_parts,
    read_chunk,
    rows_of,
)
from inkling.embeddings.embed import Progress
from inkling.embeddings.groups import Groups
from inkling.embeddings.parts import VectorParts
from inkling.embeddings.samples import Samples
from inkling.errors import InputError
from inkling.heads.auto import AutoHead
from inkling.heads.closed_form import ClosedForm
from inkling.heads.one_pass import Looking, Sample, Seen, Tally, look, per_class
from inkling.heads.one_pass_fit import ONE_PASS_HEADS, enough_held_out, fit_seen, space_of
from inkling.heads.threads import threads_for
from inkling.labels import Kind
from inkling.types import ClassEntry, EncoderIdentity, SkippedImage

ONE_PASS_ABOVE = 250_000
"""Vectors above which one pass is made of itself: in memory, they and what is made of them take gigabytes."""
OF_SPACE, OF_SPACE_PARTS = 65_536, 256
"""Vectors, and parts that they come from, by which the scale of dimensions is found for `auto`."""
WORKERS = 4
"""Chunks that are worked on at once on one machine, at most: each takes memory."""
SHOWN_SKIPPED = 1_000
"""Images that are named at most; there may be millions without a vector."""

Run = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]
"""Does work on items and gives the results in the order of the items."""


@dataclass(frozen=True)
class OnePass:
    """What a pass found.

    Attributes
    ----------
    seen
        Statistics and sample, classes in the order of their labels.
    identity
        Encoder that made the vectors.
    label_kind
        What the labels are of.
    told
        What the reading tells beside it.
    how
        How vectors were looked at.
    """

    seen: Seen
    identity: EncoderIdentity
    label_kind: Kind
    told: Told
    how: Looking

    def of_views(self, views: int | None) -> OnePass:
        """The same, each vector being the mean of so many views; None leaves what the parts say.

        Raises
        ------
        InputError
            If they say another number, or it is none.
        """
        views = number_of_views(views)
        said = next(iter(self.told.views), None)
        if None not in (views, said) and views != said:
            raise InputError(
                f"The parts say that vectors are means of {said} views, not of {views}.",
                remedy="Leave --views out, in Python views, or write the parts again.",
            )
        return self if views is None else replace(self, told=replace(self.told, views={views}))


def map_here(work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
    """Results in the order of the items, from threads that are never far ahead of it."""
    n_workers = min(WORKERS, cpu_count() or 1)
    waiting: deque[Future[Any]] = deque()
    # Sums are then the same to the last bit, whatever the work runs beside.
    with threads_for(0), ThreadPoolExecutor(n_workers) as threads:
        for item in items:
            if len(waiting) >= n_workers:
                yield waiting.popleft().result()
            waiting.append(threads.submit(work, item))
        while waiting:
            yield waiting.popleft().result()


def pass_over(
    parts: VectorParts, *, head: str, seed: int, run: Run = map_here, progress: Progress | None = None
) -> OnePass:
    """Read all parts once.

    Parameters
    ----------
    parts
        Where the vectors are.
    head
        One of `ONE_PASS_HEADS`.
    seed
        Draws the sample, and what is held out.
    run
        Does the work on chunks; the result is the same whatever does it.
    progress
        Called with the number of rows done.

    Raises
    ------
    InputError
        If the head needs all vectors at once, none can be used, or too few could be held out.
    """
    require_one_pass_head(head)
    identity = identity_of_parts(parts)
    rows = rows_of(parts)
    how = Looking(identity.dimension, _space(parts, rows, identity) if head == AutoHead.name else None, seed)
    chunks, tally, told, done = chunks_of(rows), Tally(identity.dimension + identity.feature_dimension), Told(), 0
    for chunk, (seen, own) in zip(chunks, run(_Work(parts, identity.fingerprint, how), chunks), strict=True):
        told.also(own)
        if seen is not None:
            tally.add(seen)
        done += sum(rows[file] for file in chunk)
        if progress is not None:
            progress(done, sum(rows.values()))
    total = tally.total()
    if total is None or not enough_held_out(total):
        raise InputError(
            f"'{parts.name}' has too few labelled vectors to hold any out in one pass.",
            remedy="Leave --one-pass out, in Python read_precomputed, so that all are read at once.",
        )
    kind = _kind(told, parts)
    return OnePass(total.in_order(kind.sorted(total.classes)), identity, kind, told, how)


def require_one_pass_head(head: str) -> None:
    """Refuse a head that does not follow from statistics.

    Raises
    ------
    InputError
        If it is one.
    """
    if head not in ONE_PASS_HEADS:
        raise InputError(
            f"The head '{head}' needs all vectors at once, and one pass keeps statistics and a sample.",
            remedy=f"Choose one of {', '.join(ONE_PASS_HEADS)}, or --in-memory (in Python, read_precomputed).",
        )


def fit_one_pass(found: OnePass, entries: Sequence[ClassEntry], *, head: str, seed: int) -> FittedClassifier:
    """A classifier from what a pass found; it lacks a detector.

    Parameters
    ----------
    entries
        Of the classes that were seen, and of others that have a text.
    """
    entries = tuple(sorted(entries, key=lambda entry: found.label_kind.order(entry.name)))
    require_classes(entry.name for entry in entries)
    seen = found.seen.in_order([entry.name for entry in entries])
    samples = with_sources(_samples(found, seen.sample, seen.classes), seed=seed)
    identity = found.identity
    text = text_matrix(entries, identity.dimension)
    task = ClosedForm(identity.dimension, identity.logit_scale, text, found.how.space)
    fitted_head, statistics = fit_seen(head, seen, task, sources=samples.sources, seed=seed)
    kept = {"vectors": seen.n_images, "kept": len(seen.sample.y), "per_class": per_class(len(found.seen.classes))}
    fitted = FittedClassifier(samples, entries, fitted_head, seed, head)
    return replace(fitted, one_pass=kept, statistics=statistics)


@dataclass(frozen=True)
class _Work:
    """What is done to a chunk; it travels to other processes."""

    parts: VectorParts
    fingerprint: str
    how: Looking

    @property
    def needs(self) -> tuple[str, ...]:
        """What must be there wherever it is done."""
        return (self.parts.name,)

    def __call__(self, files: Sequence[str]) -> tuple[Seen | None, Told]:
        told, d = Told(), self.how.embedding_dims
        tally: Tally | None = None
        with threads_for(0):  # as `map_here` has it
            for vectors in read_chunk(self.parts, files, self.fingerprint, told):
                tally = tally or Tally(vectors[0].X.shape[1])
                tally.add(_looked_at(vectors, replace(self.how, embedding_dims=d)))
        return None if tally is None else tally.total(), told


def _looked_at(vectors: Sequence[Vectors], how: Looking) -> Seen:
    """What is kept of vectors of several parts."""
    classes = tuple(dict.fromkeys(name for one in vectors for name in one.classes))
    column = {name: k for k, name in enumerate(classes)}
    y = np.concatenate([np.array([column[name] for name in one.classes], dtype=np.int64)[one.y] for one in vectors])
    where = np.concatenate(
        [np.column_stack([np.full(len(one.y), at), np.arange(len(one.y))]) for at, one in enumerate(vectors)]
    )
    X, groups = np.concatenate([one.X for one in vectors]), np.concatenate([one.groups for one in vectors])
    seen = look(X, y, classes, where, groups, how)
    about = np.empty((len(seen.sample.y), 3), dtype=object)
    for at, one in enumerate(vectors):
        of_part = seen.sample.about[:, 0] == at
        about[of_part] = one.about(seen.sample.about[of_part, 1].astype(np.int64))
    return replace(seen, sample=replace(seen.sample, about=about))


def _space(parts: VectorParts, rows: dict[str, int], identity: EncoderIdentity) -> Any:
    """The scale of dimensions, from the first rows of parts that are evenly spread; of all rows where they are few."""
    files = list(rows)
    chosen = [
        files[at] for at in np.unique(np.linspace(0, len(files) - 1, min(len(files), OF_SPACE_PARTS)).astype(int))
    ]
    few = sum(rows.values()) <= OF_SPACE
    most = OF_SPACE if few else -(-OF_SPACE // len(chosen))
    found = [first_rows(parts, file, identity.fingerprint, most) for file in (files if few else chosen)]
    vectors = [one for one in found if one is not None]
    names = [np.asarray(one.classes, dtype=object)[one.y] for one in vectors]
    classes, y = np.unique(np.concatenate(names), return_inverse=True)
    return space_of(np.concatenate([one.X for one in vectors]), y, len(classes), identity.dimension)


def _kind(told: Told, parts: VectorParts) -> Kind:
    if len(told.kinds) > 1:
        kinds = " and ".join(sorted(kind.value for kind in told.kinds))
        raise InputError(f"'{parts.name}': labels are {kinds} in different parts.", remedy="Write all of them as text.")
    if len(told.views) > 1:
        raise InputError(
            f"'{parts.name}': parts say different numbers of views.",
            remedy="Write single views and means of several into folders of their own.",
        )
    return next(iter(told.kinds))


def _samples(found: OnePass, sample: Sample, classes: Sequence[str]) -> Samples:
    """The sample as the samples that a classifier keeps."""
    paths, contents, groups = (tuple(column) for column in sample.about.T)
    n, of_vectors = len(paths), vector_hashes(sample.X[:, : found.identity.dimension])
    hashes = tuple(content or other for content, other in zip(contents, of_vectors, strict=True))
    return Samples(
        identity=found.identity,
        paths=paths,
        labels=tuple(classes[k] for k in sample.y.tolist()),
        content_hashes=hashes,
        thumbnails=(None,) * n,
        views=(0,) * n,
        X=np.asarray(sample.X, dtype=np.float32),
        skipped=_some(found.told.skipped),
        label_kind=found.label_kind,
        groups=Groups.from_user(hashes, groups),
        stated_views=next(iter(found.told.views), None),
    )


def _some(skipped: Sequence[SkippedImage]) -> tuple[SkippedImage, ...]:
    """The first of them, and how many more there are."""
    shown, more = tuple(skipped[:SHOWN_SKIPPED]), len(skipped) - SHOWN_SKIPPED
    return (*shown, SkippedImage(f"{more} more", "not told one by one")) if more > 0 else shown
