"""A memory whose digests agree and whose head or detector cannot be used is found out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, select, update

from inkling import FewShotClassifier
from inkling.classifier.soundness import require_usable
from inkling.errors import MemoryFileError
from inkling.memory import schema
from inkling.memory.columns import array_blob, blob_arrays
from inkling.memory.content import PARENTS
from inkling.memory.database import writing
from inkling.memory.digest import digest_text, state_digest
from inkling.memory.verify import verify

RNG = np.random.default_rng(0)
CENTRES = RNG.normal(size=(4, 16))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    X = (CENTRES[:, None] + 0.3 * RNG.normal(size=(4, 30, 16))).reshape(-1, 16)
    y = np.repeat(["ant", "bee", "cat", "dog"], 30)
    classifier = FewShotClassifier(head="gda", false_alarms=0.1).fit_embeddings(X, y)
    assert classifier.fitted.detector is not None
    classifier.save(tmp_path / "a.ink")
    return tmp_path / "a.ink"


def damage(path: Path, change: Callable[[Connection], None]) -> None:
    """Change rows, and have the log say that they were so."""
    with writing(path) as connection:
        change(connection)
        connection.execute(update(schema.event).values(digest=digest_text(state_digest(connection))))


def arrays(table: Any, change: Callable[[dict[str, Any]], Any]) -> Callable[[Connection], None]:
    def changed(connection: Connection) -> None:
        held = blob_arrays(connection.execute(select(table.c.arrays)).scalar_one())
        change(held)
        connection.execute(update(table).values(arrays=array_blob(held)))

    return changed


def spoilt(held: dict[str, Any]) -> None:
    """Numbers that are none, in arrays of the same names and shapes."""
    for name, array in held.items():
        if array.dtype.kind == "f":
            held[name] = np.full_like(array, np.nan)


def test_a_sound_memory_passes(path: Path) -> None:
    verify(path)
    require_usable(path)


@pytest.mark.parametrize(
    "change",
    [
        arrays(schema.head, spoilt),
        arrays(schema.head, dict.clear),
        arrays(schema.detector, spoilt),
        arrays(schema.detector, dict.clear),
        lambda connection: connection.execute(update(schema.head).values(name="nobody")),
        lambda connection: connection.execute(update(schema.head).values(calibration='{"temperature": 0}')),
    ],
    ids=["head-nan", "head-empty", "detector-nan", "detector-empty", "head-unknown", "temperature"],
)
def test_what_cannot_be_used_is_found_though_the_digests_agree(
    path: Path, change: Callable[[Connection], None]
) -> None:
    damage(path, change)
    verify(path)
    with pytest.raises(MemoryFileError, match=r"is damaged: its (head|detector)"):
        require_usable(path)


def test_what_cannot_be_restored_is_reported_as_damage_where_it_is_loaded(path: Path) -> None:
    damage(path, arrays(schema.detector, dict.clear))
    with pytest.raises(MemoryFileError, match="is damaged"):
        FewShotClassifier.load(path)


@pytest.mark.parametrize("table", [schema.head, schema.detector], ids=str)
@pytest.mark.parametrize("blob", [b"", b"nothing", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      " + b"x" * 9])
def test_bytes_that_are_no_arrays_are_found_though_the_digests_agree(path: Path, table: Any, blob: bytes) -> None:
    damage(path, lambda connection: connection.execute(update(table).values(arrays=blob)))
    for check in (verify, require_usable):
        with pytest.raises(MemoryFileError, match="is damaged"):
            check(path)


def test_what_is_quoted_ends_in_one_full_stop(path: Path) -> None:
    def circle(connection: Connection) -> None:
        training = json.loads(connection.execute(select(schema.head.c.training)).scalar_one())
        told = json.dumps(training | {PARENTS: {"ant": "insect", "insect": "ant"}})
        connection.execute(update(schema.head).values(training=told))

    damage(path, circle)
    with pytest.raises(MemoryFileError, match=r"in a circle: [\w >]+\.\nRestore"):
        require_usable(path)
