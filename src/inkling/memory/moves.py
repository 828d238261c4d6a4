"""Images found in the memory, and taken from one place to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from inkling.memory import schema
from inkling.memory.amend import Amendment
from inkling.memory.discovered import OPEN, WAITING
from inkling.memory.read import float32_rows
from inkling.memory.settle import resize, take_out
from inkling.provenance import now
from inkling.types import Vectors


@dataclass(frozen=True)
class ImagePlace:
    """Where an image is.

    Attributes
    ----------
    content_hash, path
        Which image it is, and where it was found.
    classes
        Numbers and names of the classes that it is a training image of; two where it stood under two labels.
    pooled
        Its number in the pool; None where it was never there.
    proposal
        The open proposal that it is in.
    """

    content_hash: str
    path: str
    classes: dict[int, str]
    pooled: int | None
    proposal: int | None


@dataclass(frozen=True)
class HeldImage:
    """A training image as one class holds it.

    Attributes
    ----------
    ids
        Numbers of its exemplars: itself and its views.
    """

    path: str
    content_hash: str
    class_name: str
    ids: tuple[int, ...]


def held_images(connection: Connection) -> list[HeldImage]:
    """All training images, in the order in which they came; a copy at another path is another one."""
    exemplar, klass = schema.exemplar, schema.klass
    query = (
        select(exemplar.c.path, exemplar.c.content_hash, klass.c.name, exemplar.c.id)
        .join(klass, klass.c.id == exemplar.c.class_id)
        .order_by(exemplar.c.id)
    )
    found: dict[tuple[str, str, str], list[int]] = {}
    for path, content, name, number in connection.execute(query):
        found.setdefault((path, content, name), []).append(number)
    return [HeldImage(*about, tuple(ids)) for about, ids in found.items()]


def exemplar_vectors(memory: Amendment, ids: Sequence[int]) -> Vectors:
    """Vectors of exemplars in the space in use, (n, d + f)."""
    vector = schema.vector
    query = (
        select(vector.c.data)
        .where(vector.c.exemplar_id.in_(ids) & (vector.c.space_id == memory.space_id))
        .order_by(vector.c.exemplar_id)
    )
    encoder = memory.encoder
    blobs = memory.connection.execute(query).scalars().all()
    return float32_rows(blobs, encoder.dimension + encoder.feature_dimension)


def exemplars_to_class(memory: Amendment, ids: Sequence[int], class_id: int) -> None:
    """Let exemplars be those of another class."""
    for number in ids:
        memory.rows.update(schema.exemplar, (number,), {"class_id": class_id})


def drop_exemplars(memory: Amendment, ids: Sequence[int]) -> None:
    """Take exemplars out."""
    memory.rows.delete(schema.exemplar, schema.exemplar.c.id.in_(ids))


def images_named(connection: Connection, name: str) -> dict[str, str]:
    """Content hashes, with paths, of the images whose path or content hash it is, else whose path ends with it."""
    tables = (schema.pooled, schema.exemplar)
    every = [row for table in tables for row in connection.execute(select(table.c.content_hash, table.c.path))]
    exactly = {content: path for content, path in every if name in (content, path)}
    return exactly or {content: path for content, path in every if path.endswith(("/" + name, "\\" + name))}


def place_of_image(connection: Connection, content_hash: str, path: str) -> ImagePlace:
    """Where an image is."""
    exemplar, klass = schema.exemplar, schema.klass
    pooled, member, proposal = schema.pooled, schema.proposal_member, schema.proposal
    classes = (
        select(klass.c.id, klass.c.name)
        .join(exemplar, exemplar.c.class_id == klass.c.id)
        .where(exemplar.c.content_hash == content_hash)
    )
    number = connection.execute(select(pooled.c.id).where(pooled.c.content_hash == content_hash)).scalar()
    within = (
        select(proposal.c.id)
        .join(member, member.c.proposal_id == proposal.c.id)
        .where((proposal.c.state == OPEN) & (member.c.pooled_id == number))
    )
    return ImagePlace(
        content_hash,
        path,
        classes=dict(connection.execute(classes).all()),
        pooled=number,
        proposal=connection.execute(within).scalar(),
    )


def training_vectors(memory: Amendment, class_id: int, content_hash: str) -> Vectors:
    """Vectors of an image among the exemplars of a class, its views included, (n, d + f)."""
    exemplar, vector = schema.exemplar, schema.vector
    query = (
        select(vector.c.data)
        .join(exemplar, exemplar.c.id == vector.c.exemplar_id)
        .where((exemplar.c.class_id == class_id) & (exemplar.c.content_hash == content_hash))
        .where(vector.c.space_id == memory.space_id)
        .order_by(exemplar.c.id)
    )
    encoder = memory.encoder
    blobs = memory.connection.execute(query).scalars().all()
    return float32_rows(blobs, encoder.dimension + encoder.feature_dimension)


def to_class(memory: Amendment, place: ImagePlace, class_id: int) -> None:
    """Let the exemplars of an image be those of another class."""
    exemplar = schema.exemplar
    first, *others = place.classes
    for other in others:
        memory.rows.delete(exemplar, (exemplar.c.class_id == other) & (exemplar.c.content_hash == place.content_hash))
    query = select(exemplar.c.id).where(
        (exemplar.c.class_id == first) & (exemplar.c.content_hash == place.content_hash)
    )
    for number in memory.connection.execute(query).scalars().all():
        memory.rows.update(exemplar, (number,), {"class_id": class_id})


def out_of_classes(memory: Amendment, place: ImagePlace) -> None:
    """Take an image out of the classes that it is a training image of."""
    memory.rows.delete(schema.exemplar, schema.exemplar.c.content_hash == place.content_hash)


def into_pool(memory: Amendment, place: ImagePlace) -> int:
    """Put a training image of a class into the pool too; returns its number there."""
    if place.pooled is not None:
        return place.pooled
    exemplar, vector, thumbnail = schema.exemplar, schema.vector, schema.thumbnail
    found = (
        select(exemplar.c.id, thumbnail.c.jpeg)
        .outerjoin(thumbnail, thumbnail.c.exemplar_id == exemplar.c.id)
        .where(exemplar.c.content_hash == place.content_hash)
        .order_by(exemplar.c.view, exemplar.c.id)
        .limit(1)
    )
    number, jpeg = memory.connection.execute(found).one()
    facts = {"path": place.path, "content_hash": place.content_hash, "state": WAITING, "p_known": None}
    seen = {"first_version": memory.version, "first_seen": now(), "thumbnail": jpeg}
    (pooled,) = memory.rows.insert_numbered(schema.pooled, [facts | seen])
    vectors = memory.connection.execute(
        select(vector.c.space_id, vector.c.data).where(vector.c.exemplar_id == number)
    ).all()
    memory.rows.insert(
        schema.pooled_vector,
        ({"pooled_id": pooled, "space_id": space_id, "data": data} for space_id, data in vectors),
    )
    return pooled


def out_of_proposal(memory: Amendment, number: int, pooled: int) -> None:
    """Take an image out of an open proposal, which is a person's from now on."""
    take_out(memory.rows, number, [pooled])
    memory.rows.update(schema.proposal, (number,), {"version": memory.version})


def into_proposal(memory: Amendment, number: int, pooled: int) -> None:
    """Put a pooled image into an open proposal, which is a person's from now on."""
    member = schema.proposal_member
    last = memory.connection.execute(select(func.max(member.c.position)).where(member.c.proposal_id == number)).scalar()
    row = {"proposal_id": number, "pooled_id": pooled, "picture": pooled, "position": 0 if last is None else last + 1}
    memory.rows.insert(member, [row])
    memory.rows.update(schema.pooled, (pooled,), {"state": WAITING})
    resize(memory.rows, number)
    memory.rows.update(schema.proposal, (number,), {"version": memory.version})


def hashes_of(connection: Connection, ids: Sequence[int]) -> list[str]:
    """Content hashes of pooled images."""
    pooled = schema.pooled
    return list(connection.execute(select(pooled.c.content_hash).where(pooled.c.id.in_(ids))).scalars())


def has_text(memory: Amendment, class_id: int) -> bool:
    """Whether a class has a text vector in the space in use."""
    table = schema.text_vector
    query = select(table.c.class_id).where((table.c.class_id == class_id) & (table.c.space_id == memory.space_id))
    return memory.connection.execute(query).first() is not None
