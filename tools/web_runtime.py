"""Put the files of onnxruntime-web that the exported page needs into the package: about 14 MB, 4 MB compressed.

Usage: .venv/bin/python tools/web_runtime.py [--if-possible]

npm brings the pinned package from wherever it is configured to look. What came is used only if its hash is the one
below. With --if-possible it is no error that npm is missing or can't reach its registry: the set-up goes on without
the page.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import npm_package
from npm_package import FetchError, Package

RUNTIME = Package(
    name="onnxruntime-web",
    version="1.30.0",
    sha512="q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
    files={
        "dist/ort.wasm.bundle.min.mjs": "ort.js",
        "dist/ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
    },
    tool="tools/web_runtime.py",
)
"""What runs models on processors, and the names that it gets; what is for GPUs and for Node.js is left out. Hosts of
static files know more surely what `.js` is than `.mjs`."""

LICENCES = ("LICENSE", "ThirdPartyNotices.txt")
"""The npm package has none of them; they are those of the Python package, which is built from the same sources."""

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "inkling" / "exporting" / "web" / "runtime"


def main() -> None:
    """Fetch the files unless they are there."""
    try:
        fetch(TARGET)
    except FetchError as error:
        if sys.argv[1:] != ["--if-possible"]:
            sys.exit(str(error))
        print(f"{error}\nWithout them all works but `inkling export --format web`.", flush=True)


def fetch(target: Path) -> None:
    """Have the pinned files in a folder; see `npm_package.fetch`."""
    npm_package.fetch(RUNTIME, target, add=_add_licences)


def _add_licences(folder: Path) -> None:
    for name in LICENCES:
        shutil.copyfile(_onnxruntime() / name, folder / name)


def _onnxruntime() -> Path:
    found = importlib.util.find_spec("onnxruntime")
    if found is None or found.origin is None:
        raise FetchError("Run this by the Python that Inkling is installed for: `.venv/bin/python`.")
    return Path(found.origin).parent


if __name__ == "__main__":
    main()
