"""The unknown pool in the memory: images come in, and what waits there is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, select

from inkling.errors import EncoderMismatchError, InputError
from inkling.memory import schema
from inkling.memory.amend import Amendment, Outcome, amend_if_needed
from inkling.memory.columns import finite, vector_rows
from inkling.memory.discovered import OPEN, WAITING, Pool, PooledImage, Proposal
from inkling.memory.events import OBSERVE, Event
from inkling.memory.links import read_links
from inkling.memory.opened import seeing
from inkling.memory.proposals import edited_members, read_proposals
from inkling.memory.read import float32_rows, read_encoder, version_of
from inkling.memory.streams import read_stream
from inkling.provenance import now
from inkling.types import Vectors


def observe(
    path: str | Path,
    images: Sequence[PooledImage],
    vectors: Vectors,
    *,
    fingerprint: str,
) -> Event | None:
    """Put images into the unknown pool, in one transaction.

    Images that are there already, whatever became of them, and training images are left out. One that was
    pooled with another encoder gets its vector in this one's space.

    Parameters
    ----------
    path
        An existing memory.
    images, vectors
        The images and, row by row, what the memory's encoder made of them, (n, d + f).
    fingerprint
        Of that encoder.

    Returns
    -------
    Event
        What was logged; None where no image is new, and the memory stays as it is.

    Raises
    ------
    EncoderMismatchError
        If the memory has another encoder by now.
    MemoryFileError
        If there is no memory, or it cannot be written.
    """
    vectors = np.asarray(vectors, dtype=np.float32)

    def change(memory: Amendment) -> Outcome:
        _require_space(memory, fingerprint, vectors, len(images))
        new = _unseen(memory.connection, images)
        _insert(memory, [images[row] for row in new])
        _place(memory, images, vectors)
        return {"seen": len(images), "new": len(new)}

    return amend_if_needed(path, OBSERVE, {"images": len(images)}, change)


def read_pool(path: str | Path) -> Pool:
    """The images that wait for a decision, with what was decided about others.

    Raises
    ------
    MemoryFileError
        If the file is missing, not an Inkling memory, damaged, or of a newer release.
    """
    with seeing(path) as connection:
        return pool_of(connection)


def read_waiting(path: str | Path) -> tuple[Pool, tuple[Proposal, ...], int]:
    """The images that wait, the open proposals, and the version that both are of.

    Raises
    ------
    MemoryFileError
        As for `read_pool`.
    """
    with seeing(path) as connection:
        proposals = read_proposals(connection, schema.proposal.c.state == OPEN)
        return pool_of(connection), proposals, version_of(connection)


def pool_of(connection: Connection, ids: Sequence[int] | None = None) -> Pool:
    """The pool in the space that is in use; with `ids`, these images of it."""
    space_id, encoder = read_encoder(connection)
    table, vector = schema.pooled, schema.pooled_vector
    training = select(schema.exemplar.c.content_hash)
    query = (
        select(table.c.id, table.c.path, table.c.content_hash, table.c.p_known, table.c.thumbnail, vector.c.data)
        .join(vector, (vector.c.pooled_id == table.c.id) & (vector.c.space_id == space_id))
        .where((table.c.state == WAITING) & table.c.content_hash.not_in(training))
        .order_by(table.c.id)
    )
    rows = connection.execute(query if ids is None else query.where(table.c.id.in_(ids))).all()
    numbers = np.array([number for number, *_ in rows], dtype=np.int64)
    return Pool(
        ids=numbers,
        images=tuple(PooledImage(*facts) for _, *facts, _ in rows),
        vectors=float32_rows([data for *_, data in rows], encoder.dimension + encoder.feature_dimension),
        links=read_links(connection),
        stream=read_stream(connection, space_id),
        version=version_of(connection),
        fingerprint=encoder.fingerprint,
        edited=np.isin(numbers, sorted(edited_members(connection))),
    )


@dataclass(frozen=True, eq=False)
class Member:
    """A pooled image with its vector (d + f,) in the space in use."""

    id: int
    image: PooledImage
    vector: Vectors

    @staticmethod
    def stacked(members: Sequence[Member]) -> Vectors:
        """Vectors of members, (n, d + f)."""
        return np.stack([one.vector for one in members])


def waiting_members(memory: Amendment, ids: Sequence[int]) -> list[Member]:
    """Those of the pooled images that wait and have a vector in the space in use, in the order of `ids`."""
    pool = pool_of(memory.connection, ids)
    found = {
        number: Member(number, image, vector)
        for number, image, vector in zip(pool.ids.tolist(), pool.images, pool.vectors, strict=True)
    }
    return [found[number] for number in ids if number in found]


def set_state(memory: Amendment, ids: Sequence[int], state: str) -> None:
    """Say what became of pooled images."""
    for number in ids:
        memory.rows.update(schema.pooled, (number,), {"state": state})


def _insert(memory: Amendment, images: Sequence[PooledImage]) -> None:
    seen = {"state": WAITING, "first_version": memory.version, "first_seen": now()}
    rows = [vars(image) | {"p_known": _p_value(image.p_known)} | seen for image in images]
    memory.rows.insert_numbered(schema.pooled, rows)


def _place(memory: Amendment, images: Sequence[PooledImage], vectors: Vectors) -> None:
    """Vectors for the images of the pool that have none in the space in use: new ones, and older than the space."""
    table, vector = schema.pooled, schema.pooled_vector
    placed = select(vector.c.pooled_id).where(vector.c.space_id == memory.space_id)
    query = select(table.c.content_hash, table.c.id).where(table.c.id.not_in(placed))
    without: dict[str, int] = dict(memory.connection.execute(query).all())
    ids = {without[image.content_hash]: row for row, image in enumerate(images) if image.content_hash in without}
    rows = zip(ids, vector_rows(vectors[list(ids.values())]), strict=True)
    memory.rows.insert(
        vector, ({"pooled_id": number, "space_id": memory.space_id, "data": data} for number, data in rows)
    )


def _p_value(value: float | None) -> float | None:
    return None if value is None else finite(value, what="p-value of an image")


def _unseen(connection: Connection, images: Sequence[PooledImage]) -> list[int]:
    """Which of the images are neither pooled nor training images, each content once."""
    known: set[str] = set()
    for table in (schema.pooled, schema.exemplar):
        known |= set(connection.execute(select(table.c.content_hash)).scalars())
    new = []
    for row, image in enumerate(images):
        if image.content_hash not in known:
            known.add(image.content_hash)
            new.append(row)
    return new


def _require_space(memory: Amendment, fingerprint: str, vectors: Vectors, n_images: int) -> None:
    encoder = memory.encoder
    if fingerprint != encoder.fingerprint:
        raise EncoderMismatchError(
            f"The images were seen by an encoder with fingerprint {fingerprint}; "
            f"that of the memory's is {encoder.fingerprint}.",
            remedy="Embed them with the memory's encoder.",
        )
    expected = (n_images, encoder.dimension + encoder.feature_dimension)
    if vectors.shape != expected:
        raise InputError(f"Vectors of shape {expected} were expected, one row an image; they have {vectors.shape}.")
