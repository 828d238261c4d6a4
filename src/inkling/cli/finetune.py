"""inkling finetune: tune an encoder on labelled images, and let evidence decide whether it ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkling.cli import recipe_options as options
from inkling.cli.console import check_outputs, note, show, tell_skipped
from inkling.cli.in_parts import HERE, Sitting
from inkling.cli.options import Address, Confidence, Json, Margin, NoCache, Root, Seed
from inkling.cli.progress import board, counting, stepping
from inkling.cli.stopping import resumable, tell_on_stop
from inkling.cli.tables import print_table
from inkling.cli.usage import alarm_rate, whole
from inkling.cli.waiting import seconds_waited
from inkling.errors import InputError, require
from inkling.payloads import finetuning_payload

if TYPE_CHECKING:
    from inkling.finetune.recipe import Recipe
    from inkling.finetune.run import FineTunedMemory, FineTuningOptions
    from inkling.finetune.shipping import Shipment
    from inkling.images.boxes import BoxReading
    from inkling.prompts import ClassPrompts


def run(
    train_images: Annotated[
        str,
        typer.Argument(metavar="TRAIN", help="Labelled images, in any form that fit reads.", show_default=False),
    ],
    memory: Annotated[
        str,
        typer.Option(
            "--memory",
            metavar="FILE.ink",
            help="A new memory, or one whose classes and images join in and are embedded anew; or a PostgreSQL URL.",
            show_default=False,
        ),
    ],
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
            parser=alarm_rate,
            metavar="RATE",
            help="Share of known images that may be called unknown. Default: as in the memory, else 0.05, where the "
            "images can support it.",
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
    margin: Margin = 0.0,
    root: Root = None,
    confidence: Confidence = 0.2,
    seed: Seed = 0,
    device: Annotated[str, typer.Option(help="auto, or cpu to leave a GPU alone.")] = "auto",
    fsdp: Annotated[bool, typer.Option("--fsdp", help="Split the towers over the processes of a launch.")] = False,
    no_cache: NoCache = False,
    json: Json = None,
    engine: Annotated[
        str,
        typer.Option("--engine", metavar="here|ray", help="What trains: this process, or several on Ray."),
    ] = HERE,
    address: Address = None,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes",
            parser=whole(1),
            metavar="N",
            help="How many share each batch on Ray. Default: one for each GPU, else one for each processor.",
            show_default=False,
        ),
    ] = None,
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
    recipe = _recipe(
        preset,
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
    from inkling.finetune.run import FineTuningOptions

    check_outputs(report, json, keep=(memory, train_images, prompts))
    options = FineTuningOptions(
        recipe=recipe,
        encoder=encoder,
        output=resume or output,
        resume=resume is not None,
        false_alarms=false_alarms,
        templates=templates,
        prompts=_prompts(prompts),
        device=device,
        fsdp=fsdp,
        cache=not no_cache,
        tensorboard=tensorboard,
    )
    boxes = _boxes(margin, root, confidence)
    _finetune(_on(engine, address, processes), memory, train_images, options, boxes=boxes, report=report, json=json)


def _boxes(margin: float, root: str | None, confidence: float) -> BoxReading:
    from inkling.images.boxes import BoxReading

    return BoxReading(margin=margin, root=root, confidence=confidence)


def _on(engine: str, address: str | None, processes: int | None) -> Callable[..., FineTunedMemory]:
    """What fine-tunes: this process, or several that Ray starts."""
    sitting = Sitting(engine, address)
    sitting.check_options()
    if sitting.on_ray:
        from inkling.bulk.finetuning import Crew, finetune_on_ray

        note("Ray starts the processes.")
        return partial(finetune_on_ray, crew=Crew(address, processes))
    if processes is not None:
        raise InputError("--processes has no effect without --engine ray.", remedy="Add --engine ray.")
    from inkling.finetune.run import finetune_memory

    return finetune_memory


def _recipe(name: str, **changes: Any) -> Recipe:
    require("torch", extra="finetune", purpose="Fine-tuning")
    from inkling.finetune.recipe import preset

    return preset(name).changed(**changes)


def _finetune(
    finetunes: Callable[..., FineTunedMemory],
    memory: str,
    train_images: str,
    options: FineTuningOptions,
    *,
    boxes: BoxReading,
    report: Path | None,
    json: str | None,
) -> None:
    """Fine-tune and tell what came of it; processes that only compute tell nothing."""
    from inkling.finetune.run import default_output, require_pictures
    from inkling.finetune.run_folder import TRAINING
    from inkling.images.sources import find_images

    output = Path(options.output or default_output(memory))
    tell_on_stop(resumable((output / TRAINING).is_dir, f"--resume {quote(str(output))}"))
    require_pictures(train_images)
    source = find_images(train_images, split="train", boxes=boxes)
    with board() as where:
        training, embedding = stepping(where), counting(where, "Embedding")
        done = finetunes(memory, source.records, options=options, progress=training, embedding=embedding)
    if done.shipment is None:
        return
    tell_skipped(done.tuned.skipped, source.ignored)
    if report:
        _write_report(report, done.shipment, memory)
    took = {"ignored": dict(source.ignored), "seconds": seconds_waited()}
    show(finetuning_payload(done) | took, json=json, table=_print)


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


def _prompts(file: Path | None) -> tuple[ClassPrompts, ...]:
    from inkling.prompts import read_prompts

    return tuple(read_prompts(file).values()) if file else ()


def _write_report(report: Path, shipment: Shipment, memory: str) -> None:
    from inkling.reports.finetuning import write_finetuning_report

    write_finetuning_report(report, shipment.told, memory_name=memory)
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
