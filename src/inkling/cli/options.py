"""Options that several verbs share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inkling.cli.stopping import without_cache
from inkling.cli.usage import fraction, rate, share_of_one, whole

Memory = Annotated[
    str, typer.Argument(metavar="FILE.ink", help="The memory: a file, or a PostgreSQL URL.", show_default=False)
]
Json = Annotated[
    str | None, typer.Option("--json", metavar="FILE|-", help="Write the figures as JSON; '-' prints them instead.")
]
Engine = Annotated[
    str, typer.Option("--engine", metavar="here|ray", help="What does work in parts: this machine, or Ray.")
]
EncodingEngine = Annotated[
    str, typer.Option("--engine", metavar="here|ray", help="What encodes the images: this machine, or Ray, in parts.")
]
Parts = Annotated[
    str | None,
    typer.Option("--output", metavar="DIR", help="Keep the vectors, in parts, in this folder or URL."),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address", metavar="auto|HOST:PORT", help="Of a Ray cluster; without, Ray starts here.", show_default=False
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a folder of parts where it stopped.")]
Gpus = Annotated[
    float | None,
    typer.Option(
        "--gpus",
        parser=share_of_one,
        metavar="SHARE",
        help="With Ray: share of a GPU that a worker takes, from 0 to 1; 0: none. Default: 1 if there are any.",
        show_default=False,
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Precision = Annotated[str, typer.Option(help="Arithmetic of the encoder; see 'How to choose an encoder'.")]
Dimensions = Annotated[
    int | None,
    typer.Option(
        "--dimensions", parser=whole(1), metavar="N", help="Cut embeddings to their first N dimensions (Matryoshka)."
    ),
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", callback=without_cache, help="Neither read nor write the embedding cache.")
]
MovedEncoder = Annotated[
    str | None,
    typer.Option("--encoder", metavar="NAME_OR_DIR", help="Where the memory's encoder is now, if it moved."),
]
GroupsFrom = Annotated[
    str | None,
    typer.Option(
        "--groups-from",
        metavar="folder|regex:PATTERN|exif-time[:SECONDS]",
        help="Which images come from one source, such as a burst or a video. Default: a table's column group; else "
        "fit finds them by how alike they are.",
    ),
]
Seed = Annotated[int, typer.Option(parser=whole(0, 2**32 - 1), metavar="N", help="Seed of every random choice.")]
MinImages = Annotated[
    int, typer.Option("--min-images", parser=whole(2), metavar="N", help="Pictures that a proposed class needs.")
]
Vocabulary = Annotated[
    str | None,
    typer.Option(
        "--vocabulary",
        metavar="nouns|FILE",
        help="Names that what is unknown may get: a file with one a line. Default: nouns, some thousand common ones.",
    ),
]
Margin = Annotated[
    float,
    typer.Option(
        "--margin",
        parser=fraction,
        metavar="SHARE",
        help="Widen boxes at each edge by this share of their sides.",
    ),
]
Root = Annotated[
    str | None,
    typer.Option(
        "--root",
        metavar="DIR",
        help="Folder that paths in annotations and tables are relative to.",
        show_default=False,
    ),
]
CoverageRate = Annotated[
    float | None,
    typer.Option(
        "--coverage",
        parser=rate("0.9 asks for sets that hold the right class nine times in ten."),
        metavar="SHARE",
        help="Give to each image the smallest set of classes that holds the right one so often, such as 0.9.",
    ),
]
ByClass = Annotated[
    bool,
    typer.Option("--by-class", help="With --coverage: for each class with enough images, not for all together."),
]
Randomized = Annotated[
    bool,
    typer.Option("--randomized", help="With --coverage: let chance decide about the class on the edge of a set."),
]
InGroups = Annotated[
    bool,
    typer.Option("--hierarchy", help="Answer with a group of classes, such as vehicle, where no class is sure enough."),
]
ParentsFile = Annotated[
    Path | None,
    typer.Option(
        "--parents",
        metavar="FILE.csv",
        help="Groups: columns child and parent. Default: those of fit, else what the names share as English nouns.",
        show_default=False,
    ),
]
ErrorRate = Annotated[
    float | None,
    typer.Option(
        "--error-rate",
        parser=rate("0.1 lets one answer in ten be wrong."),
        metavar="SHARE",
        help="With --hierarchy: share of answers that may be wrong. Default: what --coverage leaves, else 0.1.",
        show_default=False,
    ),
]
Confidence = Annotated[
    float,
    typer.Option(
        "--confidence", parser=fraction, metavar="P", help="Leave out boxes of a detector that are less certain."
    ),
]
