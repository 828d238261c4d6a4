"""Verdicts as rows of a CSV or Parquet file, written as they come.

A file appears under its name when it is complete; if the work is interrupted, an older file stays as it was.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from inkling.cli.console import STDOUT
from inkling.cli.label_studio_tasks import LABEL_STUDIO, TaskForm
from inkling.errors import InputError, require
from inkling.outputs import appearing_whole
from inkling.payloads import flat_verdict, verdict_payload
from inkling.wording import visible

if TYPE_CHECKING:
    from inkling.types import Verdict

ROWS_OF_A_GROUP = 1024
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")

Write = Callable[["Verdict"], None]


def check_target(output: str | None, json_target: str | None, *, tasks: bool = False, in_parts: bool = False) -> None:
    """Refuse what cannot be written before any work is done.

    Parameters
    ----------
    tasks
        Whether tasks of Label Studio are written, which are JSON.
    in_parts
        Whether the output is a folder of parts.

    Raises
    ------
    InputError
        If the file has another ending, or two outputs want standard output.
    """
    if output == STDOUT and json_target == STDOUT:
        raise InputError("--output - and --json - both want standard output.", remedy="Send one of them to a file.")
    suffix = STDOUT if output in (None, STDOUT) else Path(str(output)).suffix.lower()
    if tasks and (output is None or suffix not in (STDOUT, ".json")):
        raise InputError(f"--format {LABEL_STUDIO} writes JSON.", remedy="Name it: --output OUT.json, or '-'.")
    if not tasks and not in_parts and suffix not in (STDOUT, ".csv", ".parquet"):
        raise InputError(
            f"'{output}' is neither .csv nor .parquet.",
            remedy="Name OUT.csv, OUT.parquet or '-'."
            + (f" --format {LABEL_STUDIO} writes .json." if suffix == ".json" else ""),
        )
    if output is not None and suffix == ".parquet":
        require("pyarrow", extra="parquet", purpose=f"Writing '{output}'")


@contextmanager
def open_writer(
    output: str | None,
    *,
    columns: Sequence[str],
    raw: bool = False,
    tasks: TaskForm | None = None,
    classes: Sequence[str] = (),
) -> Iterator[Write]:
    """What takes verdicts one by one.

    Parameters
    ----------
    output
        The file; None writes nothing.
    columns
        Of a CSV file, as `inkling.payloads.verdict_columns` names them. Parquet has lists in place of numbered columns.
    raw
        Whether cells of a CSV file are written as they are. Else those that spreadsheets would run begin with an
        apostrophe, and control characters are escapes.
    tasks
        How tasks of Label Studio are written, which then takes the place of a table.
    classes
        That can be chosen where its labelling interface is not known.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    if output is None:
        yield lambda _: None
    elif tasks is not None:
        yield from _to_tasks(output, tasks, classes)
    elif output == STDOUT:
        yield _csv_writer(sys.stdout, columns, raw=raw)
        sys.stdout.flush()
    else:
        yield from _to_file(Path(output), columns, raw=raw)


def _to_tasks(output: str, form: TaskForm, classes: Sequence[str]) -> Iterator[Write]:
    if output == STDOUT:
        with form.writer(sys.stdout, classes) as write:
            yield write
        sys.stdout.flush()
    else:
        with (
            appearing_whole(output) as draft,
            draft.open("w", encoding="utf-8") as file,
            form.writer(file, classes) as write,
        ):
            yield write


def _to_file(path: Path, columns: Sequence[str], *, raw: bool) -> Iterator[Write]:
    with appearing_whole(path) as draft:
        if path.suffix.lower() == ".csv":
            with draft.open("w", encoding="utf-8", newline="") as file:
                yield _csv_writer(file, columns, raw=raw)
        else:
            yield from _to_parquet(draft, boxes="box_unit" in columns, promised=columns)


def _csv_writer(file: IO[str], columns: Sequence[str], *, raw: bool) -> Write:
    rows = csv.DictWriter(file, columns, lineterminator="\n")
    begun = False

    def write(verdict: Verdict) -> None:
        nonlocal begun
        # A run that fails before its first row leaves standard output empty.
        if not begun:
            rows.writeheader()
            begun = True
        rows.writerow({name: cell(value, raw=raw) for name, value in flat_verdict(verdict).items()})

    return write


def cell(value: Any, *, raw: bool) -> Any:
    """Probabilities with six digits, truth in the spelling of JSON, text that steers nothing."""
    if isinstance(value, str) and not raw:
        return f"'{visible(value)}" if value.startswith(_FORMULAS) else visible(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6f}" if isinstance(value, float) else value


def _to_parquet(path: Path, *, boxes: bool, promised: Sequence[str]) -> Iterator[Write]:
    import pyarrow as pa
    from pyarrow import parquet

    from inkling.bulk.rows import verdict_schema

    schema = verdict_schema(boxes=boxes, promised=promised)
    waiting: list[dict[str, Any]] = []
    with parquet.ParquetWriter(path, schema) as file:

        def flush() -> None:
            file.write_table(pa.Table.from_pylist(waiting, schema=schema))
            waiting.clear()

        def write(verdict: Verdict) -> None:
            waiting.append(verdict_payload(verdict))
            if len(waiting) >= ROWS_OF_A_GROUP:
                flush()

        yield write
        flush()
