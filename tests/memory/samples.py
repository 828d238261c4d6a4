"""Memories to write, and how to tell that what is read is what was written."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from inkling.memory.content import MemoryContent, Provenance, StoredMemory
from inkling.memory.store import read_memory, write_memory
from inkling.types import ClassEntry, EncoderIdentity, Exemplar, HeadState

# Children start within milliseconds, everything imported, so that a kill hits the write, not the start.
FORK = get_context("fork")


def put(path: str | Path, content: MemoryContent) -> int:
    """Write a memory in the place of whatever is there."""
    return write_memory(path, content, replace=True)


def identity(*, dimension: int = 4, feature_dimension: int = 0, fingerprint: str = "f00d") -> EncoderIdentity:
    """An encoder's identity."""
    return EncoderIdentity(
        name="tiny",
        source="models/tiny",
        fingerprint=fingerprint,
        dimension=dimension,
        feature_dimension=feature_dimension,
        logit_scale=100.0,
        precision="float32",
    )


def numbered(number: int, *, images: int = 6, dimension: int = 4) -> MemoryContent:
    """Content that says `number` in every table, so that a mixture of two versions gives itself away."""
    names = [f"class {number}.{index}" for index in range(3)]
    return MemoryContent(
        encoder=identity(dimension=dimension),
        classes=tuple(
            ClassEntry(name, (f"a {name}",), (f"alias of {name}",), np.full(dimension, number, np.float32))
            for name in names
        ),
        exemplars=tuple(
            Exemplar(f"{number}/{index}.jpg", f"{number:x}", names[index % 3], index, b"%d" % number)
            for index in range(images)
        ),
        vectors=np.full((images, dimension), number, np.float32),
        head=HeadState("gda", {"number": number}, {"weights": np.full((3, dimension), number, np.float64)}),
        calibration={"temperature": number},
        training={"chosen": number},
        provenance=Provenance("2025-01-31T12:00:00Z", "0.1.0", "inkling fit", number, {"numpy": "2.0"}, "da7a"),
    )


def assert_same(read: MemoryContent, written: MemoryContent) -> None:
    """Every value came back, with its type and its order."""
    assert read.encoder == written.encoder
    assert [_plain(entry) for entry in read.classes] == [_plain(entry) for entry in written.classes]
    assert read.exemplars == written.exemplars
    assert read.vectors.dtype == np.float32
    np.testing.assert_array_equal(read.vectors, written.vectors)
    assert (read.head.name, read.head.params) == (written.head.name, written.head.params)
    assert read.head.arrays.keys() == written.head.arrays.keys()
    for name, array in written.head.arrays.items():
        assert read.head.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(read.head.arrays[name], array)
    assert read.calibration == written.calibration
    assert read.training == written.training
    assert read.provenance == written.provenance


def _plain(entry: ClassEntry) -> tuple[object, ...]:
    vector = None if entry.text_vector is None else entry.text_vector.tolist()
    return entry.name, entry.prompts, entry.aliases, vector


def assert_whole(stored: StoredMemory, **size: int) -> None:
    """The memory is one that `numbered` made, all of it."""
    assert_same(stored.content, numbered(stored.content.provenance.seed, **size))


def names_in(folder: Path) -> list[str]:
    """What lies in a folder, hidden files included."""
    return sorted(found.name for found in folder.iterdir())


def write_for_ever(path: Path, size: dict[str, int]) -> None:
    """Write version after version, each with its own number all over it."""
    for number in itertools.count(read_memory(path).version + 1):
        assert put(path, numbered(number, **size)) == number


def in_child(function: Callable[..., Any], *args: Any) -> Any:
    """What `function` returns or raises in a process of its own."""
    here, there = FORK.Pipe(duplex=False)

    def run() -> None:
        try:
            there.send(function(*args))
        except Exception as error:
            there.send(error)

    child = FORK.Process(target=run)
    child.start()
    there.close()
    try:
        answer = here.recv()
    finally:
        child.join()
    if isinstance(answer, Exception):
        raise answer
    return answer
