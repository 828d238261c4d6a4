"""What a page shows of a memory: classes and proposals with the images behind them, all of one version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select

from inkling.memory import schema
from inkling.memory.classes import KnownClass, class_ids, known_classes
from inkling.memory.discovered import OPEN, WAITING, Proposal
from inkling.memory.opened import seeing
from inkling.memory.proposals import read_proposals
from inkling.memory.read import read_encoder, version_of


@dataclass(frozen=True)
class ShownImage:
    """An image by its content hash and path.

    Attributes
    ----------
    p_known
        p-value of its being of a known class, where it waits in the pool.
    """

    content_hash: str
    path: str
    p_known: float | None = None


@dataclass(frozen=True)
class ShownClass:
    """A known class with its number and some of its images."""

    id: int
    known: KnownClass
    exemplars: tuple[ShownImage, ...]


@dataclass(frozen=True)
class ShownClasses:
    """The known classes, by name, and the version that they are of."""

    version: int
    classes: tuple[ShownClass, ...]


@dataclass(frozen=True)
class ShownProposals:
    """Proposals with their images, nearest to the centre first, and the images that wait in no proposal.

    Attributes
    ----------
    images
        Images of each proposal, by its number.
    loose
        The images that wait in the pool and are in no open proposal, least like the known classes first.
    n_loose
        How many there are of those.
    """

    version: int
    proposals: tuple[Proposal, ...]
    images: dict[int, tuple[ShownImage, ...]]
    loose: tuple[ShownImage, ...]
    n_loose: int


def shown_classes(path: str | Path, *, most: int, of: int | None = None) -> ShownClasses:
    """The known classes, each with so many images at most.

    Parameters
    ----------
    of
        Number of the one class to read; None reads all.

    Raises
    ------
    MemoryFileError
        If the file is missing, not an Inkling memory, damaged, or of a newer release.
    """
    with seeing(path) as connection:
        space_id, encoder = read_encoder(connection)
        numbers = class_ids(connection)
        exemplars = _exemplars(connection, most, of)
        shown = [
            ShownClass(numbers[one.name], one, exemplars[numbers[one.name]])
            for one in known_classes(connection, space_id, encoder.dimension)
            if of in (None, numbers[one.name])
        ]
        return ShownClasses(version_of(connection), tuple(sorted(shown, key=lambda one: one.known.name)))


def _exemplars(connection: Connection, most: int, of: int | None) -> defaultdict[int, tuple[ShownImage, ...]]:
    """The first images of each class, by its number."""
    table = schema.exemplar
    number = func.min(table.c.id)
    grouped = select(table.c.class_id, table.c.content_hash, func.min(table.c.path).label("path"), number.label("id"))
    if of is not None:
        grouped = grouped.where(table.c.class_id == of)
    images = grouped.group_by(table.c.class_id, table.c.content_hash).subquery()
    rank = func.row_number().over(partition_by=images.c.class_id, order_by=images.c.id)
    ranked = select(images, rank.label("rank")).subquery()
    query = select(ranked.c.class_id, ranked.c.content_hash, ranked.c.path).where(ranked.c.rank <= most)
    found: defaultdict[int, tuple[ShownImage, ...]] = defaultdict(tuple)
    for class_id, content_hash, path in connection.execute(query.order_by(ranked.c.class_id, ranked.c.id)):
        found[class_id] += (ShownImage(content_hash, path),)
    return found


def shown_proposals(path: str | Path, *, state: str | None = OPEN, most: int) -> ShownProposals:
    """Proposals in a state, or all for None, and so many loose images at most.

    Raises
    ------
    MemoryFileError
        As for `shown_classes`.
    """
    with seeing(path) as connection:
        proposals = read_proposals(connection, None if state is None else schema.proposal.c.state == state)
        members = sorted({number for one in proposals for number in one.finding.members})
        hashes = _hashes(connection, members)
        images = {
            one.id: tuple(
                ShownImage(hashes[number], path) for number, path in zip(one.finding.members, one.images, strict=True)
            )
            for one in proposals
        }
        loose = _loose(connection)
        return ShownProposals(version_of(connection), proposals, images, loose[:most], len(loose))


def _hashes(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    table = schema.pooled
    every = connection.execute(select(table.c.id, table.c.content_hash)).all()
    wanted = set(ids)
    return {number: content for number, content in every if number in wanted}


def _loose(connection: Connection) -> tuple[ShownImage, ...]:
    """Images that wait and that no open proposal has."""
    pooled, member, proposal = schema.pooled, schema.proposal_member, schema.proposal
    grouped = (
        select(member.c.pooled_id).join(proposal, proposal.c.id == member.c.proposal_id).where(proposal.c.state == OPEN)
    )
    training = select(schema.exemplar.c.content_hash)
    query = (
        select(pooled.c.content_hash, pooled.c.path, pooled.c.p_known)
        .where((pooled.c.state == WAITING) & pooled.c.id.not_in(grouped) & pooled.c.content_hash.not_in(training))
        .order_by(func.coalesce(pooled.c.p_known, 1.0), pooled.c.id)
    )
    return tuple(ShownImage(*row) for row in connection.execute(query))


def waiting_path(path: str | Path, content_hash: str) -> str | None:
    """The path of an image that waits in the pool; None where no such image waits.

    Raises
    ------
    MemoryFileError
        As for `shown_classes`.
    """
    pooled = schema.pooled
    query = select(pooled.c.path).where((pooled.c.content_hash == content_hash) & (pooled.c.state == WAITING))
    with seeing(path) as connection:
        found = connection.execute(query).scalar()
    return None if found is None else str(found)


def stored_thumbnail(path: str | Path, content_hash: str) -> bytes | None:
    """The small picture that the memory keeps of an image; None where it keeps none.

    Raises
    ------
    MemoryFileError
        As for `shown_classes`.
    """
    exemplar, thumbnail, pooled = schema.exemplar, schema.thumbnail, schema.pooled
    of_exemplar = (
        select(thumbnail.c.jpeg)
        .join(exemplar, exemplar.c.id == thumbnail.c.exemplar_id)
        .where(exemplar.c.content_hash == content_hash)
        .limit(1)
    )
    of_pooled = select(pooled.c.thumbnail).where(pooled.c.content_hash == content_hash)
    with seeing(path) as connection:
        found = connection.execute(of_exemplar).scalar() or connection.execute(of_pooled).scalar()
    return None if found is None else bytes(found)
