"""Undo is true: every row is again what it was, head and calibration to the last bit."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inkling.errors import InputError, MemoryFileError
from inkling.memory.digest import digest_text, state_digest
from inkling.memory.discovered import Finding, PooledImage
from inkling.memory.opened import seeing
from inkling.memory.pool import read_pool
from inkling.memory.proposals import write_proposals
from inkling.memory.store import read_memory
from inkling.memory.verify import verify
from inkling.review.decisions import Decisions
from tests.memory.samples import assert_same
from tests.review.conftest import VERBS, held, pool


@pytest.mark.parametrize("verb", VERBS)
def test_every_decision_is_taken_back_to_the_last_bit(path: Path, decide: Decisions, verb: str) -> None:
    before, content = held(path), read_memory(path)
    VERBS[verb](decide)
    assert held(path) != before
    undone = decide.undo()
    assert held(path) == before
    after = read_memory(path)
    assert after.version == undone.version == content.version + 2
    assert_same(after.content, content.content)


def test_what_was_damaged_in_the_log_is_not_written_back(path: Path, decide: Decisions) -> None:
    decide.accept(1, first_name=True)
    with closing(sqlite3.connect(path)) as database:
        number, blob = database.execute(
            "SELECT rowid, blob FROM change WHERE row_table = 'head' AND blob IS NOT NULL ORDER BY rowid DESC"
        ).fetchone()
        damaged = bytearray(blob)
        damaged[len(blob) // 2] ^= 1
        database.execute("UPDATE change SET blob = ? WHERE rowid = ?", (bytes(damaged), number))
        database.commit()
    before = held(path)
    with pytest.raises(MemoryFileError, match="is damaged"):
        decide.undo()
    assert held(path) == before


def test_the_log_knows_the_digest_of_all_that_is_held(path: Path, decide: Decisions) -> None:
    for verb in VERBS.values():
        verb(decide)
        _assert_digest(path, decide)
        decide.undo()
        _assert_digest(path, decide)


def _assert_digest(path: Path, decide: Decisions) -> None:
    with seeing(path) as connection:
        assert decide.history()[-1].digest == digest_text(state_digest(connection))


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(verbs=st.lists(st.sampled_from(sorted(VERBS)), min_size=1, max_size=6))
def test_any_row_of_decisions_is_taken_back_one_by_one(
    verbs: list[str], tmp_path_factory: pytest.TempPathFactory, path: Path
) -> None:
    copy = tmp_path_factory.mktemp("copy") / "a.ink"
    copy.write_bytes(path.read_bytes())
    decide = Decisions(copy)
    moments = [held(copy)]
    for verb in verbs:
        try:
            VERBS[verb](decide)
        except InputError:
            assert held(copy) == moments[-1]
        else:
            moments.append(held(copy))
    while len(moments) > 1:
        moments.pop()
        decide.undo()
        assert held(copy) == moments[-1]
    undone = []
    while decide.history()[-1].verb != "fit" and len(undone) < 3:
        undone.append(decide.undo().outcome["undone"])
    assert undone == ["discover", "observe", "observe"]
    with pytest.raises(InputError, match="nothing to undo"):
        decide.undo()


def test_undo_says_how_many_observations_are_left_of_the_run(path: Path, decide: Decisions) -> None:
    outcomes = [decide.undo().outcome for _ in range(3)]
    assert [one["undone"] for one in outcomes] == ["discover", "observe", "observe"]
    assert [one.get("observed_before") for one in outcomes] == [2, 1, None]


def test_numbers_are_not_given_twice_after_undo(path: Path, decide: Decisions) -> None:
    first = decide.merge([1, 2]).outcome["proposal"]
    decide.undo()
    assert decide.merge([1, 2]).outcome["proposal"] == first + 1


def test_undo_passes_over_what_was_observed_since(path: Path, decide: Decisions) -> None:
    decide.accept(1, first_name=True)
    pool(path, "bench", seed=7)
    assert {proposal.id for proposal in decide.proposals()} == {2, 3}
    decide.undo()
    assert {proposal.id for proposal in decide.proposals()} == {1, 2, 3}
    assert "bench" not in {known.name for known in decide.classes()}


def test_what_rests_on_a_decision_is_taken_back_with_it(path: Path, decide: Decisions) -> None:
    decide.accept(1, "bench")
    moment = held(path)
    decide.remove_class("bench")
    members = [number for number, one in zip(*_pooled(path), strict=True) if one.path.startswith("bench")]
    write_proposals(path, [one.finding for one in decide.proposals()] + [Finding(tuple(members), 6, 0.9)])
    assert len(decide.proposals()) == 2
    assert decide.undo().outcome == {"undone": "remove-class", "arguments": {"class": "bench"}, "with": ["discover"]}
    assert held(path) == moment
    verify(path)


def _pooled(path: Path) -> tuple[list[int], list[PooledImage]]:
    waiting = read_pool(path)
    return waiting.ids.tolist(), list(waiting.images)


def test_what_was_changed_by_something_else_is_reported_as_that(path: Path, decide: Decisions) -> None:
    decide.merge([1, 2])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE proposal SET stability = 0.5 WHERE id = 3")
    before = held(path)
    told = r"'merge'.* cannot be taken back.*'proposal.*does not hold what its log says"
    with pytest.raises(MemoryFileError, match=told) as caught:
        decide.undo()
    assert "inkling verify" in str(caught.value.remedy)
    assert held(path) == before
