"""How an artefact came to be: time, versions, data."""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from inkling.redaction import redacted

DISTRIBUTION = "inkling-vision"
_PACKAGES = ("numpy", "scipy", "scikit-learn", "pillow", "onnxruntime", "torch", "transformers", "peft", "accelerate")


def inkling_version() -> str:
    """Version of this installation; a source tree that nobody installed has none."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unreleased"


def package_versions(packages: Iterable[str] = _PACKAGES) -> dict[str, str]:
    """Versions of packages, by default those that numbers depend on, as installed; nothing is imported."""
    found = ((package, _version_of(package)) for package in packages)
    return {package: version for package, version in found if version is not None}


@cache
def _version_of(package: str) -> str | None:
    """Looked up once, as a process loads a package once: a look goes through all that is installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def now() -> str:
    """Time in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def data_hash(content_hashes: Iterable[str], labels: Iterable[str]) -> str:
    """Hash over images and labels, whatever their order."""
    lines = sorted(f"{key} {label}" for key, label in zip(content_hashes, labels, strict=True))
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()


def current_command() -> str:
    """The command line of this process, as any file can hold it.

    The program stands by its name instead of its path, and secrets are hidden.
    """
    command = shlex.join([Path(sys.argv[0]).name, *map(redacted, sys.argv[1:])])
    return command.encode("utf-8", "backslashreplace").decode()
