"""inkling fit: learn from labelled images and write the memory."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkling.cli.console import (
    is_stdout,
    note,
    print_table,
    progress_bar,
    require_folder,
    tell_skipped,
    write_json,
)
from inkling.cli.options import Device, Json, NoCache, Precision, Seed
from inkling.errors import InputError

if TYPE_CHECKING:
    from inkling.classifier import FewShotClassifier

NAME = "fit"


def run(
    train: Annotated[
        str,
        typer.Argument(
            metavar="TRAIN",
            help="Folder of class folders, zip, CSV or Parquet (path, label), or a file of embeddings.",
            show_default=False,
        ),
    ],
    memory: Annotated[
        Path, typer.Option("--memory", metavar="FILE.ink", help="The memory file to write.", show_default=False)
    ],
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            metavar="NAME_OR_DIR",
            help="Encoder; see 'inkling encoders'. Default: openai/clip-vit-base-patch32, for photographs.",
        ),
    ] = None,
    head: Annotated[str, typer.Option(help="What learns on the embeddings; auto chooses.")] = "auto",
    seed: Seed = 0,
    views: Annotated[int, typer.Option(help="Views of each image; more than 1 adds augmented ones.")] = 1,
    strict: Annotated[bool, typer.Option("--strict", help="Stop if an image cannot be used.")] = False,
    templates: Annotated[
        str | None, typer.Option(help="default, simple, imagenet, or a template such as 'a photo of a {}.'.")
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="YAML or CSV with prompts, aliases and disambiguations of classes.")
    ] = None,
    device: Device = "auto",
    precision: Precision = "float32",
    no_cache: NoCache = False,
    json: Json = None,
) -> None:
    """Learn classes from labelled images: a calibrated classifier in one file."""
    from inkling.classifier import FewShotClassifier
    from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
    from inkling.prompts import read_prompts

    require_folder(memory)
    require_folder(json)
    started = time.perf_counter()
    classifier = FewShotClassifier(
        encoder or DEFAULT_FOR_PHOTOGRAPHS,
        head=head,
        seed=seed,
        views=views,
        templates=templates,
        prompts=tuple(read_prompts(prompts).values()) if prompts else (),
        device=device,
        precision=precision,
        cache=not no_cache,
    )
    ignored = _teach(classifier, train, with_encoder=encoder not in (None, "precomputed"))
    tell_skipped(classifier.skipped_, ignored)
    if strict and classifier.skipped_:
        raise InputError(
            f"{len(classifier.skipped_)} images cannot be used, and --strict was asked for.",
            remedy="Mend or remove them, or leave --strict out.",
        )
    version = classifier.save(memory)
    summary = _summary(classifier) | {"memory": str(memory), "memory_version": version, "ignored": dict(ignored)}
    summary["seconds"] = round(time.perf_counter() - started, 2)
    if json:
        write_json(json, summary)
    if not is_stdout(json):
        _print(summary)


def _teach(classifier: FewShotClassifier, train: str, *, with_encoder: bool) -> Mapping[str, int]:
    """Teach from images or from a file of embeddings; returns what was ignored beside the images."""
    from inkling.embeddings.precomputed import read_precomputed
    from inkling.embeddings.samples import is_precomputed, precomputed_samples
    from inkling.images.sources import find_images
    from inkling.memory.content import check_encoder

    if is_precomputed(train):
        vectors = read_precomputed(train)
        if with_encoder and vectors.text_vectors is None:
            check_encoder(vectors.identity, classifier.encoder.identity)
            classifier.fit_samples(precomputed_samples(vectors))
        else:
            classifier.fit_precomputed(vectors)
        return {}
    found = find_images(train, split="train")
    with progress_bar("Embedding") as progress:
        classifier.fit(found.records, progress=progress)
    return found.ignored


def _summary(classifier: FewShotClassifier) -> dict[str, Any]:
    taught = classifier.taught
    fitted, samples = taught.fitted, taught.samples
    return {
        "classes": list(classifier.classes_),
        "classes_without_text": [entry.name for entry in taught.entries if entry.text_vector is None],
        "images": len(set(samples.content_hashes)),
        "encoded_now": samples.n_encoded,
        "skipped": [{"path": image.path, "reason": image.reason} for image in samples.skipped],
        "encoder": samples.identity.name,
        "encoder_fingerprint": samples.identity.fingerprint,
        "head": classifier.head,
        "finding": fitted.finding,
        "evidence": [dict(one) for one in fitted.evidence],
        "calibration": dict(fitted.calibration),
    }


def _print(summary: Mapping[str, Any]) -> None:
    calibration = summary["calibration"]
    after = calibration["after"]
    without = len(summary["classes_without_text"])
    rows = [
        ("classes", len(summary["classes"])),
        ("images", f"{summary['images']} ({summary['encoded_now']} embedded now)"),
        ("encoder", summary["encoder"]),
        ("head", f"{summary['head']}: {summary['finding']}"),
    ]
    if after:
        rows.append(("out of fold", f"top-1 {calibration['top1']:.1%}, ECE {after['ece']:.3f}, NLL {after['nll']:.3f}"))
    if without:
        rows.append(("without text", f"{without} classes go by their images alone"))
    rows.append(("memory", f"{summary['memory']}, version {summary['memory_version']}"))
    rows.append(("time", f"{summary['seconds']:.1f} s"))
    print_table(("", "fitted"), rows)
    if summary["encoder"] == "sketch":
        from inkling.encoders.cards import SKETCH_NOTE

        note(f"The encoder 'sketch' is {SKETCH_NOTE}.")
