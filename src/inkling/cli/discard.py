"""inkling discard: let a proposal go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inkling.cli.decided import Number, decide, images
from inkling.cli.options import Json, Memory


def run(memory: Memory, number: Number, json: Json = None) -> None:
    """Let a proposal go; its images are not proposed again."""
    decide(memory, json, lambda about: about.discard(number), _sentence)


def _sentence(outcome: Mapping[str, Any]) -> str:
    return f"Proposal {outcome['proposal']} is discarded: {images(outcome['images'])}."
