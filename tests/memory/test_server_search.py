"""The nearest exemplars of a memory on PostgreSQL: with pgvector, without it, and when the connection breaks."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import numpy as np
import psycopg
import pytest
from sqlalchemy import create_engine, text

from inkling import FewShotClassifier
from inkling.errors import MemoryFileError
from inkling.memory.backup import copy_memory
from inkling.memory.following import Followed
from inkling.memory.nearest import NearestExemplars, index_exemplars, search_report
from inkling.memory.opened import changing
from inkling.memory.server import ServerPlace
from inkling.memory.state import read_state
from inkling.memory.store import read_memory
from inkling.memory.verify import verify
from inkling.review.decisions import Decisions
from tests.memory.server import new_database, running, with_pgvector

NUMBERS = count()
N, CLASSES, DIMS, SMALL = 240, 6, 32, 50


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server that has pgvector, for all tests of this file."""
    programs = with_pgvector()
    made = tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True)
    with made as folder, running(Path(folder), programs) as url:
        yield url


@pytest.fixture(scope="module")
def X() -> np.ndarray:
    rng = np.random.default_rng(0)
    drawn = rng.standard_normal((CLASSES, DIMS))[np.arange(N) % CLASSES] + rng.standard_normal((N, DIMS))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def written(X: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("memory") / "a.ink"
    FewShotClassifier(head="prototype").fit_embeddings(X, [f"class {k % CLASSES}" for k in range(N)]).save(path)
    return path


@pytest.fixture
def bare(server: str, written: Path) -> str:
    """The memory in a database without the extension."""
    url = new_database(server, f"search{next(NUMBERS)}")
    copy_memory(written, url)
    return url


@pytest.fixture
def memory(bare: str) -> str:
    """The memory in a database with the extension."""
    run(bare, "CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions")
    return bare


def run(url: str, statement: str) -> None:
    with create_engine(url.replace("postgresql:", "postgresql+psycopg:")).begin() as connection:
        connection.execute(text(statement))


def value(url: str, query: str) -> object:
    with create_engine(url.replace("postgresql:", "postgresql+psycopg:")).begin() as connection:
        return connection.execute(text(query)).scalar_one()


def paths(search: NearestExemplars, vector: np.ndarray, count: int = 10) -> list[str]:
    return [one.path for one in search.of(vector, count=count)]


def expected(X: np.ndarray, vector: np.ndarray, count: int = 10) -> list[str]:
    return [f"row {row}" for row in np.argsort(-(X.astype(np.float64) @ vector))[:count]]


def test_without_the_extension_search_is_exact_and_says_what_would_help(bare: str, X: np.ndarray) -> None:
    with closing(NearestExemplars(bare, exact=SMALL)) as search:
        assert paths(search, X[0]) == expected(X, X[0])
    assert "CREATE EXTENSION vector SCHEMA extensions" in str(search_report(bare, exact=SMALL))
    assert str(search_report(bare)) == "exact"


def test_an_index_is_made_and_each_write_keeps_it_in_agreement(memory: str, written: Path, X: np.ndarray) -> None:
    digest = read_state(written).digest
    with closing(NearestExemplars(memory, exact=SMALL)) as search:
        assert paths(search, X[0]) == expected(X, X[0])
        search.wait()
        shared = [len({*paths(search, x)} & {*expected(X, x)}) for x in X[::20]]
        assert np.mean(shared) >= 9.8
        told = search_report(memory, exact=SMALL)
        assert told.recall is not None
        assert told.recall >= 0.98
        assert read_state(memory).digest == digest, "what is derived is no part of the memory"
        Decisions(memory).remove_class("class 0")
        found = search.of(X[0], count=40)
        assert len(found) == 40
        assert "class 0" not in {one.class_name for one in found}
        assert value(memory, "SELECT count(*) FROM exemplar_search") == N - N // CLASSES
        Decisions(memory).undo()
        assert value(memory, "SELECT count(*) FROM exemplar_search") == N
        assert paths(search, X[0], 1) == ["row 0"]
    assert read_state(memory).digest == digest
    assert verify(memory).events == 3


def test_a_memory_with_an_index_goes_to_a_file_and_back(memory: str, server: str, tmp_path: Path) -> None:
    index_exemplars(memory)
    Decisions(memory).rename("class 1", "one")
    there = copy_memory(memory, tmp_path / "b.ink")
    back = copy_memory(tmp_path / "b.ink", new_database(server, f"search{next(NUMBERS)}"))
    assert there.digest == back.digest == read_state(memory).digest
    Decisions(tmp_path / "b.ink").undo()


def test_an_extension_that_is_dropped_takes_nothing_along_but_the_index(memory: str, X: np.ndarray) -> None:
    index_exemplars(memory)
    run(memory, "DROP EXTENSION vector CASCADE")
    Decisions(memory).rename("class 1", "one")
    with closing(NearestExemplars(memory, exact=SMALL)) as search:
        assert paths(search, X[0]) == expected(X, X[0])


def test_pgvector_in_the_way_of_a_new_memory_is_named(server: str, written: Path) -> None:
    url = new_database(server, f"search{next(NUMBERS)}")
    run(url, "CREATE EXTENSION vector")
    with pytest.raises(MemoryFileError, match="pgvector stands where") as caught:
        copy_memory(written, url)
    run(url, str(caught.value.remedy).removeprefix("Run there: "))
    copy_memory(written, url)
    assert index_exemplars(url) >= 0.98


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON exemplar_search EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "ALTER TABLE exemplar_search ADD COLUMN more integer DEFAULT 1",
        "CREATE RULE r AS ON INSERT TO exemplar_search DO ALSO DELETE FROM exemplar",
        "ALTER TABLE exemplar_search ADD CHECK (exemplar_id > 0)",
    ],
)
def test_what_was_added_to_its_table_is_refused(memory: str, statement: str) -> None:
    index_exemplars(memory)
    run(memory, statement.replace("AFTER INSERT", "BEFORE UPDATE").replace("EXECUTE", "FOR EACH ROW EXECUTE"))
    with pytest.raises(MemoryFileError, match="exemplar_search"):
        Decisions(memory).rename("class 1", "one")


def end_others(url: str) -> None:
    value(url, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")


def test_who_follows_goes_on_after_the_connection_broke(memory: str, X: np.ndarray) -> None:
    followed = Followed(memory)
    with closing(NearestExemplars(memory)) as search:
        before = followed.state(), paths(search, X[0])
        end_others(memory)
        assert (followed.state(), paths(search, X[0])) == before
    followed.close()


def test_a_write_whose_connection_breaks_changes_nothing(memory: str) -> None:
    state = read_state(memory)

    def write() -> None:
        with changing(memory) as connection:
            connection.execute(text("UPDATE class SET name = name || '!'"))
            end_others(memory)
            connection.execute(text("UPDATE class SET name = name || '?'"))

    with pytest.raises(MemoryFileError, match=r"Nothing was written to .*: the server says"):
        write()
    assert read_state(memory) == state


def test_a_read_whose_connection_breaks_says_so(memory: str) -> None:
    ending = threading.Thread(target=lambda: (time.sleep(0.3), end_others(memory)))

    def read() -> None:
        with ServerPlace(memory).explained(), ServerPlace(memory).reading() as connection:
            ending.start()
            connection.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(MemoryFileError, match="the server says"):
        read()
    ending.join()
    assert read_memory(memory).version == 1


@pytest.mark.parametrize("committed", [True, False])
def test_a_commit_whose_answer_is_lost_is_looked_up(
    memory: str, committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the connection before or after it commits; only it knows which."""
    plain = psycopg.Connection.commit

    def lost(connection: psycopg.Connection) -> None:
        if not connection.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL").fetchone()[0]:
            plain(connection)
            return
        if committed:
            plain(connection)
        connection.pgconn.finish()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    state = read_state(memory)
    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Connection, "commit", lost)
        if committed:
            Decisions(memory).rename("class 1", "one")
        else:
            with pytest.raises(MemoryFileError, match="Nothing was written to"):
                Decisions(memory).rename("class 1", "one")
    assert read_state(memory).version == state.version + committed
    assert (read_state(memory).digest != state.digest) == committed
