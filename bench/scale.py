"""What it costs to go beyond one machine and its memory, and what is lost where parts of it die.

    python bench/scale.py [--part nodes --part kills]

Each subject is a module of its own, `scale_*.py`, which says what it measures. Parts that are not asked for stay as
earlier runs left them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import scale_accept
import scale_classes
import scale_exemplars
import scale_fit
import scale_ray
import scale_server
import scale_slopes
import scale_stream
from common import Row, parts_of, record_parts

SEED = 0
PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    **scale_fit.PARTS,
    **scale_ray.PARTS,
    **scale_exemplars.PARTS,
    **scale_server.PARTS,
    **scale_classes.PARTS,
    **scale_accept.PARTS,
    **scale_stream.PARTS,
    **scale_slopes.PARTS,
}


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", action="append", choices=list(PARTS))
    options = parser.parse_args()
    record_parts("scale", parts_of("scale", PARTS, options.part or list(PARTS)), seed=SEED)


if __name__ == "__main__":
    main()
