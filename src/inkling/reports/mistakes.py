"""The most confident mistakes, each with the exemplars that look most like it. Arrays and bytes only."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkling.reports.content import EvaluatedImages, Exemplars
from inkling.types import FloatArray

MOST_MISTAKES = 18
N_NEAREST = 3
LARGEST_THUMBNAIL = 24_000
_JPEG_START = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Neighbour:
    """An exemplar near a mistake; `similarity` is the cosine of their embeddings."""

    path: str
    name: str
    similarity: float
    picture: str | None


@dataclass(frozen=True)
class Mistake:
    """A test image with a wrong label; `picture` is a data URI, None where there is no thumbnail."""

    path: str
    true: str
    true_probability: float
    named: str
    named_probability: float
    picture: str | None
    nearest: tuple[Neighbour, ...]


def confident_mistakes(images: EvaluatedImages, exemplars: Exemplars, classes: Sequence[str]) -> tuple[Mistake, ...]:
    """Mistakes with the highest probability of the wrong label, the surest first."""
    named = images.p.argmax(axis=1)
    wrong = np.flatnonzero((images.y >= 0) & (named != images.y))
    surest = wrong[np.argsort(-images.p[wrong, named[wrong]], kind="stable")][:MOST_MISTAKES]
    return tuple(_mistake(images, exemplars, classes, i) for i in surest.tolist())


def picture_uri(thumbnail: bytes | None) -> str | None:
    """A JPEG as a data URI; None for bytes that are no JPEG, or so many that they would swell the page."""
    if thumbnail is None or len(thumbnail) > LARGEST_THUMBNAIL or not thumbnail.startswith(_JPEG_START):
        return None
    return "data:image/jpeg;base64," + base64.b64encode(thumbnail).decode("ascii")


def _mistake(images: EvaluatedImages, exemplars: Exemplars, classes: Sequence[str], i: int) -> Mistake:
    true, named = int(images.y[i]), int(images.p[i].argmax())
    return Mistake(
        path=images.paths[i],
        true=classes[true],
        true_probability=float(images.p[i, true]),
        named=classes[named],
        named_probability=float(images.p[i, named]),
        picture=picture_uri(images.thumbnails[i]),
        nearest=_nearest(images.embeddings[i], exemplars, classes),
    )


def _nearest(embedding: FloatArray, exemplars: Exemplars, classes: Sequence[str]) -> tuple[Neighbour, ...]:
    similarity = exemplars.embeddings @ embedding
    return tuple(
        Neighbour(
            path=exemplars.paths[j],
            name=classes[int(exemplars.y[j])],
            similarity=float(similarity[j]),
            picture=picture_uri(exemplars.thumbnails[j]),
        )
        for j in np.argsort(-similarity, kind="stable")[:N_NEAREST].tolist()
    )
