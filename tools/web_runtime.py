"""Put the files of onnxruntime-web that the exported page needs into the package: about 14 MB, 4 MB compressed.

Usage: .venv/bin/python tools/web_runtime.py [--if-possible]

npm brings the pinned package from wherever it is configured to look. What came is used only if its hash is the one
below. With --if-possible it is no error that npm is missing or can't reach its registry: the set-up goes on without
the page.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
SHA512 = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""Of the package as npm packs it, in base 64, as its lock files have it."""

FILES = {"ort.wasm.bundle.min.mjs": "ort.js", "ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm"}
"""What runs models on processors, and the names that it gets; what is for GPUs and for Node.js is left out. Hosts of
static files know more surely what `.js` is than `.mjs`."""

LICENCES = ("LICENSE", "ThirdPartyNotices.txt")
"""The npm package has none of them; they are those of the Python package, which is built from the same sources."""

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "inkling" / "exporting" / "web" / "runtime"
_VERSION_FILE = "VERSION"


class FetchError(Exception):
    """The files can't be had; the message says what to do."""


def main() -> None:
    """Fetch the files unless they are there."""
    try:
        fetch(TARGET)
    except FetchError as error:
        if sys.argv[1:] != ["--if-possible"]:
            sys.exit(str(error))
        print(f"{error}\nWithout them all works but `inkling export --format web`.", flush=True)


def fetch(target: Path) -> None:
    """Have the pinned files in a folder.

    Raises
    ------
    FetchError
        If there is no npm, it doesn't deliver, or delivers something else.
    """
    if is_current(target):
        return
    print(f"Fetching {PACKAGE} {VERSION}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        archive = packed(Path(folder))
        check(archive.read_bytes())
        draft = target.with_name(f".{target.name}.part")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        extract(archive, draft)
    for name in LICENCES:
        shutil.copyfile(_onnxruntime() / name, draft / name)
    (draft / _VERSION_FILE).write_text(f"{PACKAGE} {VERSION}\n", encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)


def is_current(target: Path) -> bool:
    """Whether a folder holds the files of the pinned version; the version is written last."""
    mark = target / _VERSION_FILE
    return mark.is_file() and mark.read_text(encoding="utf-8").split() == [PACKAGE, VERSION]


def packed(folder: Path) -> Path:
    """The package as npm has it."""
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError(
            f"{PACKAGE} comes by npm, which is not installed: on Debian it is the package npm. Then run "
            "`.venv/bin/python tools/web_runtime.py`."
        )
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = list(folder.glob("*.tgz"))
    if done.returncode or not found:
        raise FetchError(f"npm could not bring {PACKAGE} {VERSION}: {(done.stderr or done.stdout).strip()}")
    return found[0]


def check(data: bytes) -> None:
    """Refuse a package that isn't the pinned one."""
    found = base64.b64encode(hashlib.sha512(data).digest()).decode()
    if found != SHA512:
        raise FetchError(f"{PACKAGE} {VERSION} has the SHA-512 {found}, not {SHA512}: it is not used.")


def extract(archive: Path, folder: Path) -> None:
    """The needed files of the package, and nothing else of it."""
    with tarfile.open(archive) as package:
        for name, ours in FILES.items():
            member = package.extractfile(f"package/dist/{name}")
            if member is None:
                raise FetchError(f"{PACKAGE} {VERSION} holds no {name}.")
            (folder / ours).write_bytes(member.read())


def _onnxruntime() -> Path:
    found = importlib.util.find_spec("onnxruntime")
    if found is None or found.origin is None:
        raise FetchError("Run this by the Python that Inkling is installed for: `.venv/bin/python`.")
    return Path(found.origin).parent


if __name__ == "__main__":
    main()
