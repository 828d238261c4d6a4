"""Whether what is promised holds on data that nothing was tuned on.

    python bench/promises.py [--draws 10] [--part coverage --part views]

Each subject is a module of its own, `promises_*.py`, which says what it measures. Parts that are not asked for stay as
earlier runs left them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial

import promises_accuracy
import promises_alarms
import promises_coverage
import promises_discovery
import promises_few_shots
import promises_hierarchy
import promises_unlabelled
from common import Row, parts_of, record_parts

SEED = 0
PARTS: dict[str, Callable[[int], Iterator[Row]]] = {
    **promises_coverage.PARTS,
    **promises_hierarchy.PARTS,
    **promises_alarms.PARTS,
    **promises_few_shots.PARTS,
    **promises_accuracy.PARTS,
    **promises_unlabelled.PARTS,
    **promises_discovery.PARTS,
}


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--part", action="append", choices=list(PARTS))
    options = parser.parse_args()
    parts = {name: partial(part, options.draws) for name, part in PARTS.items()}
    found = parts_of("promises", parts, options.part or list(parts))
    record_parts("promises", found, seed=SEED, draws=options.draws)


if __name__ == "__main__":
    main()
