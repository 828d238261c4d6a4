"""Vectors in parts: a folder or URL of Parquet files, as ``inkling embed --output DIR`` writes it, or anybody.

A part that is missing, damaged or of another encoder is left out and named, and so are images that have no vector but a
reason in the column ``error``: as one bad image is. Without a manifest parts are taken as they are; a manifest that is
damaged is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkling.errors import InputError, require
from inkling.images.places import Place, Url, is_url, place_of, unreachable
from inkling.types import SkippedImage
from inkling.wording import excerpt

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST = "manifest.json"
FORMAT = 1
"""Of manifests, as `inkling.bulk` writes them."""
PARQUET = ".parquet"
SKIPPED = "skipped"
"""Key of the images without a vector, among arrays that were read: paths and reasons."""
_ALL = f"*{PARQUET}"
_PART = re.compile(r"part-\d{6}\.parquet")
_OURS = frozenset(("inkling", "plan"))
"""Keys of the manifest of a run that others do not have."""
_GO_ON = "'inkling embed' with --resume makes it again."


@dataclass(frozen=True)
class VectorParts:
    """Where the parts are.

    Attributes
    ----------
    name
        As the user wrote it.
    files
        The parts in their order, by names that are shown.
    digests, rows
        SHA-256 and number of rows of those that a manifest knows.
    fingerprint
        Of the encoder that made them, where a manifest tells.
    """

    name: str
    files: Mapping[str, Place]
    digests: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str | None = None
    rows: Mapping[str, int] = field(default_factory=dict)

    def skipped(self, file: str, reason: str) -> SkippedImage:
        """A part that cannot be used, as an image that cannot."""
        return SkippedImage(str(self.files[file]), reason)


def vector_parts(name: str | Path) -> VectorParts | None:
    """The parts that a folder, a URL or a Parquet file consists of; None where it holds no vectors.

    Raises
    ------
    InklingError
        If a URL can't be reached, or the manifest is damaged.
    """
    if not (is_url(str(name)) or Path(name).exists()):
        return None
    place = place_of(name)
    try:
        return _parts_of(str(name), place)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreachable(place, error) from error


def is_in_parts(name: str | Path) -> bool:
    """Whether a name is that of a folder or a URL of vectors in Parquet files."""
    found = vector_parts(name)
    return found is not None and (is_url(str(name)) or Path(name).is_dir())


def content_of(parts: VectorParts, file: str) -> bytes:
    """The bytes of a part.

    Raises
    ------
    InputError
        If it is missing, can't be read, or is not what its manifest says.
    """
    try:
        content = parts.files[file].read_bytes()
    except FileNotFoundError as error:
        raise InputError("the part is missing", remedy=_GO_ON) from error
    except OSError as error:
        raise InputError(f"the part cannot be read: {excerpt(error)}") from error
    known = parts.digests.get(file)
    if known is not None and sha256(content).hexdigest() != known:
        raise InputError("the part is damaged: its content is not what the manifest says", remedy=_GO_ON)
    return content


def table_of(parts: VectorParts, file: str) -> pa.Table:
    """All rows of a part."""
    import pyarrow as pa
    from pyarrow import parquet

    return parquet.read_table(pa.BufferReader(content_of(parts, file)))


def require_fingerprint(found: str, expected: str | None) -> None:
    """Refuse a part of another encoder.

    Raises
    ------
    InputError
        If the fingerprints differ.
    """
    if expected is not None and found != expected:
        raise InputError(f"the part is of another encoder: fingerprint {excerpt(found)}, {excerpt(expected)} expected")


def _parts_of(name: str, place: Place) -> VectorParts | None:
    if place.suffix.lower() == PARQUET and not place.is_dir():
        alone = VectorParts(name, {place.name: place})
        return alone if _holds_vectors(alone) else None
    if not place.is_dir():
        return None
    files: list[Place] = [*((place / _ALL).matching() if isinstance(place, Url) else sorted(place.glob(_ALL)))]
    manifest = _manifest(name, place, parts=any(_PART.fullmatch(one.name) for one in files))
    if manifest is None:
        found = VectorParts(name, {one.name: one for one in files if not one.name.startswith(".")})
        return found if _holds_vectors(found) else None
    plan = manifest["plan"]
    if plan["verb"] != "embed":
        return None
    n_parts = -(-int(plan["images"]) // int(plan["part_images"]))
    files_of_run = [f"part-{part:06d}{PARQUET}" for part in range(n_parts)]
    known = manifest.get("parts", ())
    digests = {one["file"]: one["sha256"] for one in known}
    rows = {one["file"]: int(one["rows"]) for one in known}
    return VectorParts(name, {one: place / one for one in files_of_run}, digests, plan["fingerprint"], rows)


def _manifest(name: str, place: Place, *, parts: bool) -> dict[str, Any] | None:
    """That of a run; None where there is none, or it is somebody else's.

    Raises
    ------
    InputError
        If it is ours and damaged: parts that it would find damaged would be read without a word.
    """
    try:
        found: Any = json.loads((place / MANIFEST).read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        ours = parts
    else:
        if _is_sound(found):
            return dict(found)
        ours = parts and isinstance(found, dict) and not _OURS.isdisjoint(found)
    if ours:
        raise InputError(
            f"The {MANIFEST} at '{name}' is damaged or of another release, so that its parts can't be checked.",
            remedy="Embed the images again into another folder, or remove that file to have the parts read unchecked.",
        )
    return None


def _is_sound(manifest: Any) -> bool:
    """Whether it says what a run is, in the form of this release."""
    try:
        plan, known = manifest["plan"], manifest.get("parts", ())
        described = all(isinstance(one["file"], str) and isinstance(one["sha256"], str) for one in known)
        counts = [int(plan["images"]), *(int(one["rows"]) for one in known)]
        numbered = manifest["format"] == FORMAT and min(counts) >= 0 < int(plan["part_images"])
        return described and numbered and isinstance(plan["fingerprint"], str) and isinstance(plan["verb"], str)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return False


def _holds_vectors(parts: VectorParts) -> bool:
    """Whether the first part that can be read has a column of vectors."""
    if not parts.files:
        return False
    require("pyarrow", extra="parquet", purpose=f"Reading '{parts.name}'")
    from pyarrow import parquet

    for place in parts.files.values():
        try:
            with place.open("rb") as file:
                return "embedding" in parquet.read_schema(file).names
        except Exception:  # a damaged one is named when it is read
            continue
    return False
