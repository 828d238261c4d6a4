"""The memory file as its users see it: one SQLite database, written and read whole.

Writers take turns; a reader sees one version throughout; a crash leaves the old version or the new one.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, select

from inkling.encoders.identity import check_encoder
from inkling.memory import schema
from inkling.memory.amend import begin, finish
from inkling.memory.content import DetectorState, MemoryContent, Provenance, StoredMemory, check_content
from inkling.memory.digest import state_digest
from inkling.memory.events import forget_changes, logged_digest, write_event
from inkling.memory.migrate import bring_forward
from inkling.memory.opened import changing, seeing
from inkling.memory.place import place_of
from inkling.memory.read import read_content
from inkling.memory.revisions import create_schema
from inkling.memory.rows import Rows
from inkling.memory.write import add_space, replace_content, write_provenance
from inkling.types import ClassEntry, Exemplar, HeadState

__all__ = [
    "ClassEntry",
    "DetectorState",
    "Exemplar",
    "HeadState",
    "MemoryContent",
    "Provenance",
    "StoredMemory",
    "check_encoder",
    "check_target",
    "read_memory",
    "switch_encoder",
    "write_memory",
]

FIT = "fit"
SWITCH = "switch-encoder"


def write_memory(path: str | Path, content: MemoryContent) -> int:
    """Write a memory, or put new content in place of an existing memory's.

    A new file appears whole or not at all. An existing memory is changed in one transaction: its version
    counts on, classes that stay keep their numbers, and readers see the old version until it commits.

    Parameters
    ----------
    path
        The memory file, by custom ``*.ink``, or the URL of a PostgreSQL database.
    content
        What it is to hold.

    Returns
    -------
    int
        The version written, from 1.

    Raises
    ------
    InputError
        If the content contradicts itself.
    MemoryFileError
        If the file there is not an Inkling memory or of a newer release, or cannot be written. Then nothing
        has changed.
    """
    check_content(content)
    place = place_of(path)
    with place.explained():
        place.require_writable()
        if not place.exists():
            # Where another process was quicker, what it wrote is counted on, not replaced by a new file.
            with suppress(FileExistsError):
                return place.create(lambda connection: _fill(connection, content))
        place.require_memory()
        bring_forward(place)
        with place.writing() as connection:
            return _replace(connection, content)


def switch_encoder(path: str | Path, content: MemoryContent, *, version: int) -> int:
    """Give a memory what another encoder makes of its classes and exemplars, and put that into use.

    One transaction: the new vectors, head and calibration are written beside the old ones, and the memory points to
    them. What it knew with the old encoder stays in the file until it is fitted anew, which is what happens where the
    memory has that encoder already.

    Parameters
    ----------
    path
        An existing memory.
    content
        What it knows with the other encoder: no class or exemplar that it has may be missing.
    version
        The version that the content was made from.

    Returns
    -------
    int
        The version written.

    Raises
    ------
    InputError
        If the content contradicts itself.
    MemoryFileError
        If there is no memory, it cannot be written, or it has another version by now. Then nothing has changed.
    """
    check_content(content)
    with changing(path, version=version) as connection:
        digest = logged_digest(connection)
        memory = begin(connection)
        if memory.encoder.fingerprint == content.encoder.fingerprint:
            return _replace(connection, content)
        arguments = {"encoder": content.encoder.name, "fingerprint": content.encoder.fingerprint}
        outcome = {"from": memory.encoder.name}
        if _knows_space(connection, content.encoder.fingerprint):
            # Its old vectors are as many as the memory's: they are replaced, and there is no way back.
            add_space(Rows(connection), content)
            forget_changes(connection)
            digest = state_digest(connection)
        else:
            add_space(memory.rows, content)
        write_provenance(connection, content.provenance, memory.version)
        return finish(memory, SWITCH, arguments, outcome, digest=digest).version


def check_target(path: str | Path) -> None:
    """Make sure, before long work, that `write_memory` can write there.

    Raises
    ------
    MemoryFileError
        If its folder is missing, something is read-only, or the file there is not an Inkling memory.
    """
    place = place_of(path)
    with place.explained():
        place.require_writable()
        if place.exists():
            place.require_memory()


def _fill(connection: Connection, content: MemoryContent) -> int:
    create_schema(connection)
    return _replace(connection, content)


def _replace(connection: Connection, content: MemoryContent) -> int:
    """Replace what the memory knows, and begin the account of changes anew: a fit is not taken back."""
    version = replace_content(connection, content)
    forget_changes(connection)
    arguments = {"command": content.provenance.command}
    outcome = {"classes": len(content.classes), "exemplars": len(content.exemplars)}
    write_event(connection, FIT, arguments, version=version, outcome=outcome, digest=state_digest(connection))
    return version


def _knows_space(connection: Connection, fingerprint: str) -> bool:
    table = schema.space
    return connection.execute(select(table.c.id).where(table.c.fingerprint == fingerprint)).scalar() is not None


def read_memory(path: str | Path, *, exemplars: bool = True) -> StoredMemory:
    """Read a memory as it is at this moment. The file is not changed, and may be read-only.

    Parameters
    ----------
    path
        The memory file.
    exemplars
        Read them and their vectors too. Without, there are none in what comes back, and of a large memory only that
        part of the file is read which predicting takes.

    Returns
    -------
    StoredMemory
        Content and version, both of the same moment.

    Raises
    ------
    MemoryFileError
        If the file is missing, not an Inkling memory, damaged, or of a newer release.
    """
    with seeing(path, whole=exemplars) as connection:
        return read_content(connection, exemplars=exemplars)
