"""What an audit costs: `inkling audit` of 10,000 photographs whose vectors are cached, and of 100,000 drawn vectors.

    python bench/audit_size.py [--part photographs] [--part vectors]

The photographs are those of Caltech-101 and of clothing, by the encoder with the widest vectors that these benchmarks
have; the run that fills the cache does not count. Each run is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from common import ROOT, SHARED, Row, at_most, parts_of, record_parts
from processes import cost_of, told_by

SURROGATE = ROOT / "bench" / "encoders" / "surrogate-clip-b32"
SECONDS, GIB = {"photographs": 60.0, "vectors": 600.0}, {"photographs": 2.0, "vectors": 4.0}
SEED = 0
CACHE = Path(os.environ["INKLING_CACHE"]) if "INKLING_CACHE" in os.environ else None
"""Keeps vectors from one run to the next; without it they are made anew each time."""


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append", help="what to measure; may be given again")
    asked = parser.parse_args().part or list(PARTS)
    record_parts("audit_size", parts_of("audit_size", PARTS, asked), seed=SEED)


def _photographs() -> Iterator[Row]:
    """Of the command, with all vectors cached."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        everything = place / "photographs"
        for name, data in {"caltech101": "caltech101", "clothing": "clothing/train"}.items():
            _linked(SHARED / "data" / data, everything, prefix=name)
        command = ("audit", everything, "--encoder", SURROGATE, "--json", "found.json")
        cost_of(place, "embed", everything, "--encoder", SURROGATE, "--output", "vectors.npz", cache=CACHE)
        cost = cost_of(place, *command, cache=CACHE)
        found = json.loads((place / "found.json").read_text(encoding="utf-8"))
        told = {key: found[key] for key in ("images", "classes", "counts")}
    yield from _costs("photographs", told["images"], cost.wall, cost.peak / 2**30, told)


def _linked(data: Path, place: Path, *, prefix: str) -> None:
    """Folders of classes, all beside each other."""
    place.mkdir(exist_ok=True)
    for folder in sorted(data.iterdir()):
        (place / f"{prefix} {folder.name}").symlink_to(folder)


def _vectors() -> Iterator[Row]:
    """Of drawn vectors without pictures."""
    told = told_by(Path(__file__).with_name("large_audit.py"))
    seconds, peak = told.pop("seconds"), told.pop("peak_gib")
    yield from _costs("vectors", told["images"], seconds, peak, told)


def _costs(part: str, n: int, seconds: float, gib: float, told: Mapping[str, object]) -> Iterator[Row]:
    yield at_most(f"audit of {n:,} {part}, s", seconds, SECONDS[part], **told)
    yield at_most(f"audit of {n:,} {part}, peak GiB", gib, GIB[part])


PARTS: Mapping[str, Callable[[], Iterator[Row]]] = {"photographs": _photographs, "vectors": _vectors}


if __name__ == "__main__":
    main()
