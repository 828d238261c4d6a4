"""inkling evaluate: measure a memory on labelled images it was not trained on, or all heads with few images a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkling.cli.console import check_outputs, note, show, tell_skipped
from inkling.cli.encoding import Encoding
from inkling.cli.few_shot import FEW_SHOT, Request, check_protocol, run_few_shot
from inkling.cli.in_parts import HERE, Sitting
from inkling.cli.options import (
    Address,
    ByClass,
    Confidence,
    CoverageRate,
    Device,
    EncodingEngine,
    ErrorRate,
    Gpus,
    InGroups,
    Json,
    Margin,
    NoCache,
    ParentsFile,
    Parts,
    Randomized,
    Resume,
    Root,
    Seed,
)
from inkling.cli.promises import asked_promises, tell_answers, tell_coverage
from inkling.cli.sources import leave_if_lost, open_source
from inkling.cli.tables import print_table
from inkling.cli.usage import whole
from inkling.payloads import evaluation_payload
from inkling.wording import counted

if TYPE_CHECKING:
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.embeddings.precomputed import Precomputed
    from inkling.embeddings.samples import Samples
    from inkling.evaluate.groups import GroupedScores
    from inkling.evaluate.run import EvaluatedRun
    from inkling.images.sources import Found

SHOWN_NAMES = 8
TOO_MANY = (
    "That is more than the memory promises: these test images differ from those it was fitted on, as with another "
    "camera or other crops. Fit with some of their kind."
)
TOO_FEW = (
    "That is less than the memory promises: no known image suffers, but unknown images may pass. More training images "
    "narrow the range."
)


def run(
    memory: Annotated[
        str,
        typer.Argument(
            metavar="FILE.ink|TRAIN",
            help=f"The memory; with --protocol {FEW_SHOT} the images to learn from.",
            show_default=False,
        ),
    ],
    test: Annotated[
        str,
        typer.Argument(metavar="TEST", help="Labelled images, in any form that fit reads.", show_default=False),
    ],
    report: Annotated[
        Path | None, typer.Option("--report", metavar="OUT.html", help="Write a report to look at.")
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option("--protocol", metavar=FEW_SHOT, help="Fit all heads on 1 to 16 images a class, and on all."),
    ] = None,
    heads: Annotated[
        str | None, typer.Option("--heads", metavar="A,B", help="Heads of the protocol. Default: all.")
    ] = None,
    draws: Annotated[
        int | None, typer.Option("--draws", parser=whole(1, 1000), metavar="N", help="Of the protocol. Default: 5.")
    ] = None,
    splits: Annotated[
        Path | None,
        typer.Option(
            "--splits",
            metavar="FILE.json",
            help="Draws of the protocol: used if the file exists, else written. Default: beside the JSON.",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="COLUMN", help="Break top-1 down by a column of the table TEST, such as camera."),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            metavar="NAME_OR_DIR",
            help="Where the memory's encoder is now, if it moved; that of the protocol, as fit takes it.",
        ),
    ] = None,
    coverage: CoverageRate = None,
    by_class: ByClass = False,
    randomized: Randomized = False,
    hierarchy: InGroups = False,
    parents: ParentsFile = None,
    error_rate: ErrorRate = None,
    device: Device = "auto",
    seed: Seed = 0,
    margin: Margin = 0.0,
    root: Root = None,
    confidence: Confidence = 0.2,
    include_training: Annotated[
        bool,
        typer.Option(
            "--include-training", help="Count images that the memory was trained on, or near-duplicates of them, too."
        ),
    ] = False,
    no_cache: NoCache = False,
    engine: EncodingEngine = HERE,
    address: Address = None,
    gpus: Gpus = None,
    output: Parts = None,
    resume: Resume = False,
    json: Json = None,
) -> None:
    """Measure a memory on labelled images, beside zero-shot; or every head with few images a class."""
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.evaluate.groups import GroupedScores, group_scores, groups_of_table
    from inkling.evaluate.run import evaluate_classifier
    from inkling.images.boxes import BoxReading

    boxes = BoxReading(margin=margin, root=root, confidence=confidence)
    encoding = Encoding(Sitting(engine, address, resume, gpus), output, device)
    encoding.check()
    check_protocol(
        protocol,
        {"--heads": heads, "--draws": draws, "--splits": splits}
        | {"--include-training": include_training, "--by": by, "--coverage": coverage, "--hierarchy": hierarchy},
    )
    promises_of = asked_promises((coverage, by_class, randomized), (hierarchy, parents, error_rate))
    if protocol is not None:
        asked = (heads, draws, splits, report, json, encoder, seed, not no_cache, boxes, encoding)
        run_few_shot(Request(memory, test, *asked))
        return
    check_outputs(report, json, keep=(memory, test, parents))
    groups = None if by is None else groups_of_table(test, by, boxes)
    classifier = FewShotClassifier.load(memory, encoder=encoder, device=device, cache=not no_cache)
    source = open_source(test, split="test", boxes=boxes)
    samples = _samples(classifier, source, encoding)
    done = evaluate_classifier(
        classifier, samples, seed=seed, include_training=include_training, promises=promises_of(classifier)
    )
    grouped = None if by is None or groups is None else GroupedScores(by, group_scores(done, groups))
    if report:
        write_html(done, report, memory=memory, test=test, grouped=grouped)
        note(f"Report: {report}")
    summary = evaluation_payload(done.evaluation)
    if grouped is not None:
        summary["by"] = grouped.to_json()
    show(summary, json=json, table=print_scores)
    leave_if_lost(source, samples.skipped)


def _samples(classifier: FewShotClassifier, source: Found | Precomputed, encoding: Encoding) -> Samples:
    """Samples of a source, once it is sure that there is something to measure."""
    from inkling.embeddings.precomputed import Precomputed
    from inkling.embeddings.samples import precomputed_samples
    from inkling.encoders.identity import check_encoder
    from inkling.evaluate.run import require_known_labels

    encoding.check_source(source)
    if isinstance(source, Precomputed):
        check_encoder(classifier.fitted.samples.identity, source.identity)
        tell_skipped(source.skipped, {})
        return precomputed_samples(source)
    require_known_labels([record.label for record in source.records], classifier.fitted.classes)
    samples = encoding.samples_for(classifier, source.records)
    tell_skipped(samples.skipped, source.ignored)
    return samples


def write_html(
    done: EvaluatedRun, report: Path, *, memory: str | Path, test: str, grouped: GroupedScores | None = None
) -> None:
    """The report with where everything came from at its foot."""
    from inkling.reports.content import report_context
    from inkling.reports.evaluation import write_report
    from inkling.reports.portable import page_provenance

    provenance = page_provenance(done.samples.identity)
    context = report_context(done, memory_name=str(memory), test_name=test, provenance=provenance, grouped=grouped)
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
    elif summary["why_no_zero_shot"]:
        note(summary["why_no_zero_shot"])
    if summary["sets"]:
        tell_coverage(summary["sets"])
    if summary["answers"]:
        tell_answers(summary["answers"])
    if summary["unknown"]:
        _tell_unknown_detection(summary["unknown"])
    _tell_left_out(summary["unknown_labels"])
    _tell_training_images(summary["training_images"])
    if by := summary.get("by"):
        _print_groups(by["column"], by["groups"])


def _print_groups(column: str, groups: Sequence[Mapping[str, Any]]) -> None:
    """Top-1 by group, the worst first."""
    rows = [(one["group"], one["n"], f"{one['top1']:.1%}", "{:.1%} to {:.1%}".format(*one["ci95"])) for one in groups]
    print_table((column, "images", "top-1", "95 % interval"), rows, numbers=(1, 2))
    worst = groups[0]
    note(f"Worst {column}: {worst['group']}, {worst['top1']:.1%} of {counted(worst['n'], 'image')}.")


def _tell_unknown_detection(unknown: Mapping[str, Any]) -> None:
    """Whether the detector of unknown images keeps its promise, and what it catches."""
    alarms, found, (low, high) = unknown["false_alarms"], unknown["detected"], unknown["expected"]
    note(
        f"Called unknown: {alarms['share']:.1%} of {counted(alarms['n'], 'image')} of known classes "
        f"({unknown['requested']:.1%} asked for, {low:.1%} to {high:.1%} expected)"
        + (f"; {found['share']:.1%} of {found['n']} others, AUROC {unknown['auroc']:.3f}." if found else ".")
    )
    if not unknown["as_expected"]:
        note(TOO_MANY if alarms["share"] > high else TOO_FEW)


def _tell_left_out(unknown: Mapping[str, Any]) -> None:
    """Images that no measure counts."""
    names = [f"{name} {count}" for name, count in unknown["names"].items()]
    unlabelled = unknown["count"] - sum(unknown["names"].values())
    if names:
        shown = ", ".join(names[:SHOWN_NAMES]) + (", ..." if len(names) > SHOWN_NAMES else "")
        note(f"Left out of the measures, as their label is no known class: {shown}.")
    if unlabelled:
        note(f"Left out of the measures, as they have no label: {counted(unlabelled, 'image')}.")


def _tell_training_images(found: Mapping[str, Any]) -> None:
    """Test images that the memory was trained on."""
    if not found["images"]:
        return
    kinds = ((found["copies"], "the same file"), (found["near_duplicates"], "a near-duplicate"))
    told = ", ".join(f"{count} as {what}" for count, what in kinds if count)
    first = found["images"][0]
    fate = "Left out of all figures" if found["left_out"] else "Counted all the same, which flatters every figure"
    note(
        f"The memory was trained on {counted(len(found['images']), 'test image')} ({told}), such as {first['path']}. "
        f"{fate}."
    )


def _shown(scores: Mapping[str, Any], key: str, *, as_share: bool) -> str:
    if not as_share:
        return f"{scores[key]:.3f}"
    bounds = scores["intervals"].get(key)
    interval = f"  [{bounds[0]:.1%}, {bounds[1]:.1%}]" if bounds else ""
    return f"{scores[key]:.1%}{interval}"
