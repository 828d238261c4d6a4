"""inkling audit: what is worth a look in labelled images."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkling.cli.console import check_outputs, note, say, show, tell_skipped
from inkling.cli.corrected import correct, correct_memory_by
from inkling.cli.encoding import Encoding
from inkling.cli.filed import take_back
from inkling.cli.in_parts import HERE, Sitting
from inkling.cli.options import (
    Address,
    Confidence,
    EncodingEngine,
    Gpus,
    Json,
    Margin,
    NoCache,
    Resume,
    Root,
    Seed,
)
from inkling.cli.progress import board, counting
from inkling.cli.sources import left_out, tell_classes_left_out
from inkling.cli.tables import print_table
from inkling.cli.waiting import seconds_waited
from inkling.errors import InklingError, InputError
from inkling.payloads import audit_payload
from inkling.wording import counted

if TYPE_CHECKING:
    from inkling.auditing.audit import Audit
    from inkling.images.boxes import BoxReading
    from inkling.images.sources import Found

UNITS = {"Embedding": "images", "Checking": "checks"}
AGAINST = "against"
SHOWN = 5
"""Findings of a kind that the terminal shows."""


def run(
    train: Annotated[
        str | None,
        typer.Argument(
            metavar="DIR|FILE.ink",
            help="Labelled images, in any form that fit reads; or a memory, whose training images are looked at.",
            show_default=False,
        ),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            metavar="NAME_OR_DIR",
            help="See 'inkling encoders'; A+B joins two. Default: openai/clip-vit-base-patch32, for photographs; of a "
            "memory its own, which only --against needs.",
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
            help="Look for nothing; copy the images into the folder of --output with these corrections, or apply "
            "them to the memory.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            metavar="NEW_DIR",
            help="With --apply, folder of the corrected copy; else keep the vectors, in parts, in this folder or URL.",
            show_default=False,
        ),
    ] = None,
    undo: Annotated[
        Path | None,
        typer.Option(
            "--undo", metavar="MANIFEST", help="Take back the corrected copy of this manifest.", show_default=False
        ),
    ] = None,
    margin: Margin = 0.0,
    root: Root = None,
    confidence: Confidence = 0.2,
    seed: Seed = 0,
    no_cache: NoCache = False,
    engine: EncodingEngine = HERE,
    address: Address = None,
    gpus: Gpus = None,
    resume: Resume = False,
    json: Json = None,
) -> None:
    """Find labels that are likely wrong, copies, leaks and classes that need images, before anything is learned."""
    from inkling.images.boxes import BoxReading
    from inkling.memory.place import names_memory

    looking: dict[str, object] = {"--encoder": encoder, "--against": against, "--report": report}
    looking |= {"--fix-list": fix_list, "--seed": seed or None, "--no-cache": no_cache or None}
    looking |= {"--engine": None if engine == HERE else engine, "--address": address, "--gpus": gpus}
    looking |= {"--resume": resume or None}
    reading = {"--margin": margin or None, "--root": root}
    boxes = BoxReading(margin=margin, root=root, confidence=confidence)
    if undo is not None:
        rest = {"DIR": train, "--apply": apply, "--output": output}
        _refuse(looking | reading | rest, beside="--undo MANIFEST")
        take_back(undo, json)
    elif train is None:
        raise InputError(
            "No images were named.", remedy="Write 'inkling audit DIR', or 'inkling audit --undo MANIFEST'."
        )
    elif apply is not None:
        _refuse(looking, beside="--apply FIXES.csv")
        _apply(train, apply, None if output is None else Path(output), boxes, json)
    else:
        encoding = Encoding(Sitting(engine, address, resume, gpus), output)
        encoding.check()
        if names_memory(train) and against is None:
            given = {"--encoder": encoder, "--output": output, "--engine": "ray" if encoding.in_parts else None}
            _refuse(given, beside="a memory without --against")
        check_outputs(fix_list, report, json, keep=(train, against))
        source, found = _audited(
            train, against, boxes, encoding, {"encoder": encoder, "seed": seed, "cache": not no_cache}
        )
        nothing: dict[str, Any] = {"ignored": {}, "classes_left_out": []}
        told = nothing if source is None else left_out(source, found.subject.classes)
        tell_skipped((), told["ignored"])
        _tell(found, train, told, fix_list=fix_list, report=report, json=json)


def _audited(
    train: str, against: str | None, boxes: BoxReading, encoding: Encoding, options: Mapping[str, Any]
) -> tuple[Found | None, Audit]:
    """The images, None for a memory, and what an audit of them found."""
    from inkling.auditing.audit import audit
    from inkling.images.sources import find_images
    from inkling.memory.place import names_memory

    with board() as where:
        source = None if names_memory(train) else find_images(train, split="train", boxes=boxes)
        others = None if against is None else find_images(against, boxes=boxes)

        def progress(what: str, done: int, total: int) -> None:
            counting(where, what, unit=UNITS[what])(done, total)

        if not encoding.in_parts:
            return source, audit(source or train, against=others, progress=progress, **options)
    return source, _audited_in_parts(source or train, others, encoding, options)


def _audited_in_parts(
    source: Found | str, others: Found | None, encoding: Encoding, options: Mapping[str, Any]
) -> Audit:
    """The same, images encoded in parts: those of the audit in the output itself, the others below it."""
    from inkling.auditing.audit import audit_memory, audit_subject, auditing_encoder, subject_of
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.classifier.labelled import labelled_samples
    from inkling.embeddings.cache import opened_cache
    from inkling.images.handed_over import read_images, records_of

    if isinstance(source, str):
        classifier = FewShotClassifier.load(source, encoder=options["encoder"], cache=options["cache"])
        held = None if others is None else encoding.samples_for(classifier, records_of(others), under=AGAINST)
        return audit_memory(classifier, held, seed=options["seed"])
    encoder = auditing_encoder(options["encoder"])
    given = read_images(source, split="train")
    with opened_cache(options["cache"]) as cache:
        samples = labelled_samples(given, partial(encoding.samples, encoder=encoder, cache=cache))
        held = None if others is None else encoding.samples(records_of(others), encoder, cache=cache, under=AGAINST)
        subject = subject_of(given, samples, held, encoder=encoder, cache=cache, seed=options["seed"])
    return audit_subject(subject, skipped=samples.skipped)


def _apply(images: str, fixes: Path, output: Path | None, boxes: BoxReading, json: str | None) -> None:
    from inkling.memory.place import names_memory

    if names_memory(images):
        _refuse({"--output": output}, beside="a memory, which is corrected itself")
        correct_memory_by(images, fixes, json)
    elif output is None:
        raise InputError("--apply makes a corrected copy, and needs a folder for it.", remedy="Add --output NEW_DIR.")
    else:
        correct(images, fixes, output, boxes=boxes, json=json)


def _tell(
    found: Audit, name: str, told: dict[str, Any], *, fix_list: Path | None, report: Path | None, json: str | None
) -> None:
    """Write and print; what was found is printed too where it can't be written."""
    from inkling.auditing.fix_list import write_fix_list
    from inkling.memory.place import names_memory
    from inkling.reports.audit import write_audit_report

    summary = audit_payload(found) | told | {"report": None, "fix_list": None, "seconds": seconds_waited()}
    try:
        if fix_list is not None:
            summary["fixes"] = write_fix_list(fix_list, found.findings)
            summary["fix_list"] = str(fix_list)
        if report is not None:
            write_audit_report(report, found, name=name, memory=names_memory(name))
            summary["report"] = str(report)
    except InklingError:
        _print(summary)
        raise
    show(summary, json=json, table=_print)


def _refuse(options: Mapping[str, object], *, beside: str) -> None:
    """Refuse what has no effect."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise InputError(f"{given[0]} has no effect beside {beside}.", remedy=f"Leave {given[0]} out.")


def _print(summary: Mapping[str, Any]) -> None:
    rows = [("images", summary["images"])]
    if summary["different"] < summary["images"]:
        rows.append(("different images", summary["different"]))
    rows.append(("classes", summary["classes"]))
    rows += [(kind.replace("_", " "), number) for kind, number in summary["counts"].items()]
    print_table(("", "audited"), [*rows, ("time", f"{summary['seconds']:.1f} s")])
    none_found = [kind.replace("_", " ") for kind in summary["looked_for"] if kind not in summary["counts"]]
    if none_found:
        said = "Nothing is worth a look. " if not summary["findings"] else ""
        note(f"{said}Looked for, and not found: {', '.join(none_found)}.")
    tell_classes_left_out(summary["classes_left_out"])
    folder = _common_folder(summary["findings"])
    for kind in summary["counts"]:
        _print_kind([one for one in summary["findings"] if one["kind"] == kind], folder)
    if folder:
        note(f"All files are in {folder}.")
    if (expected := summary["expected_wrong"]) is not None and "mislabelled" in summary["counts"]:
        named = counted(summary["counts"]["mislabelled"], "label")
        note(f"Of {named} said to be wrong, about {expected:.0f} are expected to be.")
    for name, reason in summary["not_checked"].items():
        note(f"Not checked: {name}; {reason}.")
    if summary["fix_list"] is not None:
        note(f"{counted(summary['fixes'], 'row')} of corrections to look at: {summary['fix_list']}.")
    if summary["report"] is not None:
        note(f"Report: {summary['report']}.")


def _print_kind(found: Sequence[Mapping[str, Any]], folder: str) -> None:
    """Files and evidence, the surest first; what to do stands once where it is the same for all."""
    from inkling.auditing.findings import Finding

    kind = str(found[0]["kind"]).replace("_", " ")
    title = f"{kind}, {SHOWN} of {len(found)}" if len(found) > SHOWN else kind
    advice = {one["suggestion"] for one in found[:SHOWN]}
    rows = []
    for one in found[:SHOWN]:
        file = one["files"][0].removeprefix(folder) if one["files"] else ", ".join(one["classes"])
        evidence = Finding(**one).evidence_at(name=lambda path: path.removeprefix(folder))
        rows.append((file, evidence if len(advice) == 1 else f"{evidence} {one['suggestion']}"))
    print_table((title, "evidence"), rows, whole=(0,))
    if len(advice) == 1:
        say(f" {advice.pop()}")


def _common_folder(findings: Sequence[Mapping[str, Any]]) -> str:
    """The folder that the files of all findings are in, with a slash; empty where there is none."""
    folders = [file.rpartition("/")[0] for one in findings for file in one["files"]]
    try:
        common = os.path.commonpath(folders)
    except ValueError:  # no files, or absolute paths beside relative ones
        return ""
    return f"{common.rstrip('/')}/" if common else ""
