"""inkling evaluate --protocol few-shot: every head with few images a class."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkling.cli.console import STDOUT, check_outputs, note, show, tell_skipped
from inkling.cli.sources import leave_if_lost, open_source
from inkling.cli.tables import print_table
from inkling.errors import InputError
from inkling.wording import counted

if TYPE_CHECKING:
    from inkling.cli.encoding import Encoding
    from inkling.embeddings.precomputed import Precomputed
    from inkling.embeddings.samples import Samples
    from inkling.encoders.base import Encoder
    from inkling.images.boxes import BoxReading
    from inkling.images.sources import Found
    from inkling.types import ClassEntry, ImageRecord

FEW_SHOT = "few-shot"
DEFAULT_ENCODER = "openai/clip-vit-base-patch32"


@dataclass(frozen=True)
class Request:
    """What the command line asks for."""

    train: str
    test: str
    heads: str | None
    draws: int | None
    splits: Path | None
    report: Path | None
    json: str | None
    encoder: str | None
    seed: int
    cache: bool
    boxes: BoxReading
    encoding: Encoding


def check_protocol(protocol: str | None, given: Mapping[str, object]) -> None:
    """Refuse another protocol, and options that go with the other form of the verb.

    Parameters
    ----------
    given
        Options of the protocol, and those of an evaluation of a memory, by name; unused ones are None or False.
    """
    if protocol is not None and protocol != FEW_SHOT:
        raise InputError(f"There is no protocol '{protocol}'.", remedy=f"The one there is: --protocol {FEW_SHOT}.")
    of_protocol = ("--heads", "--draws", "--splits")
    for name, value in given.items():
        if value in (None, False) or (name in of_protocol) == (protocol is not None):
            continue
        if protocol is None:
            raise InputError(f"{name} belongs to --protocol {FEW_SHOT}.", remedy=f"Add that, or leave {name} out.")
        raise InputError(f"{name} is about a memory; --protocol {FEW_SHOT} fits none.", remedy=f"Leave {name} out.")


def run_few_shot(asked: Request) -> None:
    """Measure, print, keep."""
    from inkling.evaluate.few_shot import DRAWS, FewShotOptions, few_shot_evaluation, heads_for
    from inkling.evaluate.splits import Splits
    from inkling.memory.place import names_memory

    if names_memory(asked.train):
        raise InputError(
            f"--protocol {FEW_SHOT} fits heads itself, and '{asked.train}' is a memory.",
            remedy="Name the folder of the images to learn from in its place.",
        )
    heads = None if asked.heads is None else [name.strip() for name in asked.heads.split(",")]
    if heads is not None:
        heads_for(heads, with_texts=True)
    kept = _splits_path(asked)
    check_outputs(kept, asked.report, asked.json, keep=(asked.train, asked.test))
    known = Splits.read(asked.splits) if asked.splits is not None and asked.splits.exists() else None
    if known is not None and asked.draws is not None:
        raise InputError(
            f"'{asked.splits}' holds {counted(len(known.draws), 'draw')} already; --draws can't change them.",
            remedy="Leave --draws out, or name another file.",
        )
    found = _embedded(asked)
    options = FewShotOptions(heads, asked.draws or DRAWS, known, asked.seed, found.seconds_an_image)
    done = few_shot_evaluation(found.train, found.test, found.entries, options)
    if kept is not None and known is None:
        done.splits.write(kept)
        note(f"Splits: {kept}")
    if asked.report is not None:
        from inkling.reports.few_shot import write_few_shot_report

        write_few_shot_report(asked.report, done, train_name=asked.train, test_name=asked.test)
        note(f"Report: {asked.report}")
    show({**done.to_json(), "splits": None if kept is None else str(kept)}, json=asked.json, table=_print)
    for source in found.sources:
        leave_if_lost(source, done.skipped)


def _splits_path(asked: Request) -> Path | None:
    """Where the draws are kept: as asked for, else beside the JSON."""
    if asked.splits is not None:
        return asked.splits
    return None if asked.json in (None, STDOUT) else Path(str(asked.json)).with_suffix(".splits.json")


@dataclass(frozen=True)
class _Embedded:
    train: Samples
    test: Samples
    entries: Sequence[ClassEntry]
    seconds_an_image: float | None
    sources: tuple[Found | Precomputed, ...]


def _embedded(asked: Request) -> _Embedded:
    from inkling.embeddings.cache import opened_cache
    from inkling.encoders.registry import load_encoder

    sources = tuple(
        open_source(name, split=split, boxes=asked.boxes)
        for name, split in ((asked.train, "train"), (asked.test, "test"))
    )
    for source in sources:
        asked.encoding.check_source(source)
    # Opened when it is needed: files of vectors need none.
    opened: list[Encoder] = []

    def encoder() -> Encoder:
        if not opened:
            opened.append(load_encoder(asked.encoder or DEFAULT_ENCODER, device=asked.encoding.device))
        return opened[0]

    begin = time.perf_counter()
    with opened_cache(asked.cache) as cache:
        train, test = (
            _samples(source, encoder, partial(asked.encoding.samples, cache=cache, under=name))
            for source, name in zip(sources, ("train", "test"), strict=True)
        )
        seconds = time.perf_counter() - begin
        entries = _entries(sources[0], train, encoder, cache)
    encoded = train.n_encoded + test.n_encoded
    return _Embedded(train, test, entries, seconds / encoded if encoded else None, sources)


def _samples(
    source: Found | Precomputed,
    encoder: Callable[[], Encoder],
    embed: Callable[[Sequence[ImageRecord], Encoder], Samples],
) -> Samples:
    from inkling.embeddings.precomputed import Precomputed
    from inkling.embeddings.samples import precomputed_samples

    if isinstance(source, Precomputed):
        tell_skipped(source.skipped, {})
        return precomputed_samples(source)
    samples = embed(source.records, encoder())
    tell_skipped(samples.skipped, source.ignored)
    return samples


def _entries(source: Found | Precomputed, train: Samples, encoder: Any, cache: Any) -> Sequence[ClassEntry]:
    from inkling.classifier.class_texts import embedded_entries, given_entries
    from inkling.embeddings.precomputed import Precomputed

    names = {label for label in train.labels if label is not None}
    if isinstance(source, Precomputed):
        return given_entries(names, source.class_names, source.text_vectors)
    return embedded_entries(names, (), encoder=encoder(), cache=cache, templates=None)


def _print(summary: Mapping[str, Any]) -> None:
    rows = [_row(one) for one in summary["scores"]]
    columns = ("shots", "head", "top-1", "95 % over draws", "worst", "to zero-shot", "time")
    print_table(columns, rows, numbers=(0, 2, 4, 5, 6), whole=(1,))
    zero_shot = summary["zero_shot"]
    draws = counted(summary["draws"], "draw")
    note(
        f"{counted(summary['n'], 'test image')}, {draws}."
        + ("" if zero_shot is None else f" Zero-shot: {zero_shot:.1%} top-1; worst draws are compared with it.")
    )
    if all(one["embedding_seconds"] is None for one in summary["scores"]):
        note("Times are without embedding: all vectors were at hand. --no-cache measures it.")
    if leaks := summary["training_images"]["images"]:
        note(f"Left out: {counted(len(leaks), 'test image')} among the training images, such as {leaks[0]['path']}.")
    if summary["unknown_labels"]:
        note(f"Left out of the measures: {counted(summary['unknown_labels'], 'test image')} of no trained class.")


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    against, interval = one["worst_against_zero_shot"], one["ci95"]
    seconds = one["seconds"] + (one["embedding_seconds"] or 0.0)
    return (
        str(one["shots"]),
        one["head"],
        f"{one['top1']:.1%}",
        "" if interval is None else f"{interval[0]:.1%} to {interval[1]:.1%}",
        f"{one['worst']:.1%}",
        "" if against is None else f"{against:+.1%}",
        f"{seconds:.2f} s",
    )
