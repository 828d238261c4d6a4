"""inkling cache: look into the embedding cache and keep it small."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from inkling.cli.console import check_outputs, note, show
from inkling.cli.options import Json
from inkling.cli.tables import print_table
from inkling.cli.usage import fraction
from inkling.errors import InputError
from inkling.wording import counted, quoted

app = typer.Typer(help="Look into the embedding cache and keep it small.", no_args_is_help=True, add_completion=False)

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@app.command()
def info(json: Json = None) -> None:
    """Show where the cache is, how large, and what each encoder has in it."""
    from inkling.embeddings.cache import EmbeddingCache

    check_outputs(json)
    with EmbeddingCache() as cache:
        found = cache.info()
    encoders = [
        {"name": u.name, "fingerprint": u.fingerprint, "images": u.images, "texts": u.texts, "bytes": u.bytes}
        for u in found.encoders
    ]
    summary = {"path": str(found.path), "bytes": found.bytes, "thumbnail_bytes": found.thumbnail_bytes}
    show(summary | {"encoders": encoders}, json=json, table=_print)


@app.command()
def prune(
    older_than: Annotated[
        float | None, typer.Option(parser=fraction, metavar="DAYS", help="Not used for so many days.")
    ] = None,
    max_size: Annotated[str | None, typer.Option(metavar="SIZE", help="Down to a size such as 2GB.")] = None,
    encoder: Annotated[str | None, typer.Option(metavar="NAME", help="All that one encoder made.")] = None,
) -> None:
    """Remove entries by age, size or encoder. What is missing is made again."""
    from inkling.embeddings.cache import EmbeddingCache

    if older_than is None and max_size is None and encoder is None:
        raise InputError("Nothing to prune by.", remedy="Give --older-than, --max-size or --encoder.")
    limit = None if max_size is None else _bytes(max_size)
    with EmbeddingCache() as cache:
        removed = cache.prune(older_than_days=older_than, max_bytes=limit, encoder=encoder)
    note(f"Removed {counted(removed, 'image or text', 'images and texts')}.")


@app.command()
def clear() -> None:
    """Remove all entries."""
    from inkling.embeddings.cache import EmbeddingCache

    with EmbeddingCache() as cache:
        removed = cache.clear()
    note(f"Removed {counted(removed, 'image or text', 'images and texts')}.")


def _print(summary: Mapping[str, Any]) -> None:
    rows = [
        (one["name"], one["fingerprint"][:12], one["images"], one["texts"], _size(one["bytes"]))
        for one in summary["encoders"]
    ]
    print_table(("encoder", "fingerprint", "images", "texts", "vectors"), rows, numbers=(2, 3, 4))
    note(f"{summary['path']}: {_size(summary['bytes'])}, {_size(summary['thumbnail_bytes'])} of it thumbnails.")


def _bytes(text: str) -> int:
    matched = re.fullmatch(r"\s*([0-9.]+)\s*([A-Za-z]*)\s*", text)
    try:
        return int(float(matched[1]) * _UNITS[matched[2].upper()]) if matched else int("")
    except (KeyError, ValueError, OverflowError) as error:
        raise InputError(
            f"{quoted(text)} is not a size.", remedy="Write a number and a unit, such as 500MB or 2GB."
        ) from error


def _size(n_bytes: int) -> str:
    unit = next((name for name in ("GB", "MB", "kB") if n_bytes >= _UNITS[name.upper()]), "B")
    return f"{n_bytes / _UNITS[unit.upper()]:.{0 if unit == 'B' else 1}f} {unit}"
