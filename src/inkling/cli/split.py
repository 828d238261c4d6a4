"""inkling split: make two proposals of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inkling.cli.decided import Number, decide, images
from inkling.cli.options import Json, Memory


def run(memory: Memory, number: Number, json: Json = None) -> None:
    """Make two proposals of one."""
    decide(memory, json, lambda about: about.split(number), _sentence)


def _sentence(outcome: Mapping[str, Any]) -> str:
    parts = zip(outcome["proposals"], outcome["images"], strict=True)
    told = " and ".join(f"{number} ({images(count)})" for number, count in parts)
    return f"Proposal {outcome['split']} is now proposals {told}."
