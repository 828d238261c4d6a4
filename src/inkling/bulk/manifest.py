"""manifest.json: what a run is, and once it is complete, what its parts hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from inkling.bulk.parts import Written, name_of
from inkling.bulk.plan import Plan
from inkling.bulk.shelf import Shelf
from inkling.errors import InputError
from inkling.provenance import current_command, inkling_version

NAME = "manifest.json"
FORMAT = 1


def begin(shelf: Shelf, plan: Plan) -> None:
    """Say what the run is, before its first part.

    Raises
    ------
    InputError
        If something is there already.
    """
    if there := shelf.names():
        raise InputError(
            f"{shelf} is not empty: it holds {there[0]}.", remedy="Name a folder that is empty or not there yet."
        )
    _write(shelf, {"complete": False, "command": current_command(), "plan": plan.to_json(), "run": plan.digest})


def read_manifest(shelf: Shelf) -> dict[str, Any] | None:
    """The manifest that is there, or None.

    Raises
    ------
    InputError
        If it is damaged.
    """
    try:
        manifest = json.loads(shelf.get(NAME))
        if manifest["format"] != FORMAT or not isinstance(manifest["plan"], dict):
            raise ValueError("it is of another release")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The {NAME} at {shelf} is damaged or of another release.", remedy="Begin anew in another folder."
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
    shelf.put(NAME, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
