"""inkling finetune: tune an encoder on labelled images, and let evidence decide whether it ships."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkling.cli import recipe_options as options
from inkling.cli.console import check_outputs, note, print_table, progress_bar, show, tell_skipped, training_bar
from inkling.cli.options import Device, Json, NoCache, Seed
from inkling.cli.sources import open_source
from inkling.errors import InputError
from inkling.payloads import finetuning_payload

if TYPE_CHECKING:
    from inkling.finetune.finetuner import FineTuner
    from inkling.finetune.shipping import Shipment
    from inkling.images.sources import Found
    from inkling.memory.content import StoredMemory
    from inkling.prompts import ClassPrompts
    from inkling.types import ImageRecord

NAME = "finetune"
RUN_SUFFIX = ".finetuned"


def run(
    train_images: Annotated[
        str | None,
        typer.Argument(
            metavar="TRAIN",
            help="Labelled images, in any form that fit reads; none with --merge.",
            show_default=False,
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            "--memory",
            metavar="FILE.ink",
            help="A new memory, or one whose classes and images join in and are embedded anew; or a PostgreSQL URL.",
        ),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            metavar="NAME_OR_DIR",
            help="A CLIP or SigLIP model in the format of transformers. Default: that of the memory; where it was "
            "tuned, the one that it was tuned from.",
        ),
    ] = None,
    preset: Annotated[str, typer.Option(help="original, lora, two-stage or last-blocks.")] = "last-blocks",
    interpolate: Annotated[
        str, typer.Option(metavar="auto|0..1", help="Share of the tuned weights; auto finds it on held-out images.")
    ] = "auto",
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for encoder, log and checkpoints. Default: beside the memory, named after it.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Go on with the run in this folder.", show_default=False)
    ] = None,
    false_alarms: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Share of known images that may be called unknown. Default: as in the memory, else 0.05, where the "
            "images can support it.",
        ),
    ] = None,
    merge: Annotated[
        Path | None,
        typer.Option(
            metavar="ADAPTERS",
            help="Train nothing: write to --output what --encoder and these LoRA adapters make together.",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="OUT.html", help="Write the curves to look at.")
    ] = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write scalars for TensorBoard.")] = False,
    templates: Annotated[
        str | None, typer.Option(help="default, simple, imagenet, or a template such as 'a photo of a {}.'.")
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="YAML or CSV with prompts, aliases and disambiguations of classes.")
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    no_cache: NoCache = False,
    json: Json = None,
    train: options.Train = None,
    loss: options.Loss = None,
    epochs: options.Epochs = None,
    steps: options.Steps = None,
    batch_size: options.BatchSize = None,
    lr: options.LearningRate = None,
    weight_decay: options.WeightDecay = None,
    schedule: options.Schedule = None,
    warmup: options.Warmup = None,
    augment: options.Augment = None,
    curriculum: options.Curriculum = None,
    holdout: options.Holdout = None,
    patience: options.Patience = None,
    folds: options.Folds = None,
    accumulation: options.Accumulation = None,
    gradient_checkpointing: options.Checkpointing = False,
    precision: options.Arithmetic = None,
) -> None:
    """Tune an encoder on labelled images; it ships where images that it did not see show a gain."""
    from inkling.finetune.finetuner import FineTuner
    from inkling.finetune.recipe import preset as recipe_of
    from inkling.finetune.shipping import judge

    if merge is not None:
        _merge(merge, encoder=encoder, output=output, json=json)
        return
    if train_images is None or memory is None:
        raise InputError(
            "Fine-tuning needs labelled images and a memory.",
            remedy="Such as: inkling finetune photos/train --memory vehicles.ink",
        )
    recipe = recipe_of(preset).changed(
        train=train,
        loss=loss,
        epochs=epochs,
        steps=steps,
        batch_size=batch_size,
        learning_rate=lr,
        weight_decay=weight_decay,
        schedule=schedule,
        warmup=warmup,
        augment=augment,
        curriculum=curriculum,
        holdout=holdout,
        patience=patience,
        folds=folds,
        accumulation=accumulation,
        gradient_checkpointing=gradient_checkpointing or None,
        precision=precision,
        interpolate=_share(interpolate),
        seed=seed,
    )
    check_outputs(report, json, keep=(memory, train_images, prompts))
    started = time.perf_counter()
    stored = _stored(memory)
    source = _images(train_images)
    records, words = _records(source, stored), _words(prompts, stored)
    name = _encoder_name(encoder, stored)
    tuner = FineTuner(name, recipe, templates=templates, prompts=words, device=device)
    rate = _rate(false_alarms, stored, tuner, records)
    with training_bar() as tell:
        tuned = tuner.fit_records(
            records,
            output=resume or output or _run_folder(memory),
            resume=resume is not None,
            progress=tell,
            tensorboard=tensorboard,
        )
    if not tuned.is_main:
        return
    with progress_bar("Embedding") as progress:
        shipment = judge(tuner, tuned, false_alarms=rate, cache=not no_cache, progress=progress)
    version = shipment.save(memory, version=stored.version if stored else None)
    tell_skipped(tuned.skipped, source.ignored)
    if report:
        _write_report(report, shipment, memory)
    facts = {
        "memory": str(memory),
        "memory_version": version if version or stored is None else stored.version,
        "memory_changed": version is not None,
        "ignored": dict(source.ignored),
        "seconds": round(time.perf_counter() - started, 2),
    }
    show(finetuning_payload(tuned, shipment) | facts, json=json, table=_print)


def _merge(adapters: Path, *, encoder: str | None, output: Path | None, json: str | None) -> None:
    """Write the encoder that an encoder and its low-rank additions make together."""
    from inkling.encoders.registry import load_encoder
    from inkling.encoders.transformers import TransformersEncoder
    from inkling.finetune.finetuner import two_towers
    from inkling.finetune.result import merge_adapters

    if encoder is None or output is None:
        raise InputError(
            "--merge needs the encoder that the adapters were trained on, and a folder for the result.",
            remedy="Such as: inkling finetune --merge run/adapters --encoder E --output merged",
        )
    check_outputs(json)
    merge_adapters(two_towers(load_encoder(encoder)).folder, adapters, output)
    merged = TransformersEncoder(output).identity
    facts = {"encoder": str(output), "encoder_fingerprint": merged.fingerprint}
    show(facts, json=json, table=lambda _: print_table(("", "merged"), list(facts.items())))


def _share(interpolate: str) -> float | None:
    """The share that is asked for; None where evidence is to find it."""
    if interpolate == "auto":
        return None
    try:
        return float(interpolate)
    except ValueError:
        raise InputError(
            f"--interpolate takes 'auto' or a number from 0 to 1, got '{interpolate}'.",
            remedy="0 is the encoder as it was, 1 the tuned one.",
        ) from None


def _stored(memory: str) -> StoredMemory | None:
    """The memory, if there is one; makes sure that it can be written."""
    from inkling.memory.place import place_of
    from inkling.memory.store import check_target, read_memory

    check_target(memory)
    return read_memory(memory) if place_of(memory).exists() else None


def _run_folder(memory: str) -> Path:
    """Beside the memory, named after it; after the database where it lies on a server."""
    from inkling.memory.place import FilePlace, place_of

    beside = Path(memory) if isinstance(place_of(memory), FilePlace) else Path(Path(memory.partition("?")[0]).name)
    return beside.with_suffix(RUN_SUFFIX)


def _images(name: str) -> Found:
    from inkling.embeddings.precomputed import Precomputed

    source = open_source(name, split="train")
    if isinstance(source, Precomputed):
        raise InputError(
            f"Fine-tuning needs the images themselves; '{name}' is a file of their vectors.",
            remedy="Name the folder, zip or table of the images.",
        )
    return source


def _records(source: Found, stored: StoredMemory | None) -> list[ImageRecord]:
    """Images to learn from: those of the source, and those that the memory was taught with."""
    from inkling.finetune.exemplars import records_with_known

    return records_with_known(source.records, stored.content.exemplars) if stored else list(source.records)


def _words(prompts: Path | None, stored: StoredMemory | None) -> tuple[ClassPrompts, ...]:
    """Own words for classes: those of the file, and for others those of the memory."""
    from inkling.finetune.exemplars import prompts_of
    from inkling.prompts import read_prompts

    own = read_prompts(prompts) if prompts else {}
    known = {one.name: one for one in prompts_of(stored.content.classes)} if stored else {}
    return tuple({**known, **own}.values())


def _encoder_name(asked: str | None, stored: StoredMemory | None) -> str:
    from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
    from inkling.finetune.exemplars import untuned_source

    return asked or (untuned_source(stored.content) if stored else DEFAULT_FOR_PHOTOGRAPHS)


def _rate(
    asked: float | None, stored: StoredMemory | None, tuner: FineTuner, records: Sequence[ImageRecord]
) -> float | None:
    """The rate of false alarms that was asked for, or else that of the memory where the images can support it."""
    from inkling.classifier.detection import detector_from
    from inkling.finetune.shipping import require_rate

    if asked is not None:
        require_rate(tuner, records, asked)
        return asked
    before = detector_from(stored.content.detector) if stored else None
    if before is None:
        return None
    try:
        require_rate(tuner, records, before.false_alarms)
    except InputError:
        return None
    return before.false_alarms


def _write_report(report: Path, shipment: Shipment, memory: str) -> None:
    from inkling.reports.finetuning import write_finetuning_report

    write_finetuning_report(report, shipment.told, memory_name=Path(memory).name)
    note(f"Report: {report}")


def _print(summary: Mapping[str, Any]) -> None:
    candidates = [
        (
            one["name"],
            f"{one['top1']:.1%}",
            f"{one['log_loss']:.3f}",
            "ships" if one["name"] == summary["ships"] else "",
        )
        for one in summary["candidates"]
    ]
    if candidates:
        print_table(("out of fold", "top-1", "log-loss", ""), candidates, numbers=(1, 2))
    rows = [
        ("learnt from", f"{summary['images']} images of {len(summary['classes'])} classes"),
        ("share", summary["reason"]),
        ("finding", summary["finding"]),
        *([("unknown", summary["unknown"]["finding"])] if summary["memory_changed"] else []),
        ("encoder", summary["encoder"]),
        *([("adapters", summary["adapters"])] if summary["adapters"] else []),
        ("memory", _memory_line(summary)),
        ("time", f"{summary['seconds']:.1f} s"),
    ]
    print_table(("", "fine-tuned"), rows)


def _memory_line(summary: Mapping[str, Any]) -> str:
    if summary["memory_changed"]:
        return f"{summary['memory']}, version {summary['memory_version']}"
    return f"{summary['memory']} stays as it was, at version {summary['memory_version']}"
