"""What all benchmarks share: where the data is, what machine this is, and how results are printed and kept."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inkling.cli.tables import print_table
from inkling.provenance import inkling_version, now, package_versions

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("INKLING_SHARED", ROOT.parent / "shared"))
RESULTS = ROOT / "bench" / "results"

_FEATURES = frozenset({"avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16"}) | {
    "avx512_fp16",
    "amx_tile",
    "amx_bf16",
    "amx_int8",
    "asimddp",
    "bf16",
    "i8mm",
}
"""Flags of processors that decide which products of matrices are fast."""


@dataclass(frozen=True)
class Row:
    """One figure beside what it should be.

    Attributes
    ----------
    what
        What was measured.
    got
        The figure.
    target
        What it should reach, such as ``>= 0.79``; None where it stands for orientation.
    reached
        Whether it does; None without a target.
    details
        More figures, as JSON can hold them.
    """

    what: str
    got: float
    target: str | None = None
    reached: bool | None = None
    details: dict[str, Any] | None = None


def at_least(what: str, got: float, target: float, **details: Any) -> Row:
    """A figure that should be `target` or more."""
    return Row(what, float(got), f">= {target:g}", bool(got >= target), details or None)


def at_most(what: str, got: float, target: float, **details: Any) -> Row:
    """A figure that should be `target` or less."""
    return Row(what, float(got), f"<= {target:g}", bool(got <= target), details or None)


def machine() -> dict[str, Any]:
    """Processor, cores, memory and system."""
    facts = dict(line.split(":", 1) for line in _lines("/proc/cpuinfo") if ":" in line)
    names = {key.strip(): value.strip() for key, value in facts.items()}
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    return {
        "processor": names.get("model name", platform.processor()),
        "processor_features": sorted(_FEATURES & set(names.get("flags", "").split())),
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def record(name: str, rows: Sequence[Row], *, seed: int, **more: Any) -> Path:
    """Print the rows and keep them as ``bench/results/<name>.json``."""
    marks = {True: "reached", False: "MISSED", None: ""}
    shown = [(row.what, f"{row.got:.4g}", row.target or "", marks[row.reached]) for row in rows]
    print_table(("what", "got", "target", ""), shown, numbers=(1, 2))
    content = {
        "benchmark": name,
        "time": now(),
        "seed": seed,
        "machine": machine(),
        "versions": {"inkling": inkling_version(), **package_versions()},
        **more,
        "rows": [asdict(row) for row in rows],
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


@dataclass(frozen=True)
class Parts:
    """A benchmark that is taken part by part.

    Attributes
    ----------
    rows
        Of each part.
    taken
        When each was taken, and on what machine.
    """

    rows: Mapping[str, Sequence[Row]]
    taken: Mapping[str, Mapping[str, Any]]


def parts_of(name: str, parts: Mapping[str, Callable[[], Iterator[Row]]], asked: Sequence[str]) -> Parts:
    """A benchmark whose parts that were asked for are taken anew; the others are as earlier runs kept them."""
    rows: dict[str, Sequence[Row]] = {}
    taken: dict[str, Mapping[str, Any]] = {}
    for part in asked:
        where = machine()  # before, since its load is no longer that of others afterwards
        rows[part] = list(parts[part]())
        taken[part] = {"time": now(), "machine": where}
    kept = _kept_parts(name)  # others may have been taken meanwhile
    rows, taken = {**kept.rows, **rows}, {**kept.taken, **taken}
    order = [part for part in parts if part in rows]
    return Parts({part: rows[part] for part in order}, {part: taken[part] for part in order})


def _kept_parts(name: str) -> Parts:
    file = RESULTS / f"{name}.json"
    if not file.is_file():
        return Parts({}, {})
    found = json.loads(file.read_text(encoding="utf-8"))
    rows, parts = {row["what"]: Row(**row) for row in found["rows"]}, found.get("parts", {})
    all_at_once = {"time": found["time"], "machine": found["machine"]}
    taken = dict.fromkeys(parts, all_at_once) | found.get("taken", {})
    return Parts({part: [rows[what] for what in told] for part, told in parts.items()}, taken)


def record_parts(name: str, found: Parts, *, first: Sequence[Row] = (), **more: Any) -> Path:
    """As `record`, with which rows are of which part, and when and where each part was taken.

    Parameters
    ----------
    first
        Rows of no part, such as those about all of them.
    """
    parts = {part: [row.what for row in rows] for part, rows in found.rows.items()}
    rows = [*first, *(row for rows in found.rows.values() for row in rows)]
    return record(name, rows, parts=parts, taken=found.taken, **more)


def retaken(name: str, rows: Sequence[Row]) -> list[Row]:
    """The kept rows of a benchmark, with some taken anew in their place."""
    kept = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["rows"]
    anew = {row.what: row for row in rows}
    return [anew.get(row["what"], Row(**row)) for row in kept]


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
