"""Several processes decide at once: none loses what another decided, and readers see one version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from inkling.errors import InputError
from inkling.memory.opened import seeing
from inkling.memory.read import read_content
from inkling.memory.store import read_memory
from inkling.memory.verify import verify
from inkling.review.decisions import Decisions
from tests.memory.samples import FORK
from tests.review.conftest import pool


def _at_once(decisions: list[tuple[Any, ...]], path: Path) -> list[str]:
    """What became of decisions that all begin together, each in a process of its own."""
    barrier, told = FORK.Barrier(len(decisions)), FORK.Queue()

    def run(verb: str, *arguments: Any) -> None:
        decide = Decisions(path)
        barrier.wait()
        try:
            getattr(decide, verb)(*arguments)
        except InputError as error:
            told.put(error.message)
        else:
            told.put("done")

    children = [FORK.Process(target=run, args=decision) for decision in decisions]
    for child in children:
        child.start()
    answers = [told.get(timeout=60) for _ in children]
    for child in children:
        child.join()
    return sorted(answers)


def test_no_decision_is_lost(path: Path, decide: Decisions) -> None:
    version = read_memory(path).version
    answers = _at_once(
        [("accept", 1, "bench"), ("accept", 2, "fern"), ("rename", "van", "bus"), ("remove_class", "car")], path
    )
    assert answers == ["done"] * 4
    assert {one.name for one in decide.classes()} == {"truck", "bus", "bench", "fern"}
    assert read_memory(path).version == version + 4
    assert verify(path).replayed


def test_one_proposal_is_accepted_once(path: Path, decide: Decisions) -> None:
    answers = _at_once([("accept", 1, f"name {k}") for k in range(4)], path)
    assert answers == ["Proposal 1 is not open any more: it was accepted."] * 3 + ["done"]
    assert len(decide.classes()) == 4


def test_a_reader_sees_one_version_while_decisions_are_made(path: Path, decide: Decisions) -> None:
    with seeing(path) as connection:
        before = read_content(connection)
        decide.accept(1, first_name=True)
        pool(path, "bench", seed=5)
        again = read_content(connection)
        assert read_memory(path).version == before.version + 3
    assert again.version == before.version
    assert [entry.name for entry in again.content.classes] == [entry.name for entry in before.content.classes]
    np.testing.assert_array_equal(again.content.vectors, before.content.vectors)
