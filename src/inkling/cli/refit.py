"""inkling refit: fit the head anew from the stored vectors."""

from __future__ import annotations

from inkling.cli.decided import decide
from inkling.cli.options import Json, Memory


def run(memory: Memory, json: Json = None) -> None:
    """Fit the head, its weights and its temperature anew from the vectors in the memory."""
    decide(memory, json, lambda about: about.refit(), lambda _: "The head was fitted anew.")
