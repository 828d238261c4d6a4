"""Eight processes read a memory on PostgreSQL while one decides: whether a read is of one version, and nothing is lost.

    python bench/scale_readers.py read|write URL QUERIES.npy SECONDS    # one of them; prints JSON

The writer renames classes, and takes every fifth renaming back. After each decision it notes which names the classes
have at that version, and readers note which names they saw at which. Names begin with the number of their class, which
the path of an exemplar tells too: a neighbour under another class's name was torn.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, select

from common import Row, at_least, at_most
from inkling.memory import schema
from inkling.memory.nearest import NearestExemplars
from inkling.memory.opened import seeing
from inkling.memory.read import version_of
from inkling.review.decisions import Decisions

READERS, SECONDS = 8, 300.0
RENAMED, UNDO_EVERY = 50, 5
COUNT = 10


def beside_a_writer(what: str, url: str, queries: Path, *, seconds: float = SECONDS) -> Iterator[Row]:
    """What readers saw while one wrote."""
    command = (url, str(queries), str(seconds))
    at_first = _seen(url)
    writer = _started("write", *command)
    readers = [_started("read", *command) for _ in range(READERS)]
    wrote, read = _told(writer), [_told(one) for one in readers]
    right = {**dict([at_first]), **{int(version): names for version, names in wrote["names"].items()}}
    reads = [(int(version), names) for one in read for version, names in one["seen"]]
    torn = sum(right.get(version) != names for version, names in reads) + sum(one["misplaced"] for one in read)
    kept = {event.id: event.digest for event in Decisions(url).history()}
    lost = sum(kept.get(int(number)) != digest for number, digest in wrote["events"].items())
    lost += _seen(url)[1] != wrote["names"][max(wrote["names"], key=int)]
    what = f"{what}: {READERS} readers beside a writer, {seconds:.0f} s"
    told = {"reads": sum(one["reads"] for one in read), "p99_ms": [one["p99_ms"] for one in read]}
    yield at_most(f"{what}: torn reads", torn, 0, versions=len({version for version, _ in reads}), **told)
    yield at_most(f"{what}: decisions lost", lost, 0, decisions=len(wrote["events"]), p99_ms=wrote["p99_ms"])
    yield at_least(f"{what}: readers that read to the end", len(read), READERS)


def _started(role: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, __file__, role, *arguments], stdout=subprocess.PIPE, text=True)


def _told(process: subprocess.Popen[str]) -> dict[str, object]:
    out, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"A process beside the others failed with {process.returncode}")
    return dict(json.loads(out))


def _seen(url: str) -> tuple[int, str]:
    """Version, and a digest of all names then."""
    with seeing(url) as connection:
        return version_of(connection), _digest(_names(connection))


def _names(connection: Connection) -> list[str]:
    return list(connection.execute(select(schema.klass.c.name).order_by(schema.klass.c.position)).scalars())


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def read(url: str, queries: Path, seconds: float) -> dict[str, object]:
    """Read names and version in one transaction, and look for neighbours, again and again."""
    vectors, search = np.load(queries), NearestExemplars(url)
    seen, took, misplaced, until = set(), [], 0, time.monotonic() + seconds
    with seeing(url) as connection:
        n_classes = len(_names(connection))
    while time.monotonic() < until:
        started = time.perf_counter()
        seen.add(_seen(url))
        for one in search.of(vectors[len(took) % len(vectors)], count=COUNT):
            of_path = int(one.path.removesuffix(".jpg")) % n_classes
            misplaced += of_path != int(one.class_name[6:11])
        took.append(1e3 * (time.perf_counter() - started))
    search.close()
    return {"seen": sorted(seen), "reads": len(took), "misplaced": misplaced, "p99_ms": _p99(took)}


def write(url: str, seconds: float) -> dict[str, object]:
    """Rename classes, and take some of it back."""
    with seeing(url) as connection:
        names = _names(connection)
    decide, until = Decisions(url), time.monotonic() + seconds
    names_at, events, took, number = {}, {}, [], 0
    while time.monotonic() < until:
        started, row = time.perf_counter(), number % RENAMED
        new = f"{names[row].partition(',')[0]}, {number}"
        event = decide.rename(names[row], new)
        old, names[row] = names[row], new
        names_at[event.version], events[event.id] = _digest(names), event.digest
        if number % UNDO_EVERY == 0:
            event, names[row] = decide.undo(), old
            names_at[event.version], events[event.id] = _digest(names), event.digest
        took.append(1e3 * (time.perf_counter() - started))
        number += 1
    return {"names": names_at, "events": events, "p99_ms": _p99(took)}


def _p99(milliseconds: Sequence[float]) -> float:
    return float(np.percentile(milliseconds, 99))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("role", choices=("read", "write"))
    parser.add_argument("url")
    parser.add_argument("queries", type=Path)
    parser.add_argument("seconds", type=float)
    asked = parser.parse_args()
    done = write(asked.url, asked.seconds) if asked.role == "write" else read(asked.url, asked.queries, asked.seconds)
    print(json.dumps(done))
