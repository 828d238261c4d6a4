"""What the memory keeps of the unknown, as values: pooled images, the proposals made of them, the state of a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from inkling.types import BoolArray, IntArray, Vectors

WAITING, ACCEPTED, DISCARDED = "waiting", "accepted", "discarded"
OPEN, MERGED, SPLIT, WITHDRAWN = "open", "merged", "split", "withdrawn"
MUST, CANNOT = "must", "cannot"


@dataclass(frozen=True)
class PooledImage:
    """An image unlike every known class.

    Attributes
    ----------
    path
        Where the image was found; it need not exist any more.
    content_hash
        Hash of the image file.
    p_known
        p-value of its being of a known class.
    thumbnail
        A small JPEG.
    """

    path: str
    content_hash: str
    p_known: float | None = None
    thumbnail: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Link:
    """A constraint on two images from a decision, by their content hashes.

    Attributes
    ----------
    kind
        `MUST`: they are of one class; `CANNOT`: they are not.
    """

    first: str
    second: str
    kind: str


@dataclass(frozen=True, eq=False)
class StreamState:
    """Where discovery in one pass stands, in forms that any language can read."""

    state: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Pool:
    """The images that wait for a decision, in the order in which they were first seen.

    Attributes
    ----------
    ids
        Their numbers, (n,).
    images
        Who they are, (n,).
    vectors
        (n, d + f) float32: embedding, then feature.
    links
        Constraints on pairs of images, pooled or trained on.
    stream
        Where discovery in one pass stands; None where it has not begun, or the classes were fitted anew since.
    version
        The memory version that all this belongs to.
    fingerprint
        Of the encoder that made the vectors.
    edited
        Which images are in an open proposal that a person changed, (n,): discovery leaves them there.
    """

    ids: IntArray
    images: tuple[PooledImage, ...]
    vectors: Vectors
    links: tuple[Link, ...]
    stream: StreamState | None
    version: int
    fingerprint: str
    edited: BoolArray

    def only(self, rows: BoolArray) -> Pool:
        """Some of the images."""
        kept = tuple(image for image, is_kept in zip(self.images, rows, strict=True) if is_kept)
        return replace(self, ids=self.ids[rows], images=kept, vectors=self.vectors[rows], edited=self.edited[rows])


@dataclass(frozen=True)
class Finding:
    """A cluster of pooled images that discovery proposes as a class.

    Attributes
    ----------
    members
        Numbers of its pooled images, nearest to the centre first.
    size
        Different pictures among them: near-duplicates count once.
    stability
        How surely it is found again in resampled images, 0 to 1.
    names
        Likely names, best first: each has ``name``, and what speaks for it, as JSON can hold it.
    nearest_class, distance
        The known class that is nearest, and how far it is.
    pictures
        For each member a number; members with the same number are near-duplicates. Empty: each is its own picture.
    """

    members: tuple[int, ...]
    size: int
    stability: float
    names: tuple[Mapping[str, Any], ...] = ()
    nearest_class: str | None = None
    distance: float | None = None
    pictures: tuple[int, ...] = ()

    @property
    def picture_of(self) -> tuple[int, ...]:
        """For each member the number of its picture."""
        return self.pictures or self.members


@dataclass(frozen=True)
class Proposal:
    """A finding that waits for a person, or what became of it.

    Attributes
    ----------
    id
        Its number, never given twice.
    state
        open, accepted, merged, split, discarded or withdrawn.
    finding
        What was found.
    images
        Paths of its members, nearest to the centre first.
    name
        Name that a person gave it.
    merged_into
        The proposal that took its place, where it was merged or withdrawn.
    version
        The memory version that wrote it.
    edited
        Whether a person merged, split, renamed or otherwise changed it. Discovery leaves such a proposal as it is.

    Examples
    --------
    >>> proposal = Decisions("vehicles.ink").proposals()[0]
    >>> proposal.id, proposal.state, proposal.likely_name, proposal.finding.size
    (1, 'open', 'car', 8)
    """

    id: int
    state: str
    finding: Finding
    images: tuple[str, ...]
    name: str | None
    merged_into: int | None
    version: int
    edited: bool = False

    @property
    def likely_name(self) -> str:
        """The given name, else the likeliest, else one that says that there is none."""
        ranked: Sequence[Mapping[str, Any]] = self.finding.names
        return self.name or (str(ranked[0]["name"]) if ranked else f"unnamed-{self.id}")
