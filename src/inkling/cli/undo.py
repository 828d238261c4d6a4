"""inkling undo: take back the latest decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inkling.cli.decided import decide
from inkling.cli.history import arguments_text
from inkling.cli.options import Json, Memory
from inkling.wording import counted


def run(memory: Memory, json: Json = None) -> None:
    """Take back the latest decision: all is as it was, to the last bit."""
    decide(memory, json, lambda about: about.undo(), _sentence, undoable=False)


def _sentence(outcome: Mapping[str, Any]) -> str:
    done = f"Taken back: {outcome['undone']} {arguments_text(outcome['arguments'])}".rstrip()
    rested = " and ".join(outcome.get("with", []))
    told = f"{done}, with what rested on it: {rested}." if rested else f"{done}."
    if before := outcome.get("observed_before"):
        told += f" {counted(before, 'observation')} before it can be taken back too, each by one more 'inkling undo'."
    return told
