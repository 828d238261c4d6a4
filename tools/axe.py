"""Fetch axe-core, which finds what keeps people with disabilities from using a page; the tests of pages run it.

Usage: .venv/bin/python tools/axe.py [--if-possible]

npm brings the pinned package; see tools/npm_package.py. It is used in tests alone and is no part of the product. With
--if-possible it is no error that npm is missing or can't reach its registry: these tests are then skipped.
"""

from __future__ import annotations

import sys
from pathlib import Path

from npm_package import FetchError, Package, fetch

AXE = Package(
    name="axe-core",
    version="4.14.1",
    sha512="FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    files={"axe.min.js": "axe.min.js"},
    tool="tools/axe.py",
)
TARGET = Path(__file__).resolve().parents[1] / "build" / "axe-core"
SCRIPT = TARGET / "axe.min.js"


def main() -> None:
    """Fetch the script unless it is there."""
    try:
        fetch(AXE, TARGET)
    except FetchError as error:
        if sys.argv[1:] != ["--if-possible"]:
            sys.exit(str(error))
        print(f"{error}\nWithout it the tests of accessibility are skipped.", flush=True)


if __name__ == "__main__":
    main()
