"""inkling cache: look into the embedding cache and keep it small."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from inkling.cli.console import is_stdout, note, print_table, require_folder, write_json
from inkling.cli.options import Json
from inkling.errors import InputError

app = typer.Typer(help="Look into the embedding cache and keep it small.", no_args_is_help=True)

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@app.command()
def info(json: Json = None) -> None:
    """Show where the cache is, how large, and what each encoder has in it."""
    from inkling.embeddings.cache import EmbeddingCache

    require_folder(json)
    with EmbeddingCache() as cache:
        found = cache.info()
    if json:
        encoders = [
            {"name": u.name, "fingerprint": u.fingerprint, "images": u.images, "texts": u.texts, "bytes": u.bytes}
            for u in found.encoders
        ]
        write_json(json, {"path": str(found.path), "bytes": found.bytes, "encoders": encoders})
    if not is_stdout(json):
        rows = [(u.name, u.fingerprint[:12], u.images, u.texts, _size(u.bytes)) for u in found.encoders]
        print_table(("encoder", "fingerprint", "images", "texts", "vectors"), rows, numbers=(2, 3, 4))
        note(f"{found.path}: {_size(found.bytes)}, {_size(found.thumbnail_bytes)} of it thumbnails.")


@app.command()
def prune(
    older_than: Annotated[float | None, typer.Option(metavar="DAYS", help="Not used for so many days.")] = None,
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
    note(f"Removed {removed} entries.")


@app.command()
def clear() -> None:
    """Remove all entries."""
    from inkling.embeddings.cache import EmbeddingCache

    with EmbeddingCache() as cache:
        removed = cache.clear()
    note(f"Removed {removed} entries.")


def _bytes(text: str) -> int:
    matched = re.fullmatch(r"\s*([0-9.]+)\s*([A-Za-z]*)\s*", text)
    try:
        return int(float(matched[1]) * _UNITS[matched[2].upper()]) if matched else int("")
    except (KeyError, ValueError) as error:
        raise InputError(
            f"'{text}' is not a size.", remedy="Write a number and a unit, such as 500MB or 2GB."
        ) from error


def _size(n_bytes: int) -> str:
    unit = next((name for name in ("GB", "MB", "kB") if n_bytes >= _UNITS[name.upper()]), "B")
    return f"{n_bytes / _UNITS[unit.upper()]:.{0 if unit == 'B' else 1}f} {unit}"
