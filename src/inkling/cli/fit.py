"""inkling fit: learn from labelled images and write the memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkling.cli.basis import unmeasured
from inkling.cli.console import check_outputs, listed, note, show, tell_skipped
from inkling.cli.in_parts import HERE
from inkling.cli.options import (
    Address,
    Confidence,
    Device,
    Dimensions,
    Engine,
    GroupsFrom,
    Json,
    Margin,
    NoCache,
    Precision,
    Root,
    Seed,
)
from inkling.cli.passing import Passing
from inkling.cli.progress import board, counting
from inkling.cli.sources import grouped, leave_if_lost, left_out, open_source, tell_classes_left_out
from inkling.cli.tables import print_table
from inkling.cli.updating import tell_or_stop, update_memory
from inkling.cli.usage import alarm_rate, whole
from inkling.cli.waiting import seconds_waited
from inkling.errors import InputError
from inkling.payloads import fit_payload
from inkling.redaction import redacted

if TYPE_CHECKING:
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.embeddings.parts import VectorParts
    from inkling.embeddings.precomputed import Precomputed
    from inkling.images.boxes import BoxReading
    from inkling.images.grouping import Grouping
    from inkling.images.sources import Found
    from inkling.memory.holdings import Holdings

UNKNOWN_VIEWS = (
    "Nobody said how many views of its image each vector is the mean of. --views 1, in Python views=1, says that they "
    "are single views, which narrows the range of false alarms; --views 10 that they are means of ten."
)
NOTHING_LEFT_OUT: dict[str, Any] = {"ignored": {}, "classes_left_out": []}
OF_A_NEW_MEMORY = (
    "replace",
    "head",
    "seed",
    "templates",
    "false_alarms",
    "vocabulary",
    "parents",
    "unlabelled",
    "precision",
    "dimensions",
    "one_pass",
    "engine",
    "address",
)
"""Options that have no effect on what an existing memory adds."""


def run(
    context: typer.Context,
    train: Annotated[
        str,
        typer.Argument(
            metavar="TRAIN",
            help="Folder of class folders, zip, table (path, label), COCO JSON, or a file of embeddings.",
            show_default=False,
        ),
    ],
    memory: Annotated[
        str,
        typer.Option(
            "--memory", metavar="FILE.ink", help="The memory to write: a file, or a PostgreSQL URL.", show_default=False
        ),
    ],
    update: Annotated[
        bool, typer.Option("--update", help="Add the images to what an existing memory knows; undoable.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Begin an existing memory anew; what people decided is lost.")
    ] = False,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            metavar="NAME_OR_DIR",
            help="See 'inkling encoders'; A+B joins two. Default: openai/clip-vit-base-patch32, for photographs.",
        ),
    ] = None,
    head: Annotated[str, typer.Option(help="What learns on the embeddings; auto chooses.")] = "auto",
    seed: Seed = 0,
    groups_from: GroupsFrom = None,
    views: Annotated[
        int | None,
        typer.Option(
            parser=whole(1),
            metavar="N",
            help="Views of each image: more than 1 adds augmented ones. Of embeddings: how many views of its image "
            "each is the mean of.",
            show_default=False,
        ),
    ] = None,
    false_alarms: Annotated[
        float | None,
        typer.Option(
            parser=alarm_rate,
            metavar="RATE",
            help="Share of known images that may be called unknown. Default: 0.05, where the images can support it.",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop if an image cannot be used.")] = False,
    vocabulary: Annotated[
        str | None,
        typer.Option(
            metavar="nouns|FILE",
            help="Compare images with names of no known class too: common nouns, or a file with one a line.",
        ),
    ] = None,
    templates: Annotated[
        str | None, typer.Option(help="default, simple, imagenet, or a template such as 'a photo of a {}.'.")
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="YAML or CSV with prompts, aliases and disambiguations of classes.")
    ] = None,
    parents: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Groups of classes for predict --hierarchy: columns child and parent."),
    ] = None,
    unlabelled: Annotated[
        str | None,
        typer.Option(
            metavar="DIR|FILE",
            help="More images, without labels, of these classes and maybe others: they count where they help.",
        ),
    ] = None,
    one_pass: Annotated[
        bool | None,
        typer.Option(
            "--one-pass/--in-memory",
            help="Read vectors in Parquet files once, in memory that does not grow with them, and keep a sample. "
            "Default: where they are more than 250000.",
            show_default=False,
        ),
    ] = None,
    engine: Engine = HERE,
    address: Address = None,
    margin: Margin = 0.0,
    root: Root = None,
    confidence: Confidence = 0.2,
    device: Device = "auto",
    precision: Precision = "auto",
    dimensions: Dimensions = None,
    no_cache: NoCache = False,
    json: Json = None,
) -> None:
    """Learn classes from labelled images: a calibrated classifier in one file."""
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.classifier.parents import read_parents
    from inkling.classifier.vocabularies import read_vocabulary
    from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
    from inkling.images.boxes import BoxReading
    from inkling.images.grouping import Grouping
    from inkling.memory.store import check_target
    from inkling.prompts import read_prompts
    from inkling.review.new_class import ClassEmbedder

    check_outputs(json, keep=(memory, train, prompts, vocabulary, parents, unlabelled))
    boxes = BoxReading(margin=margin, root=root, confidence=confidence)
    opened = partial(_opened, train, boxes, None if groups_from is None else Grouping.parse(groups_from))
    if update:
        _require_none_given(context, OF_A_NEW_MEMORY)
        embedder = ClassEmbedder(encoder, device=device, cache=not no_cache)
        update_memory(memory, opened, embedder, prompts=prompts, views=views, strict=strict, json=json)
        return
    before = check_target(memory, may_exist=replace)
    classifier = FewShotClassifier(
        DEFAULT_FOR_PHOTOGRAPHS if encoder is None else encoder,
        head=head,
        seed=seed,
        views=views or 1,
        templates=templates,
        prompts=tuple(read_prompts(prompts).values()) if prompts else (),
        false_alarms=false_alarms,
        vocabulary=read_vocabulary(vocabulary),
        parents=read_parents(parents),
        device=device,
        precision=precision,
        dimensions=dimensions,
        cache=not no_cache,
    )
    passing = Passing(one_pass, engine, address, in_words=encoder is not None, unlabelled=unlabelled is not None)
    source = passing.parts(train, head=head) or opened()
    found = _fit(classifier, source, train, passing, views=views, more=_more(unlabelled, boxes))
    saved = _saved(classifier, memory, before, strict=strict)
    show(fit_payload(classifier) | found | saved | {"seconds": seconds_waited()}, json=json, table=_print)
    leave_if_lost(source, classifier.skipped_)


def _more(unlabelled: str | None, boxes: BoxReading) -> Found | Precomputed | None:
    """Images without labels, where there are any."""
    return None if unlabelled is None else open_source(unlabelled, boxes=boxes)


def _saved(classifier: FewShotClassifier, memory: str, before: Holdings | None, *, strict: bool) -> dict[str, Any]:
    """Write the memory, in the place of one that held something before where that was asked for."""
    tell_or_stop(classifier.skipped_, strict=strict)
    # What appeared there meanwhile is not what --replace was meant for.
    version = classifier.save(memory, replace=before is not None, version=before.version if before else None)
    if before is not None:
        note(f"Replaced version {before.version}, which held {before}.")
    return {"memory": redacted(memory), "memory_version": version, "replaced": asdict(before) if before else None}


def _require_none_given(context: typer.Context, options: Sequence[str]) -> None:
    """Refuse options that would have no effect."""
    sources = {name: context.get_parameter_source(name) for name in options}
    given = [
        f"--{name.replace('_', '-')}" for name, of in sources.items() if of is not None and of.name == "COMMANDLINE"
    ]
    if given:
        raise InputError(
            f"--update keeps to what the memory was fitted with, so {', '.join(given)} would have no effect.",
            remedy="Leave it out; to begin anew, use --replace in place of --update.",
        )


def _opened(train: str, boxes: BoxReading, grouping: Grouping | None) -> Found | Precomputed:
    """What is to be learned from; what was found beside images is reported at once, whatever comes of the fit."""
    from inkling.images.sources import Found

    source = open_source(train, split="train", boxes=boxes)
    if isinstance(source, Found):
        tell_skipped((), source.ignored)
        return grouped(source, grouping)
    if grouping is not None:
        raise InputError(
            "--groups-from reads files of images, and these are embeddings.",
            remedy="Write the groups into the file: 'groups' of an npz, a column 'group' of a Parquet file.",
        )
    return source


def _fit(
    classifier: FewShotClassifier,
    source: Found | Precomputed | VectorParts,
    train: str,
    passing: Passing,
    *,
    views: int | None,
    more: Found | Precomputed | None,
) -> dict[str, Any]:
    """Fit on images or a file of embeddings, of which `views` says more, and on `more` without labels.

    Returns what was left out.
    """
    from inkling.embeddings.parts import VectorParts
    from inkling.embeddings.precomputed import Precomputed

    has_encoder = passing.in_words
    if isinstance(source, VectorParts):
        return _pass_over(classifier, source, passing, views=views)
    if isinstance(source, Precomputed):
        _check_options_for_vectors(classifier, has_encoder=has_encoder)
        if more is not None and not isinstance(more, Precomputed):
            raise InputError(
                "The labelled images are embeddings, and those of --unlabelled are pictures.",
                remedy="Embed them first: 'inkling embed', with the encoder that made the embeddings.",
            )
        classifier.fit_precomputed(source.of_views(views), in_words=has_encoder, unlabelled=more)
        if not has_encoder and source.identity.source != train:
            note(f"With --encoder {source.identity.source} the names of the classes would count too.")
        if classifier.fitted.samples.averaged_views is None:
            note(UNKNOWN_VIEWS)
        return NOTHING_LEFT_OUT
    with board() as where:
        classifier.naming = counting(where, "Vocabulary", unit="names")
        classifier.fit(source, unlabelled=more, progress=counting(where, "Embedding"))
    return left_out(source, classifier.fitted.classes)


def _pass_over(
    classifier: FewShotClassifier, parts: VectorParts, passing: Passing, *, views: int | None
) -> dict[str, Any]:
    """Fit in one pass; returns what was left out."""
    _check_options_for_vectors(classifier, has_encoder=passing.in_words)
    passing.fit(classifier, parts, views=views)
    if classifier.fitted.samples.averaged_views is None:
        note(UNKNOWN_VIEWS)
    return NOTHING_LEFT_OUT


def _check_options_for_vectors(classifier: FewShotClassifier, *, has_encoder: bool) -> None:
    """Refuse what would have no effect."""
    if (classifier.templates or classifier.prompts) and not has_encoder:
        raise InputError(
            "Only an encoder can encode class texts.",
            remedy="Name the one that made the embeddings with --encoder, or leave --templates and --prompts out.",
        )


def _print(summary: Mapping[str, Any]) -> None:
    from inkling.classifier.unlabelled import unlabelled_finding

    rows = [
        ("classes", len(summary["classes"])),
        ("images", _images(summary)),
        *([("sources", summary["sources_finding"])] if summary["sources_finding"] else []),
        *([("unlabelled", unlabelled_finding(summary["unlabelled"]))] if summary["unlabelled"] else []),
        ("encoder", summary["encoder"]),
        ("head", f"{summary['head']}: {summary['finding']}"),
        *([("texts", summary["texts"])] if summary["texts"] else []),
    ]
    calibration = summary["calibration"]
    if after := calibration["after"]:
        rows.append(("out of fold", f"top-1 {calibration['top1']:.1%}, ECE {after['ece']:.3f}, NLL {after['nll']:.3f}"))
    if basis := unmeasured(calibration):
        rows.append(("calibration", basis))
    rows.append(("unknown", summary["unknown"]["finding"]))
    rows.append(("memory", f"{summary['memory']}, version {summary['memory_version']}"))
    rows.append(("time", f"{summary['seconds']:.1f} s"))
    print_table(("", "fitted"), rows)
    _tell_classes(summary)
    if finding := summary["worth_a_look"]["finding"]:
        note(finding)
        note("'inkling audit' shows them beside what else it finds, and writes a list of corrections.")
    if summary["encoder"] == "sketch":
        from inkling.encoders.cards import SKETCH_NOTE

        note(f"The encoder 'sketch' is {SKETCH_NOTE}.")


def _images(summary: Mapping[str, Any]) -> str:
    """How many were learned from."""
    if passed := summary["one_pass"]:
        return f"{passed['vectors']} in one pass, {passed['kept']} kept"
    return f"{summary['images']} ({summary['encoded_now']} embedded now)"


def _tell_classes(summary: Mapping[str, Any]) -> None:
    """Classes that lack one side, which may be meant or a slip."""
    without_text, without_images = summary["classes_without_text"], summary["classes_without_images"]
    if without_text:
        note(f"Known by images alone, without a text vector: {listed(without_text)}.")
    if without_images:
        note(f"Known by text alone: {listed(without_images)}.")
    with_images = [name for name in summary["classes"] if name not in without_images]
    for name in without_images:
        if near := get_close_matches(name, with_images, n=1, cutoff=0.8):
            note(f"Is '{name}' the same as '{near[0]}'? Names in the file of prompts must be spelled as the labels.")
    tell_classes_left_out(summary["classes_left_out"])
