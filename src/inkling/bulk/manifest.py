"""manifest.json: what a run is, and once it is complete, what its parts hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from inkling.bulk.parts import Written, name_of
from inkling.bulk.plan import Plan
from inkling.bulk.shelf import Shelf
from inkling.embeddings.parts import FORMAT, MANIFEST
from inkling.errors import InklingError, InputError
from inkling.provenance import current_command, inkling_version

_RESUME = "--resume (in Python, resume=True)"


def begin(shelf: Shelf, plan: Plan, *, beside: Sequence[int] = ()) -> None:
    """Say what the run is, before its first part.

    Parameters
    ----------
    shelf
        Where to.
    plan
        Of the run.
    beside
        Parts of the run that may be there: a worker wrote them while its run was withdrawn.

    Raises
    ------
    InputError
        If something else is there already.
    """
    if there := [name for name in shelf.names() if name not in map(name_of, beside)]:
        raise InputError(f"{shelf} is not empty: it holds {there[0]}.", remedy=_remedy(shelf))
    with withdrawn_in_vain(shelf):
        _write(shelf, {"complete": False, "command": current_command(), "plan": plan.to_json(), "run": plan.digest})


@contextmanager
def withdrawn_in_vain(shelf: Shelf) -> Iterator[None]:
    """Where a run that was begun ends before its first part, leave nothing of it."""
    try:
        yield
    except BaseException:
        with suppress(InklingError, OSError):  # what ended it is raised
            if not set(shelf.names()) - {MANIFEST}:
                shelf.withdraw(MANIFEST)
        raise


def _remedy(shelf: Shelf) -> str:
    """What to do about a folder that is not empty."""
    other = "name a folder that is empty or not there yet."
    try:
        found = read_manifest(shelf)
    except InputError:
        found = None
    if found is None:
        return other.capitalize()
    if found.get("complete"):
        return f"The run there is finished: the same command with {_RESUME} takes what it made. Else {other}"
    return f"The run there is not finished: go on with it by the same command and {_RESUME}, or {other}"


def read_manifest(shelf: Shelf) -> dict[str, Any] | None:
    """The manifest that is there, or None.

    Raises
    ------
    InputError
        If it is damaged.
    """
    try:
        manifest = json.loads(shelf.get(MANIFEST))
        if manifest["format"] != FORMAT or not isinstance(manifest["plan"], dict):
            raise ValueError("it is of another release")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"The {MANIFEST} at {shelf} is damaged or of another release.", remedy="Begin anew in another folder."
        ) from error
    return dict(manifest)


def require_same_run(manifest: dict[str, Any], plan: Plan, shelf: Shelf) -> None:
    """Refuse to go on where another run began.

    Raises
    ------
    InputError
        Naming what differs.
    """
    if differing := plan.differences(manifest["plan"]):
        told = ", ".join(name.replace("_", " ") for name in differing)
        raise InputError(
            f"{shelf} holds another run, which differs in: {told}.",
            remedy="Go on with the command and the memory of that run (its manifest.json names them), or name another "
            "folder.",
        )


def complete(shelf: Shelf, plan: Plan, parts: Sequence[Written]) -> dict[str, Any]:
    """Write what the parts hold; returns the manifest."""
    manifest = {
        "complete": True,
        "command": current_command(),
        "run": plan.digest,
        "plan": plan.to_json(),
        "rows": sum(part.rows for part in parts),
        "parts": [part.to_json() for part in parts],
        "skipped": [
            {"path": path, "reason": reason, "file": name_of(part.part)}
            for part in parts
            for path, reason in part.skipped
        ],
    }
    _write(shelf, manifest)
    return manifest


def _write(shelf: Shelf, manifest: dict[str, Any]) -> None:
    content = {"format": FORMAT, "inkling": inkling_version(), **manifest}
    shelf.put(MANIFEST, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
