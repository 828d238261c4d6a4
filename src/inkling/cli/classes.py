"""inkling classes: what a memory knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inkling.cli.console import check_outputs, show
from inkling.cli.options import Json, Memory
from inkling.cli.tables import print_table
from inkling.payloads import class_payload


def run(memory: Memory, json: Json = None) -> None:
    """List the known classes."""
    from inkling.memory.classes import list_classes

    check_outputs(json, keep=(memory,))
    show({"classes": [class_payload(one) for one in list_classes(memory)]}, json=json, table=_print)


def _print(summary: Mapping[str, Any]) -> None:
    rows = [(one["name"], one["images"], "yes" if one["has_text"] else "no") for one in summary["classes"]]
    print_table(("class", "images", "text"), rows, numbers=(1,))
