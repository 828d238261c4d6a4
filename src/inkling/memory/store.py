"""The memory file as its users see it: one SQLite database, written and read whole.

Writers take turns; a reader sees one version throughout; a crash leaves the old version or the new one.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, select

from inkling.encoders.identity import check_encoder
from inkling.errors import MemoryFileError
from inkling.memory import read, schema
from inkling.memory.amend import begin, finish
from inkling.memory.content import DetectorState, MemoryContent, Provenance, StoredMemory, check_content
from inkling.memory.digest import state_digest
from inkling.memory.events import Done, forget_changes, logged_digest, write_event
from inkling.memory.holdings import Holdings, read_holdings
from inkling.memory.migrate import bring_forward
from inkling.memory.opened import changing, require_version, seeing
from inkling.memory.place import Place, place_of
from inkling.memory.revisions import create_schema
from inkling.memory.rows import Rows
from inkling.memory.settle import settle
from inkling.memory.write import add_space, replace_content, write_provenance
from inkling.types import ClassEntry, EncoderIdentity, Exemplar, HeadState, Vectors

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


def write_memory(path: str | Path, content: MemoryContent, *, replace: bool = False, version: int | None = None) -> int:
    """Write a memory, or put new content in place of an existing memory's.

    A new file appears whole or not at all. An existing memory is changed in one transaction: its version is
    incremented, classes that stay keep their numbers, and readers see the old version until it commits.

    Parameters
    ----------
    path
        The memory file, by custom ``*.ink``, or the URL of a PostgreSQL database.
    content
        What it is to hold.
    replace
        Replace what an existing memory knows, decisions included. Without, an existing memory is refused.
    version
        The version that is to be replaced; None for whichever is there.

    Returns
    -------
    int
        The version written, from 1.

    Raises
    ------
    InputError
        If the content contradicts itself.
    MemoryFileError
        If there is a memory already and it is not to be replaced, or it has another version; if the file there is
        not an Inkling memory or of a newer release, or cannot be written. Then nothing has changed.
    """
    check_content(content)
    place = place_of(path)
    with place.explained():
        place.require_writable()
        if not place.exists():
            # Where another process was quicker, its memory is treated like any that was there before.
            with suppress(FileExistsError):
                return place.create(lambda connection: _fill(connection, content), vectors=content.vectors)
        place.require_memory()
        if not replace:
            raise _occupied(place, read_holdings(path))
        bring_forward(place)
        with place.writing() as connection:
            require_version(connection, place, version)
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
        return finish(memory, Done(SWITCH, arguments, outcome), digest=digest).version


def holds_already(path: str | Path, content: MemoryContent, *, version: int) -> bool:
    """Whether there is a memory of this version with this head of the same images, by the same encoder."""
    place = place_of(path)
    with place.explained():
        if not place.exists():
            return False
    stored = read_memory(path, exemplars=False)
    found = stored.content
    return (
        stored.version == version
        and found.encoder.fingerprint == content.encoder.fingerprint
        and found.provenance.data_hash == content.provenance.data_hash
        and found.head.arrays.keys() == content.head.arrays.keys()
        and all(np.array_equal(array, content.head.arrays[name]) for name, array in found.head.arrays.items())
    )


def check_target(path: str | Path, *, may_exist: bool = False) -> Holdings | None:
    """Make sure, before long work, that a memory can be written there; returns what one that is there holds.

    Raises
    ------
    MemoryFileError
        If its folder is missing, something is read-only, the file there is not an Inkling memory, or it is one and
        none may be there.
    """
    place = place_of(path)
    with place.explained():
        place.require_writable()
        place.require_room()
        if not place.exists():
            return None
    found = read_holdings(path)
    if not may_exist:
        raise _occupied(place, found)
    return found


def _occupied(place: Place, found: Holdings) -> MemoryFileError:
    return MemoryFileError(
        f"There is a memory at {place} already, version {found.version}. A new fit would lose {found}.",
        remedy="Add these images to what it knows (--update, in Python Decisions.update), replace it "
        "(--replace, in Python save(..., replace=True)), or name another file.",
    )


def _fill(connection: Connection, content: MemoryContent) -> int:
    create_schema(connection)
    return _replace(connection, content)


def _replace(connection: Connection, content: MemoryContent) -> int:
    """Replace what the memory knows, and begin the account of changes anew: a fit is not taken back."""
    version = replace_content(connection, content)
    settle(Rows(connection))
    forget_changes(connection)
    arguments = {"command": content.provenance.command}
    outcome = {"classes": len(content.classes), "exemplars": len(content.exemplars)}
    write_event(connection, Done(FIT, arguments, outcome), version=version, digest=state_digest(connection))
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
        return read.read_content(connection, exemplars=exemplars)


def encoder_of(path: str | Path) -> EncoderIdentity:
    """The encoder that a memory uses now.

    Raises
    ------
    MemoryFileError
        As for `read_memory`.
    """
    with seeing(path) as connection:
        return read.read_encoder(connection)[1]


def read_some_vectors(path: str | Path, most: int) -> tuple[EncoderIdentity, Vectors]:
    """Vectors of a memory's exemplars, or of so many at most, as many of each class; and the encoder they are of.

    Raises
    ------
    MemoryFileError
        As for `read_memory`.
    """
    with seeing(path) as connection:
        return read.read_some_vectors(connection, most)
