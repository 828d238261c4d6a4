"""Files that users ask for: each appears under its name when it is complete, or an older one stays as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inkling.errors import InputError

_REMEDY = "Name a file in a folder that exists, has space, and that you may write to."


@contextmanager
def appearing_whole(path: str | Path) -> Iterator[Path]:
    """Build a file beside its name and move it there at the end.

    Yields the path to write at. A pipe or a device, such as ``/dev/null``, is written directly.

    Raises
    ------
    InputError
        If the file cannot be written; then nothing has changed.
    """
    target = Path(path)
    try:
        if target.exists() and not target.is_file():
            yield target
        else:
            yield from _replacing(target.resolve())
    except OSError as error:
        raise _unwritable(target, error.strerror or str(error)) from error


def check_writable(path: str | Path) -> None:
    """Say before long work that a file cannot be written where it is asked for.

    Raises
    ------
    InputError
        If it is a folder, or its folder is missing or may not be written to.
    """
    target = Path(path)
    folder = target.absolute().parent
    if target.is_dir():
        raise InputError(f"'{target}' is a folder; a file was expected.", remedy="Name a file in it.")
    if not folder.is_dir():
        raise InputError(f"The folder '{folder}' for '{target}' does not exist.", remedy="Make it, or name another.")
    if not os.access(target if target.exists() else folder, os.W_OK):
        raise _unwritable(target, "no permission")


def _replacing(final: Path) -> Iterator[Path]:
    draft = final.with_name(f".{final.name}.{os.getpid()}.part")
    try:
        yield draft
        draft.replace(final)
    finally:
        draft.unlink(missing_ok=True)


def _unwritable(target: Path, cause: str) -> InputError:
    return InputError(f"'{target}' cannot be written: {cause}.", remedy=_REMEDY)
