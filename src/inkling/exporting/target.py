"""Where an export goes: a folder that isn't there yet, or an older export that may be replaced."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from inkling.errors import InputError
from inkling.outputs import folder_appearing_whole
from inkling.wording import excerpt

MANIFEST = "manifest.json"
OWN_HASH = "sha256"
"""Entry of the manifest with the hash of all its others."""
MADE_BY = "inkling export"
_READ = {
    "format": str,
    "precision": str,
    "max_loss": int | float,
    "labels": list,
    "memory": dict,
    "encoder": dict,
    "files": dict,
    "sha256": str,
}
"""Entries of a manifest that are read again, with their types."""
_REMEDY = "Name a folder that isn't there yet, in one that exists, has space, and that you may write to."


def check_target(output: str | Path, *, overwrite: bool) -> Path:
    """Say before long work that an export can't be written where it is asked for.

    Raises
    ------
    InputError
        If something is there already, save an older export that may be replaced; or if there is no folder to write to.
    """
    if not str(output).strip():
        raise InputError("The name of the folder to export to is empty.", remedy=_REMEDY)
    target = Path(output).absolute()
    if not target.parent.is_dir():
        raise InputError(f"The folder '{target.parent}' for '{output}' does not exist.", remedy="Make it first.")
    if inside := next((folder for folder in target.parents if _is_export(folder)), None):
        raise InputError(f"'{output}' would lie within the export '{inside}'.", remedy="Name a folder beside it.")
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise InputError(f"'{output}' is no folder; an export is one.", remedy=_REMEDY)
    if target.is_dir() and any(target.iterdir()):
        _require_replaceable(target, overwrite=overwrite)
    return target


@contextmanager
def appearing_at(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """Build an export beside its name; it appears whole at the end, or nothing has changed.

    Raises
    ------
    InputError
        If it can't be written, or something has appeared there meanwhile.
    """
    try:
        with folder_appearing_whole(target, replace=overwrite) as draft:
            yield draft
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise InputError(
                f"'{target}' has appeared meanwhile: another export was quicker.", remedy=_REMEDY
            ) from error
        raise InputError(f"'{target}' cannot be written: {excerpt(error)}.", remedy=_REMEDY) from error


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """What an export tells of itself.

    Raises
    ------
    InputError
        If the folder is none.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'.", remedy="Name one that 'inkling export' has written.")
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"'{folder}' is no export of Inkling: its {MANIFEST} can't be read ({excerpt(error)}).",
            remedy="Name a folder that 'inkling export' has written.",
        ) from error
    if not isinstance(manifest, dict) or manifest.get("made_by") != MADE_BY:
        raise InputError(
            f"'{folder}' is no export of Inkling: its {MANIFEST} is of something else.",
            remedy="Name a folder that 'inkling export' has written.",
        )
    lacking = [key for key, kind in _READ.items() if not isinstance(manifest.get(key), kind)]
    if lacking:
        raise InputError(
            f"The {MANIFEST} of '{folder}' is damaged, or of another release: '{lacking[0]}' is not what it should be.",
            remedy="Export the memory again.",
        )
    return manifest


def hash_of_manifest(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of what a manifest tells, but for that hash itself."""
    told = {key: value for key, value in manifest.items() if key != OWN_HASH}
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def files_in(folder: Path) -> list[str]:
    """Files of a folder, without its manifest, by their paths within it."""
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(path.relative_to(folder).as_posix() for path in found if path != folder / MANIFEST)


def _is_export(folder: Path) -> bool:
    """Whether a folder holds the manifest of an export."""
    try:
        read_manifest(folder)
    except InputError:
        return False
    return True


def _require_replaceable(target: Path, *, overwrite: bool) -> None:
    if not overwrite:
        raise InputError(
            f"'{target}' is there already.",
            remedy="Name another folder, or replace an older export: --overwrite, in Python remove it first.",
        )
    known = set(read_manifest(target).get("files", ()))
    if others := sorted(set(files_in(target)) - known):
        raise InputError(
            f"'{target}' holds '{others[0]}', which is no part of the export, and would be lost.",
            remedy="Move it away, or name another folder.",
        )
