"""inkling embed: images to vectors in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkling.cli.console import check_outputs, show, tell_skipped
from inkling.cli.in_parts import HERE, Sitting, embed_in_parts
from inkling.cli.options import (
    Address,
    Confidence,
    Device,
    Dimensions,
    Engine,
    Gpus,
    GroupsFrom,
    Json,
    Margin,
    NoCache,
    Precision,
    Resume,
    Root,
)
from inkling.cli.progress import progress_bar
from inkling.cli.sources import grouped, leave_if_lost
from inkling.cli.tables import print_table
from inkling.cli.waiting import seconds_waited
from inkling.errors import InputError, require
from inkling.payloads import skipped_payload

if TYPE_CHECKING:
    from inkling.embeddings.embed import Embedded
    from inkling.images.sources import Found
    from inkling.labels import Kind
    from inkling.types import EncoderIdentity, SkippedImage


def run(
    images: Annotated[
        str, typer.Argument(metavar="DIR", help="Images, in any form that fit reads.", show_default=False)
    ],
    encoder: Annotated[
        str,
        typer.Option(
            "--encoder", metavar="NAME_OR_DIR", help="See 'inkling encoders'; A+B joins two.", show_default=False
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            metavar="OUT.parquet|OUT.npz|DIR",
            help="The file to write, or a folder or URL for parts.",
            show_default=False,
        ),
    ],
    groups_from: GroupsFrom = None,
    margin: Margin = 0.0,
    root: Root = None,
    confidence: Confidence = 0.2,
    device: Device = "auto",
    precision: Precision = "auto",
    dimensions: Dimensions = None,
    no_cache: NoCache = False,
    engine: Engine = HERE,
    address: Address = None,
    resume: Resume = False,
    gpus: Gpus = None,
    json: Json = None,
) -> None:
    """Write embeddings to a file, which fit, evaluate and predict read in place of images."""
    from inkling.embeddings.cache import opened_cache
    from inkling.embeddings.embed import iter_embedded
    from inkling.encoders.registry import load_encoder
    from inkling.images.boxes import BoxReading
    from inkling.images.grouping import Grouping
    from inkling.images.sources import find_images

    sitting = Sitting(engine, address, resume, gpus)
    write = None if sitting.check(output) else _writer(Path(output))
    check_outputs(None if write is None else output, json, keep=(images,))
    grouping = None if groups_from is None else Grouping.parse(groups_from)
    found = grouped(find_images(images, boxes=BoxReading(margin=margin, root=root, confidence=confidence)), grouping)
    opened = load_encoder(encoder, device=device, precision=precision, dimensions=dimensions)
    if write is None:
        embed_in_parts(found, opened.identity, device, (output, sitting, json))
        return
    skipped: list[SkippedImage] = []
    with opened_cache(not no_cache) as cache, progress_bar("Embedding") as progress:
        parts = iter_embedded(found.records, opened, cache=cache, progress=progress)
        n_rows = write(Path(output), _watched(parts, found, skipped), opened.identity, found.label_kind)
    summary = {
        "images": n_rows,
        "skipped": skipped_payload(skipped),
        "ignored": dict(found.ignored),
        "encoder": opened.identity.name,
        "encoder_fingerprint": opened.identity.fingerprint,
        "dimension": opened.identity.dimension,
        "feature_dimension": opened.identity.feature_dimension,
        "output": output,
        "seconds": seconds_waited(),
    }
    show(summary, json=json, table=_print)
    leave_if_lost(found, skipped)


def _writer(output: Path) -> Callable[[Path, Iterable[Embedded], EncoderIdentity, Kind], int]:
    """What writes a file of that name.

    Raises
    ------
    InputError
        If nothing does.
    """
    kind = output.suffix.lower()
    if kind == ".npz":
        from inkling.embeddings.npz import write_npz

        return write_npz
    if kind != ".parquet":
        raise InputError(
            f"'{output}' ends neither in .parquet nor in .npz.", remedy="Name OUT.parquet, or OUT.npz for numpy."
        )
    require("pyarrow", extra="parquet", purpose=f"Writing '{output}'")
    from inkling.embeddings.parquet import write_parquet

    return write_parquet


def _watched(parts: Iterable[Embedded], found: Found, skipped: list[SkippedImage]) -> Iterator[Embedded]:
    """The batches; at their end skipped images are reported, and a run without an image refused."""
    n_embedded = 0
    for part in parts:
        skipped.extend(part.skipped)
        n_embedded += len(part.records)
        yield part
    tell_skipped(skipped, found.ignored)
    if not n_embedded:
        raise InputError("None of the images can be read.", remedy="Nothing was written.")


def _print(summary: Mapping[str, Any]) -> None:
    shown = ("images", "encoder", "dimension", "feature_dimension", "output", "seconds")
    print_table(("", "embedded"), [(key.replace("_", " "), summary[key]) for key in shown])
