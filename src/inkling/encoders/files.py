"""Small files of encoder folders, and hashes of all of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from inkling.errors import EncoderError
from inkling.wording import excerpt, kind_of


def read_json(path: Path) -> Mapping[str, Any]:
    """Read a JSON object.

    Raises
    ------
    EncoderError
        If the file is missing, damaged or holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise EncoderError(
            f"The folder {path.parent} has no {path.name}.",
            remedy="An encoder folder needs it; copy it from where the model comes from.",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise EncoderError(f"The file {path} can't be read as JSON: {excerpt(error)}.") from error
    if not isinstance(value, dict):
        raise EncoderError(f"The file {path} holds {kind_of(value)} in place of a JSON object.")
    return value


def hash_files(files: Iterable[Path]) -> str:
    """SHA-256 over the contents of files, in the order given; names and places don't count."""
    whole = sha256()
    for file in files:
        with file.open("rb") as stream:
            whole.update(file_digest(stream, "sha256").digest())
    return whole.hexdigest()


def hash_value(value: object) -> str:
    """SHA-256 of a value that JSON can express."""
    return sha256(json.dumps(value, sort_keys=True, default=list).encode()).hexdigest()
