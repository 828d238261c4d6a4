"""inkling evaluate: measure a memory on labelled images it was not taught with."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkling.cli.console import is_stdout, note, print_table, require_folder, tell_skipped, write_json
from inkling.cli.options import Device, Json, Memory, MovedEncoder, NoCache, Seed
from inkling.cli.sources import samples_for

if TYPE_CHECKING:
    from inkling.evaluate.run import EvaluatedRun

NAME = "evaluate"


def run(
    memory: Memory,
    test: Annotated[
        str,
        typer.Argument(metavar="TEST", help="Labelled images, in any form that fit reads.", show_default=False),
    ],
    report: Annotated[
        Path | None, typer.Option("--report", metavar="OUT.html", help="Write a report to look at.")
    ] = None,
    encoder: MovedEncoder = None,
    device: Device = "auto",
    seed: Seed = 0,
    no_cache: NoCache = False,
    json: Json = None,
) -> None:
    """Measure a memory on labelled images, beside zero-shot, with intervals."""
    from inkling.classifier import FewShotClassifier
    from inkling.evaluate.run import evaluate_classifier

    require_folder(report)
    require_folder(json)
    classifier = FewShotClassifier.load(memory, encoder=encoder, device=device, cache=not no_cache)
    samples, ignored = samples_for(classifier, test, split="test")
    tell_skipped(samples.skipped, ignored)
    done = evaluate_classifier(classifier, samples, seed=seed)
    summary = done.evaluation.to_json()
    if report:
        write_html(done, report, memory=memory, test=test)
        note(f"Report: {report}")
    if json:
        write_json(json, summary)
    if not is_stdout(json):
        print_scores(summary)


def write_html(done: EvaluatedRun, report: Path, *, memory: Path, test: str) -> None:
    """The report with where everything came from at its foot."""
    from inkling.evaluate.report import write_report
    from inkling.provenance import inkling_version, now, package_versions
    from inkling.teaching import current_command

    identity = done.samples.identity
    provenance = {
        "encoder": identity.name,
        "command": shlex.join(current_command()),
        "date": now(),
        "inkling": inkling_version(),
        "packages": ", ".join(f"{name} {number}" for name, number in package_versions().items()),
    }
    context = done.report_context(memory_name=memory.name, test_name=test, provenance=provenance)
    write_report(report, done.evaluation, context)


def print_scores(summary: Mapping[str, Any]) -> None:
    """The measures of the head and of zero-shot side by side."""
    zero_shot = summary["zero_shot"]
    columns = ["", summary["head"], *(["zero-shot"] if zero_shot else [])]
    rows = []
    for key, shown, as_share in (
        ("top1", "top-1", True),
        ("top5", "top-5", True),
        ("balanced_accuracy", "balanced accuracy", True),
        ("ece", "ECE", False),
        ("nll", "NLL", False),
        ("brier", "Brier", False),
    ):
        values = [_shown(one, key, as_share=as_share) for one in (summary, zero_shot) if one]
        rows.append([f"{shown} ({summary['n']} images)" if key == "top1" else shown, *values])
    print_table(columns, rows, numbers=(1, 2))
    if zero_shot:
        note(f"Against zero-shot: {zero_shot['gain']:+.1%} top-1, McNemar p = {summary['mcnemar_p']:.2g}.")
    unknown = summary["unknown_labels"]
    if unknown["count"]:
        note(f"Left out: {unknown['count']} images whose label is not a known class ({', '.join(unknown['names'])}).")


def _shown(scores: Mapping[str, Any], key: str, *, as_share: bool) -> str:
    if not as_share:
        return f"{scores[key]:.3f}"
    bounds = scores["intervals"].get(key)
    interval = f"  [{bounds[0]:.1%}, {bounds[1]:.1%}]" if bounds else ""
    return f"{scores[key]:.1%}{interval}"
