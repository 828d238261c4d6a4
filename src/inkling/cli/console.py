"""What verbs print: tables on standard output, notes and progress on standard error, JSON where asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from inkling.errors import InputError

if TYPE_CHECKING:
    from inkling.embeddings.embed import Progress
    from inkling.types import SkippedImage

STDOUT = "-"
SHOWN_SKIPS = 5
PIPE_WIDTH = 200


def note(text: str) -> None:
    """A line that is no result."""
    typer.echo(text, err=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, numbers: Sequence[int] = ()) -> None:
    """A table on standard output; `numbers` are the columns to align right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for k, column in enumerate(columns):
        table.add_column(column, justify="right" if k in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    # A pipe has no width; 80 columns would fold paths that something else wants to read.
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)


def write_json(target: str, content: Mapping[str, Any]) -> None:
    """JSON to a file, or to standard output for '-'.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    if target == STDOUT:
        typer.echo(text)
        return
    try:
        Path(target).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"'{target}' cannot be written: {error.strerror}.", remedy="Check that its folder exists and has space."
        ) from error


def require_folder(target: str | Path | None) -> None:
    """Say before long work that a file cannot be written where it is asked for.

    Raises
    ------
    InputError
        If its folder does not exist.
    """
    if target is None or str(target) == STDOUT:
        return
    folder = Path(target).absolute().parent
    if not folder.is_dir():
        raise InputError(f"The folder '{folder}' for '{target}' does not exist.", remedy="Make it, or name another.")


def tell_skipped(skipped: Sequence[SkippedImage], ignored: Mapping[str, int] | None = None) -> None:
    """How many images were skipped and files ignored, and why."""
    if ignored:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(ignored.items(), key=lambda item: -item[1]))
        note(f"Ignored: {kinds}.")
    if skipped:
        note(f"Skipped {len(skipped)} image{'s' if len(skipped) > 1 else ''}:")
        for image in skipped[:SHOWN_SKIPS]:
            note(f"  {image.path}: {image.reason}")
        if len(skipped) > SHOWN_SKIPS:
            note(f"  ... and {len(skipped) - SHOWN_SKIPS} more")


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """A bar with rate and time left on standard error; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None, rate="")

        def tell(done: int, total: int) -> None:
            speed = bar.tasks[0].speed
            bar.update(task, completed=done, total=total, rate=f"{speed:.0f} images/s" if speed else "")

        yield tell


def is_stdout(target: str | None) -> bool:
    """Whether an option sends its output to standard output, so that nothing else may go there."""
    return target == STDOUT
