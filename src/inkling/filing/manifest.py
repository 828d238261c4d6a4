"""The manifest of filed pictures: a line of JSON for each, written before the picture appears.

So a run that is killed leaves nothing that its manifest does not name. The first line says what wrote it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from inkling.errors import InputError
from inkling.provenance import inkling_version, now
from inkling.wording import excerpt

SORT, AUDIT = "sort", "audit"
"""Verbs that file pictures; each calls its manifests by its own name."""
_KIND = "filed pictures"
_FORMAT = 1
_REMEDY = (
    f"Name the manifest, a file such as DIR/inkling-{SORT}-1.jsonl that 'inkling {SORT}' has written, or "
    f"DIR/inkling-{AUDIT}-1.jsonl of 'inkling {AUDIT} --apply'."
)


def undo_command(folder: Path, *, by: str) -> str:
    """What takes back the latest that a verb filed in a folder."""
    made = sorted(folder.glob(f"inkling-{by}-*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    return f"inkling {by} --undo {made[-1] if made else 'MANIFEST'}"


How = Literal["folder", "copy", "link"]


@dataclass(frozen=True)
class Filed:
    """Something that was made in the folder of the manifest.

    Attributes
    ----------
    path
        Relative to that folder, with slashes.
    how
        Whether it is a folder, a copy or a symbolic link.
    check
        By which it is known again: blake2b (128 bit, hexadecimal) of a copy, the target of a link.
    of
        The picture as the user names it.
    label, probability
        Its class and the probability of it where it was predicted; None as label stands for unknown.
    """

    path: str
    how: How
    check: str = ""
    of: str = ""
    label: str | None = None
    probability: float | None = None


class Manifest:
    """A manifest that is being written.

    Attributes
    ----------
    path
        Its file.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def add(self, entry: Filed) -> None:
        """Write down what is about to be made."""
        self._write(asdict(entry))

    def _write(self, line: Mapping[str, Any]) -> None:
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
        while data:
            data = data[os.write(self._descriptor, data) :]

    @classmethod
    @contextmanager
    def begun(cls, folder: Path, about: Mapping[str, Any], *, by: str) -> Iterator[Manifest]:
        """A new manifest in a folder, under the first name that is free.

        Parameters
        ----------
        about
            What its first line says besides by which release and when it was made.
        by
            The verb that files the pictures.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        number = 1
        while True:
            path = folder / f"inkling-{by}-{number}.jsonl"
            try:
                # A name that another run takes meanwhile is not written over.
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
                break
            except FileExistsError:
                number += 1
        manifest = cls(path, descriptor)
        try:
            try:
                made = {"made_by": f"inkling {inkling_version()}", "time": now()}
                manifest._write({"kind": _KIND, "format": _FORMAT, **made, **about})
            except OSError:
                path.unlink()
                raise
            yield manifest
        finally:
            os.close(descriptor)


def read_manifest(path: Path) -> list[Filed]:
    """What a manifest names, in the order in which it was made.

    Raises
    ------
    InputError
        If the file is no manifest, damaged, or names something outside of its folder.
    """
    try:
        first, *lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {excerpt(error)}.", remedy=_REMEDY) from error
    head = _parsed(first)
    if head is None or head.get("kind") != _KIND:
        raise InputError(f"'{path}' is not a manifest of filed pictures.", remedy=_REMEDY)
    if head.get("format") != _FORMAT:
        raise InputError(f"'{path}' was written by a newer release.", remedy="Update Inkling.")
    lines.pop() if lines else None  # a run that was killed may have left half a line, before it made anything of it
    return [_entry(line, at, path) for at, line in enumerate(lines, start=2)]


def _entry(line: bytes, at: int, path: Path) -> Filed:
    values = _parsed(line)
    try:
        entry = Filed(**values or {})
    except TypeError:
        entry = None
    if entry is None or not _is_within(entry.path) or entry.how not in ("folder", "copy", "link"):
        told = excerpt(line.decode(errors="replace"))
        raise InputError(
            f"Line {at} of '{path}' names nothing that Inkling could have made: {told}.",
            remedy="The manifest was changed; nothing was removed.",
        )
    return entry


def _is_within(path: object) -> bool:
    if not isinstance(path, str) or not path or "\\" in path or "\0" in path:
        return False
    parts = PurePosixPath(path).parts
    return ".." not in parts and not PurePosixPath(path).is_absolute() and ":" not in parts[0]


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
