"""Several processes decide at once: none loses what another decided, and readers see one version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkling.errors import InputError
from inkling.memory.opened import seeing
from inkling.memory.pool import read_waiting
from inkling.memory.read import read_content
from inkling.memory.store import read_memory
from inkling.memory.verify import verify
from inkling.review.decisions import Decisions
from inkling.review.explore import explore
from inkling.review.new_class import Prepared
from inkling.review.observe import Observer
from inkling.types import ClassEntry
from tests.memory.samples import FORK
from tests.review.cases import DIMS, KNOWN, Named, fitted_memory, seen
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


def _six(path: Path, run: Any, arguments: list[Any]) -> list[str]:
    """What became of processes that all begin together."""
    barrier, told = FORK.Barrier(len(arguments)), FORK.Queue()

    def child(argument: Any) -> None:
        barrier.wait()
        try:
            run(path, argument)
        except Exception as error:
            told.put(f"{type(error).__name__}: {error}")
        else:
            told.put("done")

    children = [FORK.Process(target=child, args=(one,)) for one in arguments]
    for one in children:
        one.start()
    answers = [told.get(timeout=120) for _ in children]
    for one in children:
        one.join()
    return answers


def _observe_discover_or_decide(path: Path, job: tuple[str, int]) -> None:
    kind, seed = job
    for _ in range(3):
        if kind == "observe":
            observer = Observer(path, Named.load(path), min_images=5)
            for _ in range(2):
                observer.take(seen(*KNOWN, "bench", seed=seed))
            observer.proposed()
        elif kind == "discover":
            explore(path, Named.load(path), seen("lamp", seed=seed), min_images=5)
        else:
            Decisions(path).add_class(f"class {seed}", images=None, prompts=(), embedder=_OfText(seed))
            Decisions(path).undo()


class _OfText:
    """A class known by its text alone."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def new_class(self, *_: Any, **__: Any) -> Prepared:
        vector = np.zeros(DIMS, np.float32)
        vector[-1 - self.seed % 2] = 1
        return Prepared(seen("ant").identity, (ClassEntry(f"class {self.seed}", text_vector=vector),))


@pytest.mark.slow
def test_six_processes_observe_discover_and_decide_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    fitted_memory(path)
    jobs = [("observe", 1), ("observe", 1), ("observe", 2), ("discover", 3), ("discover", 3), ("decide", 4)]
    assert _six(path, _observe_discover_or_decide, jobs) == ["done"] * 6
    explore(path, Named.load(path), None, min_images=5)
    waiting, proposals, _ = read_waiting(path)
    members = [number for one in proposals for number in one.finding.members]
    assert len(set(members)) == len(members)
    assert {one.images[0].partition("-")[0] for one in proposals} == {"bench", "lamp"}
    assert len(waiting.ids) == len({one.content_hash for one in waiting.images})
    verify(path)
