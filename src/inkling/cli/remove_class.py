"""inkling remove-class: forget a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inkling.cli.decided import ClassName, decide, images
from inkling.cli.options import Json, Memory


def run(memory: Memory, name: ClassName, json: Json = None) -> None:
    """Remove a class with its training images."""
    decide(memory, json, lambda about: about.remove_class(name), _sentence)


def _sentence(outcome: Mapping[str, Any]) -> str:
    return f"The class '{outcome['class']}' is no longer known: {images(outcome['images'])}."
