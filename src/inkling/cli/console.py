"""What verbs print: results on standard output, notes on standard error, JSON where asked for."""

from __future__ import annotations

import json as json_format
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from inkling.errors import InputError
from inkling.outputs import appearing_whole, check_writable
from inkling.redaction import redacted
from inkling.wording import counted, visible, visible_json

if TYPE_CHECKING:
    from inkling.types import SkippedImage

STDOUT = "-"
SHOWN = 5
SHOWN_NAMES = 8
"""Lines of a list below a note."""


def note(text: str) -> None:
    """A line that is no result. Secrets in it are hidden, and what would steer the terminal is escaped."""
    typer.echo(visible(redacted(text), keep="\n"), err=True)


def say(text: str) -> None:
    """A result in a sentence, on standard output; otherwise as `note`."""
    typer.echo(visible(redacted(text), keep="\n"))


def check_outputs(*targets: str | Path | None, keep: Sequence[str | Path | None] = ()) -> None:
    """Say before long work that an output cannot be written where it is asked for.

    Parameters
    ----------
    targets
        Files to write.
    keep
        What the same run reads, or keeps: no output may take the place of a file among it, or of the table of labels
        in a folder among it. Pictures are replaced nowhere.

    Raises
    ------
    InputError
        If one cannot be written, or would replace another.
    """
    taken = {Path(path).resolve() for path in keep if path is not None}
    for target in targets:
        if target is None or str(target) == STDOUT:
            continue
        if not str(target).strip():
            raise InputError("The name of an output is empty.", remedy="Name a file, or leave the option out.")
        check_writable(target)
        if Path(target).resolve() in taken and not Path(target).is_char_device():
            raise InputError(f"'{target}' would replace another file of this run.", remedy="Name another file.")
        if _is_read(Path(target), taken):
            raise InputError(f"'{target}' would replace a picture or its labels.", remedy="Name another file.")
        taken.add(Path(target).resolve())


def _is_read(target: Path, taken: Iterable[Path]) -> bool:
    """Whether the file is there and a picture, or a table of labels in one of the folders."""
    from inkling.images.layout import IMAGE_SUFFIXES
    from inkling.images.metadata import NAMES

    if not target.is_file():
        return False
    if target.name.lower() in NAMES:
        return any(folder in target.resolve().parents for folder in taken if folder.is_dir())
    return target.suffix.lower() in IMAGE_SUFFIXES


def show(summary: Mapping[str, Any], *, json: str | None, table: Callable[[Mapping[str, Any]], None]) -> None:
    """A result as JSON to where that is asked for, and as a table unless JSON takes its place.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    if json is not None:
        _write_json(json, summary)
    if json != STDOUT:
        table(summary)


def _write_json(target: str, content: Mapping[str, Any]) -> None:
    text = json_format.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    if target == STDOUT:
        typer.echo(visible_json(text))
        return
    with appearing_whole(target) as draft:
        draft.write_text(text + "\n", encoding="utf-8")


def tell_skipped(skipped: Sequence[SkippedImage], ignored: Mapping[str, int]) -> None:
    """How many images were skipped and files ignored, and why."""
    if ignored:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(ignored.items(), key=lambda item: -item[1]))
        note(f"Ignored: {kinds}.")
    if skipped:
        note(f"Skipped {counted(len(skipped), 'image')}:")
        note_some(f"{image.path}: {image.reason}" for image in skipped)


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def note_some(lines: Iterable[str]) -> None:
    """The first lines below a note, and how many more there are."""
    every = list(lines)
    for line in every[:SHOWN]:
        note(f"  {line}")
    if len(every) > SHOWN:
        note(f"  ... and {len(every) - SHOWN} more")
