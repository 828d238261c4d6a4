"""Vectors that were made elsewhere, read from npz or Parquet and checked before anything is built on them.

Keys of an npz file, n images, d dimensions, K classes:

==================== ==================== =============================================================
key                  shape                meaning
==================== ==================== =============================================================
embeddings (or x)    (n, d) numbers       image embeddings; scaled to unit length on reading
labels (or y)        (n,) text            class names ("" for none), or integers that count into `class_names`; optional
paths (or path)      (n,) text            how each image is shown; optional
content_hashes       (n,) text            equal for copies of an image, which are held out together; optional
groups               (n,) text, numbers   which source each image comes from, such as a video; optional
views                number               how many views of its image each embedding is the mean of; optional
features             (n, f) numbers       second, image-side features, kept as they are; optional
class_names          (K,) text            needed for integer labels and for text vectors; optional
text_vectors         (K, d) numbers       text vector of each class, a row of zeros where it has none; optional
logit_scale          number               factor on cosines to texts; optional, 100 as in CLIP
encoder              text                 name of the encoder, or its whole identity as JSON; optional
==================== ==================== =============================================================

A Parquet file has the columns ``path``, ``label``, ``embedding`` and optionally ``content_hash``, ``group``, ``views``
and ``feature``, and the encoder's identity as JSON in its metadata (`inkling.embeddings.parquet`). A folder or URL of
such files is read as one; a part that can't be used, and images with a reason in the column ``error``, are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.embeddings.checks import (
    matrix,
    number_of_views,
    positive_number,
    same_length,
    texts,
    unit_rows,
    vector_hashes,
)
from inkling.embeddings.parts import SKIPPED, VectorParts, require_fingerprint, table_of, vector_parts
from inkling.errors import InputError, require
from inkling.images.groups import read_groups
from inkling.images.layout import is_utf8
from inkling.images.places import is_url
from inkling.labels import Kind, Labels, read_labels, require_class_name
from inkling.types import EncoderIdentity, SkippedImage
from inkling.wording import excerpt

DEFAULT_LOGIT_SCALE = 100.0

_KEYS = (
    "An npz file needs 'embeddings' (or 'x') and takes 'labels', 'paths', 'content_hashes', 'features', 'class_names', "
    "'text_vectors', 'logit_scale', 'encoder', 'groups', 'views'; a Parquet file needs 'embedding' and takes 'path', "
    "'label', 'content_hash', 'feature', 'group', 'views'."
)


@dataclass(frozen=True)
class Precomputed:
    """Images as vectors.

    Attributes
    ----------
    paths
        How each of the n images is shown.
    content_hashes
        Equal for equal images: as the file has them, else its paths, else hashes of the vectors.
    labels
        Class name of each image, None for one without; None as a whole if no image has one.
    label_kind
        What the labels are of.
    embeddings
        Unit vectors (n, d) float32.
    features
        (n, f) float32, or None.
    identity
        Encoder that made them. Files that name no encoder are distinguished by their dimensions alone.
    class_names
        Names of the K classes; those of the labels, sorted, where the file has no list of its own.
    text_vectors
        Unit vectors (K, d) float32 in the order of `class_names`, a row of zeros where a class has none; or
        None.
    groups
        Which source each image comes from, None for one without; None as a whole where the file tells of none.
    views
        How many views of its image each embedding is the mean of; None where the file does not say.
    skipped
        Images that have no vector, and why; and parts of a folder that can't be used.
    parts_lost
        How many of these are parts.
    """

    paths: tuple[str, ...]
    content_hashes: tuple[str, ...]
    labels: tuple[str | None, ...] | None
    embeddings: NDArray[np.float32]
    features: NDArray[np.float32] | None
    identity: EncoderIdentity
    class_names: tuple[str, ...]
    text_vectors: NDArray[np.float32] | None
    label_kind: Kind = Kind.TEXT
    groups: tuple[str | None, ...] | None = None
    views: int | None = None
    skipped: tuple[SkippedImage, ...] = ()
    parts_lost: int = 0

    def of_views(self, views: int | None) -> Precomputed:
        """The same, each embedding being the mean of so many views; None leaves what the file says.

        Raises
        ------
        InputError
            If the file says another number, or it is none.
        """
        views = number_of_views(views)
        if None not in (views, self.views) and views != self.views:
            raise InputError(
                f"The file of embeddings says that they are means of {self.views} views, not of {views}.",
                remedy="Leave --views out, in Python views, or write the file again.",
            )
        return replace(self, views=self.views if views is None else views)


def read_precomputed(path: str | Path) -> Precomputed:
    """Read vectors from an ``.npz`` or ``.parquet`` file, or from a folder or URL of Parquet files.

    Raises
    ------
    InputError
        If the file is missing, of another kind, or its arrays do not fit together: not two-dimensional, of
        different lengths, not finite, of no length. Of a folder, if none of its parts can be used.
    """
    if is_url(str(path)) or Path(path).is_dir():
        return _together(path)
    path = Path(path)
    if not path.is_file():
        raise InputError(f"'{path}' is not a file.", remedy="Name an .npz or .parquet file of embeddings.")
    arrays = _reader(path)(path)
    try:
        return _checked(arrays, str(path))
    except InputError as error:
        raise InputError(f"'{path}': {error.message}", remedy=error.remedy) from error


def _together(where: str | Path) -> Precomputed:
    """All parts of a folder that can be used."""
    parts = vector_parts(where)
    if parts is None:
        raise InputError(f"'{where}' holds no embeddings.", remedy="Name a folder of .parquet files with embeddings.")
    read: list[Precomputed] = []
    lost: list[SkippedImage] = []
    skipped: list[SkippedImage] = []
    fingerprint = parts.fingerprint
    for file in parts.files:
        try:
            part, without = _part(parts, file, fingerprint)
        except InputError as error:
            lost.append(parts.skipped(file, error.message))
            continue
        skipped += without
        if part is not None:
            fingerprint = part.identity.fingerprint
            read.append(part)
    skipped = [*lost, *skipped]
    if not read:
        first = f" The first: '{skipped[0].path}': {skipped[0].reason}." if skipped else ""
        raise InputError(f"No vector in '{where}' can be used.{first}", remedy="Embed the images again.")
    try:
        return replace(_joined(read), skipped=tuple(skipped), parts_lost=len(lost))
    except InputError as error:
        raise InputError(f"'{where}': {error.message}", remedy=error.remedy) from error


def _part(
    parts: VectorParts, file: str, fingerprint: str | None
) -> tuple[Precomputed | None, tuple[SkippedImage, ...]]:
    """A part, which must be of the encoder with that fingerprint, and its images that have no vector."""
    from inkling.embeddings.parquet import arrays_of, told_as_parquet

    with told_as_parquet("the part"):
        arrays = arrays_of(table_of(parts, file))
    skipped = tuple(SkippedImage(*one) for one in arrays.get(SKIPPED, ()))
    if skipped and not len(arrays.get("embeddings", ())):
        return None, skipped
    found = _checked(arrays, parts.name)
    require_fingerprint(found.identity.fingerprint, fingerprint)
    rows = tuple(f"{file} {path}" for path in found.paths)
    return (found if "paths" in arrays else replace(found, paths=rows)), skipped


def _joined(parts: Sequence[Precomputed]) -> Precomputed:
    """Parts of one encoder as one; `skipped` is left to the caller."""
    first = parts[0]
    views = number_of_views([one.views for one in parts])
    kinds = {one.label_kind for one in parts if one.labels is not None}
    if len(kinds) > 1:
        told = " and ".join(sorted(kind.value for kind in kinds))
        raise InputError(f"labels are {told} in different parts.", remedy="Write all of them as text.")
    kind = next(iter(kinds), Kind.TEXT)
    labels = [label for one in parts for label in one.labels or (None,) * len(one.paths)]
    groups = [group for one in parts for group in one.groups or (None,) * len(one.paths)]
    return replace(
        first,
        paths=tuple(path for one in parts for path in one.paths),
        content_hashes=tuple(content for one in parts for content in one.content_hashes),
        labels=tuple(labels) if kinds else None,
        label_kind=kind,
        embeddings=np.concatenate([one.embeddings for one in parts]),
        features=None if first.features is None else np.concatenate([one.features for one in parts]),
        class_names=tuple(kind.sorted({label for label in labels if label is not None})),
        groups=tuple(groups) if any(one.groups is not None for one in parts) else None,
        views=views,
    )


def _reader(path: Path) -> Callable[[Path], Mapping[str, Any]]:
    if path.suffix.lower() == ".npz":
        return _read_npz
    if path.suffix.lower() == ".parquet":
        require("pyarrow", extra="parquet", purpose=f"Reading '{path}'")
        from inkling.embeddings.parquet import read_arrays

        return read_arrays
    raise InputError(f"'{path}' is not a file of embeddings.", remedy="Expected a name that ends in .npz or .parquet.")


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # zipfile, zlib and numpy each have their own for a damaged file
        raise InputError(
            f"'{path}' cannot be read as an npz file: {excerpt(error)}.",
            remedy="Save plain arrays with numpy.savez; text as arrays of strings, not of objects.",
        ) from error


def _checked(arrays: Mapping[str, Any], source: str) -> Precomputed:
    skipped = tuple(SkippedImage(*one) for one in arrays.get(SKIPPED, ()))
    if skipped and not len(arrays["embeddings"]):
        raise InputError(f"none of its images has a vector; the first, {skipped[0].path}: {skipped[0].reason}.")
    embeddings = matrix(_first(arrays, "embeddings", "x"), "embeddings")
    n_images, dimension = embeddings.shape
    features = _optional_matrix(arrays, "features", n_rows=n_images)
    labels, class_names = _labels(arrays, n_images)
    text_vectors = _optional_matrix(arrays, "text_vectors", n_rows=len(class_names))
    if text_vectors is not None and text_vectors.shape[1] != dimension:
        raise InputError(
            f"text_vectors have {text_vectors.shape[1]} dimensions, embeddings {dimension}.",
            remedy="Images and texts must come from one encoder.",
        )
    paths, groups = _paths(arrays, n_images), arrays.get("groups", arrays.get("group"))
    return Precomputed(
        paths=paths,
        content_hashes=_content_hashes(arrays, unit_rows(embeddings)),
        labels=None if labels is None else labels.names,
        label_kind=Kind.TEXT if labels is None else labels.kind,
        embeddings=unit_rows(embeddings),
        features=features,
        identity=identity_in(arrays, source, dimension, 0 if features is None else features.shape[1]),
        class_names=class_names,
        text_vectors=None if text_vectors is None else unit_rows(text_vectors, zeros_allowed=True),
        groups=None if groups is None else tuple(read_groups(groups, n_images)),
        views=number_of_views(arrays.get("views")),
        skipped=skipped,
    )


def _first(arrays: Mapping[str, Any], *names: str) -> Any:
    """The array under the first of the names that is there."""
    for name in names:
        if name in arrays:
            return arrays[name]
    raise InputError(f"it has no array '{names[0]}'; found: {excerpt(', '.join(arrays) or 'none')}.", remedy=_KEYS)


def _optional_matrix(arrays: Mapping[str, Any], name: str, *, n_rows: int) -> NDArray[np.float32] | None:
    if arrays.get(name) is None:
        return None
    found = matrix(arrays[name], name)
    same_length(name, len(found), n_rows)
    return found


def _labels(arrays: Mapping[str, Any], n_images: int) -> tuple[Labels | None, tuple[str, ...]]:
    """Labels, None if no image has one; and the list of class names."""
    named = read_labels(np.atleast_1d(np.asarray(arrays.get("class_names", ()))))
    class_names = tuple(map(require_class_name, named.names))
    found = arrays.get("labels", arrays.get("y"))
    if found is None:
        return None, class_names
    labels = read_labels(found)
    same_length("labels", len(labels.names), n_images)
    if class_names and labels.kind is Kind.NUMBER:
        labels = Labels(_counted(labels.names, class_names), named.kind)
    if all(name is None for name in labels.names):
        return None, class_names
    return labels, class_names or tuple(labels.kind.sorted({name for name in labels.names if name is not None}))


def _counted(names: Sequence[str | None], class_names: Sequence[str]) -> tuple[str | None, ...]:
    """The class names that numbers count into."""
    numbers = [None if name is None else int(name) for name in names]
    met = [number for number in numbers if number is not None]
    if min(met) < 0 or max(met) >= len(class_names):
        raise InputError(
            f"labels run from {min(met)} to {max(met)}; there are {len(class_names)} class_names.",
            remedy="Integer labels count from 0 into class_names.",
        )
    return tuple(None if number is None else class_names[number] for number in numbers)


def _paths(arrays: Mapping[str, Any], n_images: int) -> tuple[str, ...]:
    paths = arrays.get("paths", arrays.get("path"))
    rows = tuple(f"row {row}" for row in range(n_images))
    if paths is None:
        return rows
    return tuple(path or row for path, row in zip(texts(paths, "paths", n_rows=n_images), rows, strict=True))


def _content_hashes(arrays: Mapping[str, Any], embeddings: NDArray[np.float32]) -> tuple[str, ...]:
    """Rows without a name are identified by their vectors: numbers of rows would be equal in another file."""
    named = "paths" in arrays or "path" in arrays
    otherwise = _paths(arrays, len(embeddings)) if named else vector_hashes(embeddings)
    if arrays.get("content_hashes") is None:
        return otherwise
    hashes = texts(arrays["content_hashes"], "content_hashes", n_rows=len(embeddings))
    return tuple(key or other for key, other in zip(hashes, otherwise, strict=True))


def identity_in(arrays: Mapping[str, Any], source: str, dimension: int, feature_dimension: int) -> EncoderIdentity:
    """The encoder that arrays name, or one that stands for it.

    Raises
    ------
    InputError
        If its description can't be read, or tells of other dimensions.
    """
    stated = _encoder(arrays)
    if stated.startswith("{"):
        return _stated_identity(stated, dimension, feature_dimension)
    name = stated or "precomputed"
    return EncoderIdentity(
        name=name,
        source=source,
        fingerprint=f"{name}:{dimension}+{feature_dimension}",
        dimension=dimension,
        feature_dimension=feature_dimension,
        logit_scale=positive_number(arrays.get("logit_scale", DEFAULT_LOGIT_SCALE), "logit_scale"),
        precision="float32",
    )


def _encoder(arrays: Mapping[str, Any]) -> str:
    stated = np.asarray(arrays.get("encoder", ""))
    if stated.ndim or stated.dtype.kind != "U" or not is_utf8(str(stated)):
        raise InputError(f"encoder must be one text, found {stated.dtype} of {stated.shape}.")
    return str(stated)


def _stated_identity(text: str, dimension: int, feature_dimension: int) -> EncoderIdentity:
    try:
        identity = _identity_of(json.loads(text))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"its description of the encoder cannot be read: {excerpt(error)}.") from error
    stated = (identity.dimension, identity.feature_dimension)
    if stated != (dimension, feature_dimension):
        raise InputError(
            f"the vectors have {dimension} + {feature_dimension} dimensions; the encoder {excerpt(identity.name)} "
            f"that the file names has {excerpt(stated[0])} + {excerpt(stated[1])}.",
            remedy="Write the file again with the encoder that made the vectors.",
        )
    return identity


def _identity_of(values: Mapping[str, Any]) -> EncoderIdentity:
    """An identity of JSON, whose values may be of any kind."""
    identity = EncoderIdentity(**values)
    for key in ("name", "source", "fingerprint", "precision"):
        if not isinstance(values[key], str) or not is_utf8(values[key]):
            raise TypeError(f"'{key}' is no text")
    return replace(identity, logit_scale=positive_number(identity.logit_scale, "logit_scale"))
