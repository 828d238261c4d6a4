"""The index of a memory file's exemplars: HNSW by usearch, kept in the cache folder and mapped into memory.

Vectors stand in it as integers of 8 bits, a quarter of the memory's. Candidates are compared exactly, so nothing is
lost by that (docs/decisions/nearest-exemplars.md).
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import time
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from sqlalchemy import Connection

from inkling.embeddings.cache import default_folder
from inkling.embeddings.vector_index import usearch
from inkling.errors import InklingError, InputError, MemoryChangedError, MissingExtraError
from inkling.memory.derived import Ask, ExactNeighbours, Sight, embedding_chunks, exemplar_ids, is_same_memory, sight_of
from inkling.memory.migrate import reading_current
from inkling.memory.place import Place
from inkling.outputs import appearing_whole, held
from inkling.types import IntArray, Vectors

CONNECTIVITY, EXPANSION_ADD, EXPANSION_SEARCH = 16, 128, 96
"""Edges of a node (twice as many on the lowest level), and nodes in view while it is made and while it is searched."""
WAIT_SECONDS = 0.5
MANIFEST = "manifest.json"
_PURPOSE = "An index of the exemplars"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Manifest:
    """What an index was made from, and which file it is.

    Attributes
    ----------
    version, digest, space_id, dimension
        Of the memory, see `Sight`.
    exemplars
        How many are in it.
    recall
        Share of the ten nearest that it finds.
    file, sha256
        Name in the same folder, and hash of its bytes: a damaged file that is mapped could end the process.
    """

    version: int
    digest: str
    space_id: int
    dimension: int
    exemplars: int
    recall: float
    file: str
    sha256: str

    def is_of(self, connection: Connection, sight: Sight) -> bool:
        """Whether it was made from this memory, at whatever version."""
        then = Sight(self.version, self.digest, self.space_id, self.dimension, sight.width)
        return is_same_memory(connection, then, sight)


class FileIndex:
    """An open index.

    Parameters
    ----------
    index
        Of usearch; its keys are the numbers of exemplars.
    """

    def __init__(self, index: Any) -> None:
        index.expansion_search = EXPANSION_SEARCH
        self._index = index
        self._ids = np.sort(np.asarray(index.keys[: len(index)]).astype(np.int64))

    def beside(self, connection: Connection, sight: Sight) -> tuple[IntArray, int]:
        """Exemplars that it lacks, and how many it has that are gone."""
        ids = exemplar_ids(connection, sight.space_id)
        known = np.isin(ids, self._ids, assume_unique=True)
        return ids[~known], len(self._ids) - int(known.sum())

    def near(self, ask: Ask, vector: Vectors, count: int) -> IntArray:  # noqa: ARG002 - the interface's
        """Numbers of so many exemplars."""
        return _near(self._index, vector, min(count, len(self._ids)))


class FileIndexes:
    """Makes and opens the index of one memory file.

    Parameters
    ----------
    place
        The memory.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._open: tuple[Manifest, FileIndex] | None = None

    def missing(self, connection: Connection, sight: Sight) -> str | None:  # noqa: ARG002 - the interface's
        """What usearch needs."""
        try:
            _usearch()
        except MissingExtraError as error:
            return f"{error.message} {error.remedy}"
        return "this memory has no log yet: change it once" if sight.digest is None else None

    def recall(self, connection: Connection, sight: Sight) -> float | None:
        """What the manifest says, where it is of this memory."""
        manifest = self._manifest()
        return manifest.recall if manifest is not None and manifest.is_of(connection, sight) else None

    def current(self, connection: Connection, sight: Sight) -> FileIndex | None:
        """The index, if it is of this memory and whole."""
        if self.missing(connection, sight) is not None:
            return None
        manifest = self._manifest()
        if manifest is not None and (self._open is None or self._open[0] != manifest):
            index = _opened(_folder(self._place), manifest)
            self._open = self._open if index is None else (manifest, FileIndex(index))
        if self._open is not None and not self._open[0].is_of(connection, sight):
            self._open = None
        return None if self._open is None else self._open[1]

    def build(self, *, threads: int = 0) -> float:
        """Make it, unless another process is at it: then that one's is waited for."""
        _usearch()
        before = self._manifest()
        try:
            folder = _folder(self._place)
            folder.mkdir(parents=True, exist_ok=True)
        except (InklingError, OSError):  # it is made nevertheless, and not kept
            return self._built(threads)
        while True:
            with held(folder) as alone:
                if alone:
                    found = self._manifest()
                    return found.recall if found is not None and found != before else self._built(threads)
            time.sleep(WAIT_SECONDS)

    def _built(self, threads: int) -> float:
        with closing(self._place.following()) as kept, self._place.explained():
            with reading_current(self._place, whole=False) as connection:
                sight = sight_of(connection)
                ids = exemplar_ids(connection, sight.space_id)
            if sight.digest is None:
                raise InputError(f"{_PURPOSE} needs a memory with a log.", remedy="Change the memory once.")
            exact = ExactNeighbours.of_sample(kept.ask, sight, ids)
            index = _empty(sight.dimension)
            for some, X in embedding_chunks(kept.ask, sight):
                index.add(some, X, threads=threads)
                exact.see(some, X)
            with reading_current(self._place, whole=False) as connection:
                if not is_same_memory(connection, sight, sight_of(connection)):
                    raise MemoryChangedError(f"The memory {self._place} was replaced meanwhile.", remedy="Try again.")
        index.expansion_search = EXPANSION_SEARCH
        recall = exact.recall(lambda vector, count: _near(index, vector, count))
        manifest = Manifest(
            sight.version, sight.digest, sight.space_id, sight.dimension, len(index), recall, file="", sha256=""
        )
        self._keep(manifest, index)
        return recall

    def _keep(self, manifest: Manifest, index: Any) -> None:
        """Where it can't be kept, on a full disk for instance, this process has it alone."""
        try:
            _write(_folder(self._place), manifest, index)
        except (InklingError, OSError, RuntimeError) as error:
            _log.warning("The index of the exemplars of %s is not kept: %s", self._place, error)
            self._open = manifest, FileIndex(index)

    def _manifest(self) -> Manifest | None:
        """What is kept, unless it cannot be read; then the index is made anew."""
        try:
            found = json.loads((_folder(self._place) / MANIFEST).read_text(encoding="utf-8"))
            manifest = Manifest(**found)
        except (InklingError, OSError, ValueError, TypeError, RecursionError):
            return None
        types = {"int": int, "str": str, "float": float}
        right = all(type(getattr(manifest, one.name)) is types[str(one.type)] for one in fields(Manifest))
        return manifest if right and Path(manifest.file).name == manifest.file else None


def _folder(place: Place) -> Path:
    """Where the index of a memory is kept, by the memory's name."""
    return default_folder() / "nearest" / hashlib.sha256(str(place).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _usearch() -> ModuleType:
    return usearch(extra="scale", purpose=_PURPOSE)


def _empty(dimension: int) -> Any:
    return _usearch().Index(
        ndim=dimension, metric="cos", dtype="i8", connectivity=CONNECTIVITY, expansion_add=EXPANSION_ADD
    )


def _near(index: Any, vector: Vectors, count: int) -> IntArray:
    found = index.search(np.ascontiguousarray(vector, dtype=np.float32), count)
    return np.asarray(found.keys).astype(np.int64)


def _write(folder: Path, manifest: Manifest, index: Any) -> None:
    """Under a name of its own, then the manifest that names it, then without those before it."""
    file = folder / f"{secrets.token_hex(8)}.usearch"
    with appearing_whole(file) as draft:
        index.save(str(draft))
        if draft.stat().st_size != index.serialized_length:
            raise OSError("it could not be written whole")
        told = asdict(manifest) | {"file": file.name, "sha256": _sha256(draft)}
    with appearing_whole(folder / MANIFEST) as draft:
        draft.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    for other in folder.glob("*.usearch"):
        if other != file:
            with suppress(OSError):  # on Windows, somebody may have it mapped
                other.unlink()


def _opened(folder: Path, manifest: Manifest) -> Any:
    """The index mapped into memory; None if it is not whole."""
    file = folder / manifest.file
    try:
        if _sha256(file) != manifest.sha256:
            return None
        index = _usearch().Index.restore(str(file), view=True)
    except (OSError, RuntimeError, ValueError):
        return None
    return index if (len(index), index.ndim) == (manifest.exemplars, manifest.dimension) else None


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
