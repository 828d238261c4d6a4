"""inkling audit: what is worth a look in labelled images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from inkling.cli.console import check_outputs, note, show
from inkling.cli.options import Json, NoCache, Seed
from inkling.cli.progress import progress_bar
from inkling.cli.tables import print_table
from inkling.cli.waiting import seconds_waited
from inkling.payloads import audit_payload
from inkling.wording import counted

NAME = "audit"
SHOWN = 5
"""Findings of a kind that the terminal shows."""


def run(
    train: Annotated[
        str, typer.Argument(metavar="DIR", help="Labelled images, in any form that fit reads.", show_default=False)
    ],
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            metavar="NAME_OR_DIR",
            help="See 'inkling encoders'; A+B joins two. Default: openai/clip-vit-base-patch32, for photographs.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="TEST_DIR", help="Images that must not be among the others.", show_default=False
        ),
    ] = None,
    fix_list: Annotated[
        Path | None,
        typer.Option("--fix-list", metavar="OUT.csv", help="Write suggested corrections.", show_default=False),
    ] = None,
    seed: Seed = 0,
    no_cache: NoCache = False,
    json: Json = None,
) -> None:
    """Find labels that are likely wrong, copies, leaks and classes that need images, before anything is learned."""
    from inkling.auditing.audit import audit
    from inkling.auditing.fix_list import write_fix_list
    from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS

    check_outputs(fix_list, json, keep=(train, against))
    with progress_bar("Embedding") as progress:
        found = audit(
            train,
            encoder=encoder or DEFAULT_FOR_PHOTOGRAPHS,
            against=against,
            seed=seed,
            cache=not no_cache,
            progress=progress,
        )
    n_fixes = None if fix_list is None else write_fix_list(fix_list, found.findings)
    told = {"fix_list": None if fix_list is None else str(fix_list), "fixes": n_fixes, "seconds": seconds_waited()}
    show(audit_payload(found) | told, json=json, table=_print)


def _print(summary: Mapping[str, Any]) -> None:
    rows = [("images", summary["images"]), ("classes", summary["classes"])]
    rows += [(kind.replace("_", " "), number) for kind, number in summary["counts"].items()]
    print_table(("", "audited"), [*rows, ("time", f"{summary['seconds']:.1f} s")])
    if not summary["findings"]:
        note("Nothing is worth a look.")
    for kind, number in summary["counts"].items():
        of_kind = [one for one in summary["findings"] if one["kind"] == kind][:SHOWN]
        shown = [(one["files"][0] if one["files"] else "", one["evidence"], one["suggestion"]) for one in of_kind]
        title = kind.replace("_", " ") + (f", {SHOWN} of {number}" if number > SHOWN else "")
        print_table((title, "evidence", "what to do"), shown, whole=(0,))
    if (expected := summary["expected_wrong"]) is not None and "mislabelled" in summary["counts"]:
        named = counted(summary["counts"]["mislabelled"], "label")
        note(f"Of {named} said to be wrong, about {expected:.0f} are expected to be.")
    for name, reason in summary["not_checked"].items():
        note(f"Not checked: {name}; {reason}.")
    if summary["fix_list"] is not None:
        note(f"{counted(summary['fixes'], 'row')} of corrections to look at: {summary['fix_list']}.")
