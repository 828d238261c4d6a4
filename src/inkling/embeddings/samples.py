"""Labelled vectors, wherever they came from: images through an encoder, or a file of precomputed embeddings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.checks import matrix, number_of_views, same_length, unit_rows, vector_hashes
from inkling.embeddings.embed import Embedded, Progress, embed_images
from inkling.embeddings.groups import Groups
from inkling.embeddings.parts import vector_parts
from inkling.embeddings.precomputed import Precomputed
from inkling.encoders.base import Encoder
from inkling.errors import require
from inkling.images.groups import read_groups
from inkling.images.places import is_url
from inkling.labels import Kind, read_labels
from inkling.types import EncoderIdentity, FloatArray, ImageRecord, SkippedImage

PRECOMPUTED = "precomputed"
"""Stands for the encoder of vectors that nobody has named one for."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Vectors of n images (or of their views), row by row.

    Attributes
    ----------
    identity
        Encoder that made the vectors.
    paths, labels, content_hashes, thumbnails
        As in `Embedded`; a label or thumbnail is None where there is none.
    views
        0 for the image itself, above that its augmented views, (n,).
    X
        Embedding and, after it, feature, (n, d + f) float32.
    skipped
        Images that have no row, and why.
    n_encoded
        Images that were encoded now; the rest came from the cache.
    label_kind
        What the labels were when they were handed over; here all are names.
    groups
        Which images come from one source; None where that was neither given nor looked for.
    stated_views
        How many views of its image each vector is the mean of, as whoever handed them over says; None: nobody does.
    """

    identity: EncoderIdentity
    paths: tuple[str, ...]
    labels: tuple[str | None, ...]
    content_hashes: tuple[str, ...]
    thumbnails: tuple[bytes | None, ...]
    views: tuple[int, ...]
    X: NDArray[np.float32]
    skipped: tuple[SkippedImage, ...] = ()
    n_encoded: int = 0
    label_kind: Kind = Kind.TEXT
    groups: Groups | None = None
    stated_views: int | None = None

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """Unit vectors (n, d) in the space of images and texts."""
        return self.X[:, : self.identity.dimension]

    @property
    def sources(self) -> NDArray[np.int64]:
        """Which rows come from one source, (n,).

        Views of a file, its copies, the boxes in it and the images of its group share a number.
        """
        return source_numbers(self.content_hashes, self.groups)

    @property
    def averaged_views(self) -> int | None:
        """How many views of its image each vector is the mean of: 1 by an encoder here; None where nobody knows."""
        return views_of(self.stated_views, self.identity)

    @property
    def telling(self) -> FloatArray:
        """Vectors that tell most of a picture, (n, d): what names one leaves out most of how it was taken."""
        features = self.X[:, self.identity.dimension :]
        return unit_rows(features, zeros_allowed=True) if features.shape[1] else self.embeddings

    @property
    def first_rows(self) -> Mapping[str, int]:
        """The first image of each content, views of it left out."""
        rows: dict[str, int] = {}
        for row, (content, view) in enumerate(zip(self.content_hashes, self.views, strict=True)):
            if view == 0:
                rows.setdefault(content, row)
        return rows

    def background(self, most: int) -> NDArray[np.float32]:
        """Embeddings of images in general, (m, d): of all, or of so many at most."""
        return self.embeddings[:: max(1, -(-len(self.X) // most))]

    @property
    def contradictions(self) -> tuple[tuple[str, ...], ...]:
        """Paths of each image that stands under more than one label."""
        places: dict[str, dict[str, str | None]] = {}
        for key, path, label in zip(self.content_hashes, self.paths, self.labels, strict=True):
            places.setdefault(key, {})[path] = label
        return tuple(tuple(found) for found in places.values() if len(set(found.values())) > 1)

    @property
    def n_images(self) -> int:
        """Different images; their views and copies do not count."""
        return len(set(self.content_hashes))

    def also_skipped(self, images: Sequence[SkippedImage]) -> Samples:
        """With these among the images that have no row."""
        return replace(self, skipped=(*self.skipped, *images))

    def keep(self, rows: Sequence[int]) -> Samples:
        """Only these rows."""
        return replace(
            self,
            paths=tuple(self.paths[row] for row in rows),
            labels=tuple(self.labels[row] for row in rows),
            content_hashes=tuple(self.content_hashes[row] for row in rows),
            thumbnails=tuple(self.thumbnails[row] for row in rows),
            views=tuple(self.views[row] for row in rows),
            X=self.X[np.asarray(rows, dtype=np.int64)],
        )


class StoredSamples(Samples):
    """Samples that lie somewhere and are read when a row is first asked for.

    Parameters
    ----------
    known
        What is known without reading them; its rows don't count.
    read
        Reads them.
    read_some
        Reads vectors (m, d + f) of so many at most, and nothing else.
    """

    _ROWS = ("paths", "labels", "content_hashes", "thumbnails", "views", "X")

    def __init__(
        self, known: Samples, read: Callable[[], Samples], read_some: Callable[[int], NDArray[np.float32]]
    ) -> None:
        told = {one.name: getattr(known, one.name) for one in fields(Samples) if one.name not in self._ROWS}
        vars(self).update(told, _read=read, _read_some=read_some)

    @property
    def are_read(self) -> bool:
        """Whether a row was asked for."""
        return "X" in vars(self)

    def background(self, most: int) -> NDArray[np.float32]:
        """Embeddings of images in general, read alone unless the rows are at hand."""
        if self.are_read:
            return super().background(most)
        some: NDArray[np.float32] = vars(self)["_read_some"](most)
        return some[:, : self.identity.dimension]

    def __getattr__(self, name: str) -> Any:
        if name not in self._ROWS:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        whole = self._read()
        vars(self).update({row: getattr(whole, row) for row in self._ROWS})
        return getattr(whole, name)

    def __reduce__(self) -> tuple[Any, ...]:
        """As plain samples: where they are unpickled, what they were read from may be missing."""
        return Samples, tuple(getattr(self, one.name) for one in fields(Samples))

    def keep(self, rows: Sequence[int]) -> Samples:
        """Only these rows."""
        return self._whole.keep(rows)

    def also_skipped(self, images: Sequence[SkippedImage]) -> Samples:
        """With these among the images that have no row."""
        return self._whole.also_skipped(images)

    @property
    def _whole(self) -> Samples:
        return Samples(*(getattr(self, one.name) for one in fields(Samples)))


def embed_samples(
    records: Sequence[ImageRecord],
    encoder: Encoder,
    *,
    cache: EmbeddingCache | None,
    views: int = 1,
    progress: Progress | None = None,
) -> Samples:
    """Samples of images: each as it is, and `views` - 1 augmented views of it."""
    parts = [
        samples_of(embed_images(records, encoder, cache=cache, view=view, progress=progress), encoder.identity, view)
        for view in range(views)
    ]
    first = parts[0]
    return Samples(
        identity=first.identity,
        paths=tuple(path for part in parts for path in part.paths),
        labels=tuple(label for part in parts for label in part.labels),
        content_hashes=tuple(key for part in parts for key in part.content_hashes),
        thumbnails=tuple(picture for part in parts for picture in part.thumbnails),
        views=tuple(view for part in parts for view in part.views),
        X=np.concatenate([part.X for part in parts]),
        skipped=first.skipped,
        n_encoded=sum(part.n_encoded for part in parts),
        groups=first.groups,
    )


def source_numbers(content_hashes: Sequence[str], groups: Groups | None = None) -> NDArray[np.int64]:
    """Number of the source that each image comes from, (n,): those of one are held out together."""
    sources = groups or Groups()
    return np.unique([sources.source(one) for one in content_hashes], return_inverse=True)[1].astype(np.int64)


def samples_of(embedded: Embedded, identity: EncoderIdentity, view: int = 0) -> Samples:
    """Samples of one view of embedded images. Thumbnails belong to the image itself, not to its views."""
    n = len(embedded.records)
    blocks = [embedded.embeddings] if embedded.features is None else [embedded.embeddings, embedded.features]
    return Samples(
        identity=identity,
        paths=tuple(record.path for record in embedded.records),
        labels=tuple(record.label for record in embedded.records),
        content_hashes=embedded.content_hashes,
        thumbnails=embedded.thumbnails if view == 0 else (None,) * n,
        views=(view,) * n,
        X=np.hstack(blocks),
        skipped=embedded.skipped,
        n_encoded=embedded.n_encoded,
        groups=Groups.from_user(embedded.content_hashes, (record.group for record in embedded.records)),
    )


def precomputed_samples(vectors: Precomputed) -> Samples:
    """Samples of a file of vectors."""
    n = len(vectors.paths)
    blocks = [vectors.embeddings] if vectors.features is None else [vectors.embeddings, vectors.features]
    return Samples(
        identity=vectors.identity,
        paths=vectors.paths,
        labels=vectors.labels or (None,) * n,
        content_hashes=vectors.content_hashes,
        thumbnails=(None,) * n,
        views=(0,) * n,
        X=np.hstack(blocks),
        skipped=vectors.skipped,
        label_kind=vectors.label_kind,
        groups=None if vectors.groups is None else Groups.from_user(vectors.content_hashes, vectors.groups),
        stated_views=vectors.views,
    )


def given_samples(X: Any, labels: Any, *, logit_scale: float, groups: Any = None, views: int | None = None) -> Samples:
    """Samples of vectors (n, d) that a caller hands over.

    Parameters
    ----------
    labels
        As for `inkling.labels.read_labels`.
    groups
        Which source each is of, such as a video, (n,): those of one source are held out together. None: each vector
        is an image of its own, copies count as one.
    views
        How many views of its image each is the mean of; None: nobody knows.

    Raises
    ------
    InputError
        If they are not finite numbers, one row a label, none of them zeros alone.
    """
    embeddings = given_vectors(X)
    n, d = embeddings.shape
    read = read_labels(labels)
    same_length("labels", len(read.names), n)
    hashes = vector_hashes(embeddings)
    named = None if groups is None else read_groups(groups, n)
    rows = tuple(f"row {row}" for row in range(n))
    identity = EncoderIdentity(PRECOMPUTED, PRECOMPUTED, f"{PRECOMPUTED}:{d}+0", d, 0, logit_scale, "float32")
    samples = Samples(identity, rows, read.names, hashes, (None,) * n, (0,) * n, embeddings)
    return replace(
        samples,
        label_kind=read.kind,
        groups=None if named is None else Groups.from_user(hashes, named),
        stated_views=number_of_views(views),
    )


def given_vectors(X: Any) -> NDArray[np.float32]:
    """Unit vectors (n, d) of an array or tensor.

    Raises
    ------
    InputError
        If they are not finite numbers of two dimensions, or a row is zeros alone.
    """
    return unit_rows(matrix(X, "embeddings"))


def views_of(stated: int | None, made_with: EncoderIdentity) -> int | None:
    """How many views of its image a vector is the mean of, by what was said: 1 by an encoder, None for unknown."""
    return stated or (None if is_handed_over(made_with) else 1)


def is_handed_over(made_with: EncoderIdentity) -> bool:
    """Whether somebody handed the vectors over, so that nobody here knows how they were made."""
    return made_with.source == PRECOMPUTED or is_precomputed(made_with.source)


def is_precomputed(path: str | Path) -> bool:
    """Whether a name is that of vectors: an npz, a Parquet file with a column ``embedding``, or a folder of such."""
    if is_url(str(path)) or Path(path).is_dir():
        return vector_parts(path) is not None
    path = Path(path)
    if path.suffix.lower() == ".npz":
        return True
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return False
    require("pyarrow", extra="parquet", purpose=f"Reading '{path}'")
    from pyarrow import parquet

    try:
        return "embedding" in parquet.read_schema(path).names
    except Exception:  # whoever reads it as a table will say what is wrong with it
        return False
