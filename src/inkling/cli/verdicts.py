"""Verdicts as rows of a CSV or Parquet file, written as they come.

A file appears under its name when it is complete; if the work is interrupted, an older file stays as it was.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from inkling.cli.console import STDOUT
from inkling.errors import InputError
from inkling.outputs import appearing_whole

if TYPE_CHECKING:
    from inkling.types import Verdict

COLUMNS = (
    "path",
    "label",
    "probability",
    "top_labels",
    "top_probabilities",
    "unknown",
    "p_known",
    "names",
    "memory_version",
)
ROWS_OF_A_GROUP = 1024

Write = Callable[["Verdict"], None]


def check_target(output: str | None, json_target: str | None) -> None:
    """Refuse what cannot be written before any work is done.

    Raises
    ------
    InputError
        If the file has another ending, or two outputs want standard output.
    """
    if output == STDOUT and json_target == STDOUT:
        raise InputError("--output - and --json - both want standard output.", remedy="Send one of them to a file.")
    if output is not None and output != STDOUT and Path(output).suffix.lower() not in (".csv", ".parquet"):
        raise InputError(f"'{output}' is neither .csv nor .parquet.", remedy="Name OUT.csv, OUT.parquet or '-'.")


def verdict_row(verdict: Verdict) -> dict[str, Any]:
    """A verdict by column."""
    return {
        "path": verdict.path,
        "label": verdict.label,
        "probability": verdict.probability,
        "top_labels": list(verdict.top_labels),
        "top_probabilities": list(verdict.top_probabilities),
        "unknown": verdict.unknown,
        "p_known": verdict.p_known,
        "names": list(verdict.names),
        "memory_version": verdict.memory_version,
    }


@contextmanager
def open_writer(output: str | None) -> Iterator[Write]:
    """What takes verdicts one by one; in CSV the lists are JSON.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    if output is None:
        yield lambda _: None
    elif output == STDOUT:
        yield _csv_writer(sys.stdout)
        sys.stdout.flush()
    else:
        yield from _to_file(Path(output))


def _to_file(path: Path) -> Iterator[Write]:
    with appearing_whole(path) as draft:
        if path.suffix.lower() == ".csv":
            with draft.open("w", encoding="utf-8", newline="") as file:
                yield _csv_writer(file)
        else:
            yield from _to_parquet(draft)


def _csv_writer(file: IO[str]) -> Write:
    rows = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    begun = False

    def write(verdict: Verdict) -> None:
        nonlocal begun
        # A run that fails before its first row leaves standard output empty.
        if not begun:
            rows.writeheader()
            begun = True
        row = verdict_row(verdict)
        lists = {
            "probability": f"{verdict.probability:.6f}",
            "top_labels": json.dumps(row["top_labels"], ensure_ascii=False),
            "top_probabilities": json.dumps([round(p, 6) for p in verdict.top_probabilities]),
            "names": json.dumps(row["names"], ensure_ascii=False),
        }
        if verdict.p_known is not None:
            lists |= {"unknown": json.dumps(verdict.unknown), "p_known": f"{verdict.p_known:.6f}"}
        rows.writerow(row | lists)

    return write


def _to_parquet(path: Path) -> Iterator[Write]:
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema(
        {
            "path": pa.string(),
            "label": pa.string(),
            "probability": pa.float64(),
            "top_labels": pa.list_(pa.string()),
            "top_probabilities": pa.list_(pa.float64()),
            "unknown": pa.bool_(),
            "p_known": pa.float64(),
            "names": pa.list_(pa.string()),
            "memory_version": pa.int64(),
        }
    )
    waiting: list[dict[str, Any]] = []
    with parquet.ParquetWriter(path, schema) as file:

        def flush() -> None:
            file.write_table(pa.Table.from_pylist(waiting, schema=schema))
            waiting.clear()

        def write(verdict: Verdict) -> None:
            waiting.append(verdict_row(verdict))
            if len(waiting) >= ROWS_OF_A_GROUP:
                flush()

        yield write
        flush()
