"""What discovery found, as proposals in the memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inkling.classifier.few_shot import FewShotClassifier
from inkling.discovery import Drift, Found, Ties
from inkling.discovery import Proposal as Cluster
from inkling.discovery.naming import Namer
from inkling.errors import InputError
from inkling.heads.support import unit_rows
from inkling.memory.discovered import CANNOT, MUST, Finding, Pool, PooledImage, Proposal
from inkling.memory.proposals import list_proposals, write_proposals
from inkling.types import FloatArray, IntArray, SkippedImage
from inkling.unknown import UnknownDetector


@dataclass(frozen=True, eq=False)
class Explored:
    """What came of unlabelled images.

    Attributes
    ----------
    proposals
        All that wait in the memory now.
    drift
        Whether the images look strange all alike.
    n_images, n_strange
        Images looked at now, and those of them that went to the pool.
    waiting
        The pool, by number.
    memory_version
        After it.
    skipped
        Images that could not be read, and why.
    """

    proposals: tuple[Proposal, ...]
    drift: Drift
    n_images: int
    n_strange: int
    waiting: dict[int, PooledImage]
    memory_version: int
    skipped: tuple[SkippedImage, ...] = ()


def detector_of(classifier: FewShotClassifier) -> UnknownDetector:
    """What tells strange images.

    Raises
    ------
    InputError
        If the memory has nothing that does.
    """
    detector = classifier.fitted.detector
    if detector is None:
        raise InputError(
            f"The memory can't tell what is new to it; {classifier.fitted.unknown}.",
            remedy="Fit it with more images a class.",
        )
    return detector


def known_side(classifier: FewShotClassifier) -> tuple[FloatArray, IntArray]:
    """Embeddings (m, d) of the known classes' images, and their class indices (m,)."""
    vectors = classifier.fitted.vectors
    return vectors.embeddings, vectors.y


def linked_rows(pool: Pool, kind: str, hashes: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of rows that decisions linked, as far as both are at hand."""
    row = {content: at for at, content in enumerate(hashes)}
    pairs = [(row.get(link.first), row.get(link.second)) for link in pool.links if link.kind == kind]
    return [(first, second) for first, second in pairs if first is not None and second is not None]


def ties(pool: Pool, hashes: Sequence[str]) -> Ties:
    """Content of the images, and what decisions said of those that wait, which come first."""
    waiting = hashes[: len(pool.ids)]
    return Ties(
        hashes=hashes, must_link=linked_rows(pool, MUST, waiting), cannot_link=linked_rows(pool, CANNOT, waiting)
    )


def put_forward(
    path: str | Path, classifier: FewShotClassifier, pool: Pool, found: Found
) -> tuple[tuple[Proposal, ...], int]:
    """Write the clusters that were found as proposals; returns those that wait now, and the memory's version.

    Parameters
    ----------
    found
        Its rows are those of the pool.
    """
    embeddings = unit_rows(pool.vectors[:, : classifier.fitted.samples.identity.dimension])
    findings: list[Finding] = []
    if found.proposals:
        namer = classifier.namer(np.concatenate([known_side(classifier)[0], embeddings]))
        findings = [
            _finding(one, pool, embeddings, namer, classifier.fitted.classes, number)
            for number, one in enumerate(found.proposals, start=1)
        ]
    event = write_proposals(path, findings, version=pool.version)
    return list_proposals(path), event.version


def _finding(
    cluster: Cluster, pool: Pool, embeddings: FloatArray, namer: Namer, classes: Sequence[str], number: int
) -> Finding:
    X = embeddings[cluster.rows]
    nearest_first = np.argsort(-(X @ X.mean(axis=0)), kind="stable")
    return Finding(
        members=tuple(int(one) for one in pool.ids[cluster.rows[nearest_first]]),
        size=cluster.size,
        stability=cluster.stability,
        names=_names(namer, X, number),
        nearest_class=classes[cluster.nearest_class],
        distance=cluster.distance,
    )


def _names(namer: Namer, X: FloatArray, number: int) -> tuple[dict[str, Any], ...]:
    """Ranked names with their evidence; a wider word that several of them share comes first."""
    naming = namer(X, number=number)
    ranked = [asdict(one) for one in naming.ranked]
    narrow = {one["name"] for one in ranked}
    if naming.suggestion in narrow or not ranked or naming.suggestion == f"unnamed-{number}":
        return tuple(ranked)
    return ({"name": naming.suggestion}, *ranked)
