"""inkling audit: what is worth a look in labelled images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from inkling.cli.console import check_outputs, note, show
from inkling.cli.corrected import correct
from inkling.cli.filed import take_back
from inkling.cli.options import Json, NoCache, Seed
from inkling.cli.progress import progress_bar
from inkling.cli.tables import print_table
from inkling.cli.waiting import seconds_waited
from inkling.errors import InputError
from inkling.payloads import audit_payload
from inkling.wording import counted

NAME = "audit"
SHOWN = 5
"""Findings of a kind that the terminal shows."""


def run(
    train: Annotated[
        str | None,
        typer.Argument(metavar="DIR", help="Labelled images, in any form that fit reads.", show_default=False),
    ] = None,
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
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="OUT.html", help="Write a page to look at and decide on.", show_default=False),
    ] = None,
    apply: Annotated[
        Path | None,
        typer.Option(
            "--apply",
            metavar="FIXES.csv",
            help="Look for nothing; copy the images into the folder of --output, with these corrections.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="NEW_DIR", help="Folder of the corrected copy.", show_default=False),
    ] = None,
    undo: Annotated[
        Path | None,
        typer.Option(
            "--undo", metavar="MANIFEST", help="Take back the corrected copy of this manifest.", show_default=False
        ),
    ] = None,
    seed: Seed = 0,
    no_cache: NoCache = False,
    json: Json = None,
) -> None:
    """Find labels that are likely wrong, copies, leaks and classes that need images, before anything is learned."""
    looking: dict[str, object] = {"--encoder": encoder, "--against": against, "--fix-list": fix_list}
    looking["--report"] = report
    looking |= {"--seed": seed or None, "--no-cache": no_cache or None}
    if undo is not None:
        _refuse(looking | {"DIR": train, "--apply": apply, "--output": output}, beside="--undo MANIFEST")
        take_back(undo, json)
        return
    if train is None:
        raise InputError(
            "No images were named.", remedy="Write 'inkling audit DIR', or 'inkling audit --undo MANIFEST'."
        )
    if apply is not None:
        _refuse(looking, beside="--apply FIXES.csv")
        if output is None:
            raise InputError(
                "--apply makes a corrected copy, and needs a folder for it.", remedy="Add --output NEW_DIR."
            )
        correct(train, apply, output, json)
        return
    _refuse({"--output": output}, beside="an audit without --apply")
    from inkling.auditing.audit import audit
    from inkling.auditing.fix_list import write_fix_list
    from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
    from inkling.reports.audit import write_audit_report

    check_outputs(fix_list, report, json, keep=(train, against))
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
    if report is not None:
        write_audit_report(report, found, name=train)
    told = {
        "report": None if report is None else str(report),
        "fix_list": None if fix_list is None else str(fix_list),
        "fixes": n_fixes,
        "seconds": seconds_waited(),
    }
    show(audit_payload(found) | told, json=json, table=_print)


def _refuse(options: Mapping[str, object], *, beside: str) -> None:
    """Refuse what has no effect."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise InputError(f"{given[0]} has no effect beside {beside}.", remedy=f"Leave {given[0]} out.")


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
    if summary["report"] is not None:
        note(f"Report: {summary['report']}.")
