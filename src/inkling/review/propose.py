"""What discovery found, as proposals in the memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inkling.classifier.few_shot import FewShotClassifier
from inkling.discovery import Drift, Found
from inkling.discovery import Proposal as Cluster
from inkling.discovery.batch import GATE
from inkling.discovery.naming import Namer
from inkling.embeddings.samples import Samples
from inkling.errors import EncoderMismatchError, InputError
from inkling.heads.support import unit_rows
from inkling.memory.discovered import CANNOT, MUST, Finding, Pool, PooledImage, Proposal, StreamState
from inkling.memory.pool import read_waiting
from inkling.memory.proposals import write_proposals
from inkling.review.known_images import KnownImages
from inkling.types import BoolArray, FloatArray, IntArray, SkippedImage
from inkling.unknown import UnknownDetector
from inkling.wording import counted


@dataclass(frozen=True)
class Near:
    """Images that were put to a known class and lean apart from it together: perhaps a class that resembles it.

    Attributes
    ----------
    known_class
        Its name.
    paths
        The images.
    of
        Images that were put to the class in all.
    """

    known_class: str
    paths: tuple[str, ...]
    of: int

    @property
    def finding(self) -> str:
        """In words."""
        return f"near {self.known_class}: {len(self.paths)} of {counted(self.of, 'image')} lean apart"


@dataclass(frozen=True, eq=False)
class Explored:
    """What came of unlabelled images.

    Attributes
    ----------
    proposals
        All that wait in the memory now.
    drift
        Whether nearly all images look unlike the known classes, rather than groups of them.
    number
        Least and greatest likely number of new classes among the images looked at; None where nothing was proposed.
    leaning
        Images that were put to a known class and lean apart from it together.
    n_images, n_candidates
        Images looked at now, and those of them that went to the pool.
    waiting
        The pool, by number.
    memory_version
        After it.
    skipped
        Images that could not be read, and why.

    Examples
    --------
    >>> from inkling.review.explore import explore
    >>> classifier = FewShotClassifier.load("vehicles.ink")
    >>> found = explore("vehicles.ink", classifier, None, min_images=3)
    >>> [one.likely_name for one in found.proposals]
    ['car', 'headboard']
    """

    proposals: tuple[Proposal, ...]
    drift: Drift
    n_images: int
    n_candidates: int
    waiting: dict[int, PooledImage]
    memory_version: int
    skipped: tuple[SkippedImage, ...] = ()
    number: tuple[int, int] | None = None
    leaning: tuple[Near, ...] = ()


class Seen:
    """Images that are looked at now.

    Parameters
    ----------
    samples
        With vectors by the memory's encoder.
    p_known
        p-value of each, that it is of a known class.
    """

    def __init__(self, samples: Samples, p_known: FloatArray) -> None:
        self.samples, self.p_known = samples, p_known
        self.candidate: BoolArray = p_known <= GATE

    def candidates(self) -> tuple[list[PooledImage], FloatArray]:
        """The candidates as the pool keeps them, each content once, and their vectors."""
        samples = self.samples
        rows = {samples.content_hashes[row]: row for row in np.flatnonzero(self.candidate)[::-1].tolist()}
        chosen = sorted(rows.values())
        images = [
            PooledImage(
                samples.paths[row],
                samples.content_hashes[row],
                float(self.p_known[row]),
                samples.thumbnails[row],
            )
            for row in chosen
        ]
        return images, samples.X[chosen]


def detector_of(classifier: FewShotClassifier) -> UnknownDetector:
    """The detector of unknown images.

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


def linked_rows(pool: Pool, hashes: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """Pairs of rows that decisions linked, as far as both are at hand.

    Links that were made one at a time may contradict each other along a chain: a and b are one class, b and c are one
    class, a and c are not. Then the latter holds, and a tie of the chain is left out.
    """
    row = {content: at for at, content in enumerate(hashes)}
    pairs = {
        kind: [
            (row[link.first], row[link.second])
            for link in pool.links
            if link.kind == kind and link.first in row and link.second in row
        ]
        for kind in (MUST, CANNOT)
    }
    return {"must_link": _without_contradiction(pairs[MUST], pairs[CANNOT]), "cannot_link": pairs[CANNOT]}


def _without_contradiction(must: Sequence[tuple[int, int]], cannot: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ties that join no two images that must not be together, whichever others are joined before."""
    if not cannot:
        return list(must)
    group = {row: frozenset([row]) for pair in (*must, *cannot) for row in pair}
    kept = []
    for first, second in must:
        together = group[first] | group[second]
        if not any(left in together and right in together for left, right in cannot):
            kept.append((first, second))
            group.update(dict.fromkeys(together, together))
    return kept


def require_same_encoder(pool: Pool, classifier: FewShotClassifier) -> None:
    """Make sure that the pool's vectors are of the encoder that the classifier knows.

    Raises
    ------
    EncoderMismatchError
        If the memory has another encoder than when the classifier was loaded.
    """
    mine = classifier.fitted.samples.identity.fingerprint
    if pool.fingerprint != mine:
        raise EncoderMismatchError(
            f"The memory was put to another encoder meanwhile (fingerprint {pool.fingerprint}; it was {mine}).",
            remedy="Run it again: it then uses the new encoder.",
        )


def explored(
    path: str | Path, found: Found, seen: Seen | None, *, classes: Sequence[str], paths: Sequence[str]
) -> Explored:
    """What came of it, with all that waits in the memory now.

    Parameters
    ----------
    classes
        Names of the known classes by index.
    paths
        Of the images that the rows of what was found are of.
    """
    pool, proposals, version = read_waiting(path)
    return Explored(
        proposals=proposals,
        drift=found.drift,
        n_images=0 if seen is None else len(seen.p_known),
        n_candidates=0 if seen is None else int(seen.candidate.sum()),
        waiting=dict(zip(pool.ids.tolist(), pool.images, strict=True)),
        memory_version=version,
        skipped=() if seen is None else seen.samples.skipped,
        number=found.number,
        leaning=tuple(
            Near(classes[one.known_class], tuple(paths[row] for row in one.rows.tolist()), one.of)
            for one in found.leaning
        ),
    )


def put_forward(
    path: str | Path,
    classifier: FewShotClassifier,
    known: KnownImages,
    pool: Pool,
    found: Found,
    *,
    stream: StreamState | None = None,
    any_version: bool = False,
) -> None:
    """Write the clusters that were found as proposals.

    Parameters
    ----------
    pool, found
        The images that clusters were looked for among; the rows of what was found are theirs.
    stream
        Where discovery on the stream stands now, if it was that.
    any_version
        Write them even where the memory has changed since the pool was read. What was decided meanwhile holds.

    Raises
    ------
    MemoryChangedError
        If the memory has changed since.
    """
    embeddings = unit_rows(pool.vectors[:, : classifier.fitted.samples.identity.dimension])
    findings: list[Finding] = []
    if found.proposals:
        namer = classifier.namer(np.concatenate([known.X, embeddings]))
        findings = [_finding(one, pool, found.picture, embeddings, namer, known.names) for one in found.proposals]
    write_proposals(path, findings, stream=stream, version=None if any_version else pool.version)


def _finding(
    cluster: Cluster,
    pool: Pool,
    picture: IntArray,
    embeddings: FloatArray,
    namer: Namer,
    classes: Sequence[str],
) -> Finding:
    X = embeddings[cluster.rows]
    rows = cluster.rows[np.argsort(-(X @ X.mean(axis=0)), kind="stable")]
    ids = pool.ids[rows]
    # Near-duplicates share the lowest number among them.
    first = {shown: int(ids[picture[rows] == shown].min()) for shown in np.unique(picture[rows]).tolist()}
    return Finding(
        members=tuple(ids.tolist()),
        size=len(first),
        stability=cluster.stability,
        names=_names(namer, X),
        nearest_class=classes[cluster.nearest_class],
        distance=cluster.distance,
        pictures=tuple(first[shown] for shown in picture[rows].tolist()),
    )


def _names(namer: Namer, X: FloatArray) -> tuple[dict[str, Any], ...]:
    """Ranked names with their evidence; a wider word that several of them share comes first."""
    naming = namer(X, number=0)
    ranked = [asdict(one) for one in naming.ranked]
    narrow = {one["name"] for one in ranked}
    if naming.suggestion in narrow or not ranked or naming.suggestion == "unnamed-0":
        return tuple(ranked)
    return ({"name": naming.suggestion}, *ranked)
