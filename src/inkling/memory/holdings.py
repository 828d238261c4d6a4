"""What a memory holds, in numbers: what a person would lose if it were replaced."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select

from inkling.memory import schema
from inkling.memory.discovered import ACCEPTED, OPEN, WAITING
from inkling.memory.events import undoable_events
from inkling.memory.opened import seeing
from inkling.memory.read import version_of

SHOWN_NAMES = 5


@dataclass(frozen=True)
class Holdings:
    """What a memory holds at one version.

    Attributes
    ----------
    version
        Of the memory.
    classes, images
        Known classes, and their different training images.
    accepted
        Names of the classes with images that came from proposals.
    waiting, proposals
        Pooled images that wait for a decision, and open proposals.
    undoable
        Events that can be taken back.
    """

    version: int
    classes: int
    images: int
    accepted: tuple[str, ...]
    waiting: int
    proposals: int
    undoable: int

    def __str__(self) -> str:
        parts = [f"{_counted(self.classes, 'class')} of {_counted(self.images, 'image')}"]
        if self.accepted:
            more = len(self.accepted) - SHOWN_NAMES
            names = ", ".join(self.accepted[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")
            parts.append(f"{len(self.accepted)} of them with accepted images ({names})")
        if self.undoable:
            parts.append(f"{_counted(self.undoable, 'change')} that can be undone")
        return ", ".join(parts)


def holdings_of(connection: Connection) -> Holdings:
    """What the memory behind a connection holds."""
    klass, exemplar, pooled, proposal = schema.klass, schema.exemplar, schema.pooled, schema.proposal
    accepted = (
        select(klass.c.name)
        .join(exemplar, exemplar.c.class_id == klass.c.id)
        .join(pooled, (pooled.c.content_hash == exemplar.c.content_hash) & (pooled.c.state == ACCEPTED))
        .distinct()
        .order_by(klass.c.name)
    )
    return Holdings(
        version=version_of(connection),
        classes=connection.execute(select(func.count()).select_from(klass)).scalar_one(),
        images=connection.execute(select(func.count(exemplar.c.content_hash.distinct()))).scalar_one(),
        accepted=tuple(connection.execute(accepted).scalars()),
        waiting=connection.execute(select(func.count()).where(pooled.c.state == WAITING)).scalar_one(),
        proposals=connection.execute(select(func.count()).where(proposal.c.state == OPEN)).scalar_one(),
        undoable=len(undoable_events(connection)),
    )


def read_holdings(path: str | Path) -> Holdings:
    """What a memory holds.

    Raises
    ------
    MemoryFileError
        If the file is missing, not an Inkling memory, damaged, or of a newer release.
    """
    with seeing(path) as connection:
        return holdings_of(connection)


def _counted(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun}es" if noun.endswith("s") else f"{number} {noun}s"
