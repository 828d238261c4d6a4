"""inkling proposals: the new classes that wait for a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from inkling.cli.console import check_outputs, note, show
from inkling.cli.options import Json, Memory
from inkling.cli.tables import print_table
from inkling.payloads import proposal_payload

SHOWN_NAMES = 3


def run(
    memory: Memory,
    every: Annotated[bool, typer.Option("--all", help="Those that were decided about, too.")] = False,
    json: Json = None,
) -> None:
    """List the proposed classes, with their likely names."""
    from inkling.memory.discovered import OPEN
    from inkling.memory.proposals import list_proposals

    check_outputs(json, keep=(memory,))
    found = list_proposals(memory, state=None if every else OPEN)
    show({"proposals": [proposal_payload(one) for one in found]}, json=json, table=_print)


def _print(summary: Mapping[str, Any]) -> None:
    print_proposals(summary["proposals"])


def print_proposals(found: Sequence[Mapping[str, Any]]) -> None:
    """A table of proposals, as `inkling.payloads.proposal_payload` has them."""
    if not found:
        note("No proposal waits. 'inkling discover' looks for new classes.")
        return
    rows = [
        (
            one["id"],
            one["state"],
            len(one["images"]),
            one["size"],
            f"{one['stability']:.2f}",
            _names(one),
            one["nearest_class"] or "-",
        )
        for one in found
    ]
    print_table(
        ("id", "state", "images", "pictures", "stability", "names", "nearest class"), rows, numbers=(0, 2, 3, 4)
    )
    note("'inkling accept FILE.ink ID --name NAME' makes one a class.")


def _names(one: Mapping[str, Any]) -> str:
    return one["name"] or ", ".join(one["names"][:SHOWN_NAMES]) or f"unnamed-{one['id']}"
