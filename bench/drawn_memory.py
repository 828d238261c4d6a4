"""Memories of any size, of vectors that are drawn: for costs that do not depend on what the vectors show."""

from __future__ import annotations

import numpy as np

from inkling.embeddings.samples import Samples
from inkling.heads.support import unit_rows
from inkling.types import ClassEntry, EncoderIdentity, FloatArray

DIMS = 512
IDENTITY = EncoderIdentity("precomputed", "precomputed", f"precomputed:{DIMS}+0", DIMS, 0, 100.0, "float32")
SPREAD, SPREAD_OF_TEXTS = 1.5, 3.0
"""Of images and of texts around the centre of their class, whose own numbers have a spread of 1."""


def images_of(centres: FloatArray, rng: np.random.Generator) -> FloatArray:
    """An image around each of the centres, as unit vectors (n, DIMS) float32."""
    X = unit_rows(centres + SPREAD * rng.standard_normal(centres.shape, dtype=np.float32))
    return X.astype(np.float32)


def drawn(
    n: int, n_classes: int, rng: np.random.Generator, *, with_text: bool = False, thumbnail_bytes: int = 0
) -> tuple[Samples, list[ClassEntry]]:
    """So many images, in turn of each class, and the classes."""
    y = np.arange(n) % n_classes
    centres = rng.standard_normal((n_classes, DIMS), dtype=np.float32)
    names = [f"class {k:04d}" for k in range(n_classes)]
    samples = Samples(
        identity=IDENTITY,
        paths=tuple(f"images/{names[k]}/{row}.jpg" for row, k in enumerate(y)),
        labels=tuple(names[k] for k in y),
        content_hashes=tuple(f"{row:032x}" for row in range(n)),
        thumbnails=tuple(rng.bytes(thumbnail_bytes) if thumbnail_bytes else None for _ in range(n)),
        views=(0,) * n,
        X=images_of(centres[y], rng),
    )
    if not with_text:
        return samples, [ClassEntry(name) for name in names]
    text = unit_rows(centres + SPREAD_OF_TEXTS * rng.standard_normal(centres.shape, dtype=np.float32))
    rows = zip(names, text.astype(np.float32), strict=True)
    return samples, [ClassEntry(name, (f"a photo of a {name}.",), (), row) for name, row in rows]
