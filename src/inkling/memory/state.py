"""What tells one state of a memory from another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inkling.memory.digest import digest_text, state_digest
from inkling.memory.opened import seeing
from inkling.memory.read import read_encoder, version_of


@dataclass(frozen=True)
class MemoryState:
    """State of a memory.

    Attributes
    ----------
    version
        Counts its changes.
    digest
        Of all that it holds: equal for memories that hold the same, whatever their versions.
    fingerprint
        Of its encoder.
    """

    version: int
    digest: str
    fingerprint: str


def read_state(path: str | Path) -> MemoryState:
    """State of a memory; all of it is read.

    Raises
    ------
    MemoryFileError
        If the file is missing, not an Inkling memory, damaged, or of a newer release.
    """
    with seeing(path) as connection:
        _, encoder = read_encoder(connection)
        return MemoryState(version_of(connection), digest_text(state_digest(connection)), encoder.fingerprint)
