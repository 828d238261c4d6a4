"""inkling discover: look for new classes among unlabelled images, and propose them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkling.cli.console import check_outputs, note, show, tell_skipped
from inkling.cli.encoding import Encoding
from inkling.cli.in_parts import HERE, Sitting
from inkling.cli.options import (
    Address,
    Confidence,
    Device,
    EncodingEngine,
    Gpus,
    Json,
    Margin,
    Memory,
    MinImages,
    MovedEncoder,
    NoCache,
    Parts,
    Resume,
    Root,
    Vocabulary,
)
from inkling.cli.progress import board, counting
from inkling.cli.proposals import print_proposals
from inkling.cli.sources import leave_if_lost, open_source
from inkling.payloads import explored_payload
from inkling.wording import counted

if TYPE_CHECKING:
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.embeddings.precomputed import Precomputed
    from inkling.embeddings.samples import Samples
    from inkling.images.sources import Found
    from inkling.review.propose import Explored


def run(
    memory: Memory,
    unlabelled: Annotated[
        str | None,
        typer.Argument(
            metavar="UNLABELLED",
            help="Images, in any form that predict reads. Without: sort anew what waits in the memory.",
            show_default=False,
        ),
    ] = None,
    min_images: MinImages = 5,
    vocabulary: Vocabulary = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="OUT.html", help="Write a contact sheet of the proposals.")
    ] = None,
    margin: Margin = 0.0,
    root: Root = None,
    confidence: Confidence = 0.2,
    encoder: MovedEncoder = None,
    device: Device = "auto",
    no_cache: NoCache = False,
    engine: EncodingEngine = HERE,
    address: Address = None,
    gpus: Gpus = None,
    output: Parts = None,
    resume: Resume = False,
    json: Json = None,
) -> None:
    """Look for new classes among unlabelled images; what is found waits for your decision."""
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.classifier.vocabularies import read_vocabulary
    from inkling.images.boxes import BoxReading
    from inkling.review.explore import explore

    encoding = Encoding(Sitting(engine, address, resume, gpus), output, device)
    encoding.check()
    check_outputs(report, json, keep=(memory, unlabelled, vocabulary))
    boxes = BoxReading(margin=margin, root=root, confidence=confidence)
    words = read_vocabulary(vocabulary)
    classifier = FewShotClassifier.load(memory, encoder=encoder, vocabulary=words, device=device, cache=not no_cache)
    source = None if unlabelled is None else open_source(unlabelled, boxes=boxes)
    encoding.check_source(source)
    samples = None if source is None else _samples(classifier, source, encoding)
    with board() as where:
        classifier.naming = counting(where, "Vocabulary", unit="names")
        explored = explore(memory, classifier, samples, min_images=min_images)
    if report:
        write_sheet(explored, report, memory=memory, classifier=classifier)
    show(explored_payload(explored), json=json, table=print_explored)
    leave_if_lost(source, samples.skipped if samples else ())


def _samples(classifier: FewShotClassifier, source: Found | Precomputed, encoding: Encoding) -> Samples:
    from inkling.classifier.fitted import require_readable
    from inkling.embeddings.precomputed import Precomputed
    from inkling.embeddings.samples import precomputed_samples
    from inkling.encoders.identity import check_encoder

    if isinstance(source, Precomputed):
        check_encoder(classifier.fitted.samples.identity, source.identity)
        tell_skipped(source.skipped, {})
        return precomputed_samples(source)
    samples = encoding.samples_for(classifier, source.records)
    tell_skipped(samples.skipped, source.ignored)
    require_readable(samples)
    return samples


def print_explored(summary: Mapping[str, Any]) -> None:
    """The proposals, and what lies near known classes, or the word on drift."""
    from inkling.heads.checks import name_some

    looked = f"Of {counted(summary['images'], 'image')}, {summary['candidates']} are candidates (p-value up to .5); "
    note(f"{looked if summary['images'] else ''}{counted(summary['waiting'], 'image')} in the pool.")
    drift = summary["drift"]
    if drift["found"]:
        note(drift["finding"])
        return
    print_proposals(summary["proposals"])
    if summary["number"]:
        least, most = summary["number"]
        note(f"Likely number of new classes among the images looked at: {least} to {most}.")
    for one in summary["leaning"]:
        shown = name_some([Path(path).name for path in one["paths"]])
        note(f"{one['finding'][0].upper()}{one['finding'][1:]}, perhaps a class that resembles it: {shown}.")


def write_sheet(explored: Explored, report: Path, *, memory: str, classifier: FewShotClassifier) -> None:
    """Write the contact sheet."""
    from inkling.reports.contact_sheet import write_contact_sheet

    identity = classifier.fitted.samples.identity
    write_contact_sheet(report, explored, memory_name=memory, encoder=identity, seed=classifier.seed)
    note(f"Report: {report}")
