"""Killed at any moment of a decision: the memory before it or after it, and its log agrees."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from inkling.memory.verify import verify
from inkling.review.decisions import Decisions
from tests.memory.samples import FORK, names_in
from tests.review.conftest import VERBS, held, pool

RENEWED = 6


def _decide_for_ever(path: Path, seed: int) -> None:
    decide, rng = Decisions(path), random.Random(seed)
    while True:
        VERBS[rng.choice(sorted(VERBS))](decide)
        decide.undo()


@pytest.mark.slow
@pytest.mark.parametrize("kills", [24, pytest.param(120, marks=pytest.mark.thorough)])
def test_kill_while_decisions_are_made(path: Path, kills: int) -> None:
    decide = Decisions(path)
    began = time.perf_counter()
    decide.accept(1, first_name=True)
    decide.undo()
    once = time.perf_counter() - began
    before, undone, kept = held(path), verify(path), path.read_bytes()
    between, decisions = 0, 0
    for kill in range(kills):
        if kill % RENEWED == 0:  # each verification replays the whole log
            path.write_bytes(kept)
            versions = [undone.version]
        child = FORK.Process(target=_decide_for_ever, args=(path, kill))
        child.start()
        time.sleep(random.uniform(0.0, 1.5 * once))
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        found = verify(path)
        assert names_in(path.parent) == ["a.ink"]
        if found.replayed != undone.replayed:
            between += 1
            decide.undo()
        assert held(path) == before
        decisions += found.version > versions[-1]
        versions.append(found.version)
        assert versions == sorted(versions)
    assert decisions > kills / 4, "hardly any decision came to its end, so little was tested"
    assert between, "no kill ever hit between a decision and its undo"


def _observe_for_ever(path: Path, seed: int) -> None:
    for number in range(10**6):
        pool(path, "bench", n=3, seed=1000 * seed + number)


@pytest.mark.slow
def test_kill_while_images_are_observed_and_proposed(path: Path) -> None:
    for kill in range(20):
        child = FORK.Process(target=_observe_for_ever, args=(path, kill + 1))
        child.start()
        time.sleep(random.uniform(0.0, 0.2))
        child.kill()
        child.join()
        verify(path)
        assert names_in(path.parent) == ["a.ink"]
    with closing(sqlite3.connect(path)) as database:
        (pooled,) = database.execute("SELECT count(*) FROM pooled").fetchone()
        (vectors,) = database.execute("SELECT count(*) FROM pooled_vector").fetchone()
    assert pooled == vectors > 12
