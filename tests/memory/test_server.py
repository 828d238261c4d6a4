"""A PostgreSQL URL in place of the file name: the same memory, for more than one machine."""

from __future__ import annotations

import itertools
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from inkling.errors import InputError, MemoryFileError
from inkling.memory.backup import backup, copy_memory
from inkling.memory.classes import list_classes
from inkling.memory.content import MemoryContent
from inkling.memory.following import Followed
from inkling.memory.opened import seeing
from inkling.memory.read import read_content
from inkling.memory.store import check_target, read_memory, switch_encoder
from inkling.memory.verify import verify
from inkling.provenance import current_command
from inkling.review.decisions import Decisions
from tests.cli.program import Inkling
from tests.memory.samples import FORK, assert_same, assert_whole, numbered, put
from tests.memory.server import new_database, running
from tests.memory.test_store import in_other_space
from tests.review.conftest import VERBS, fit_and_pool

pytest.importorskip("psycopg", reason="the driver is not installed: pip install 'inkling-vision[postgres]'")
pytestmark = pytest.mark.slow
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server for all tests of this file."""
    # A socket's path may not be longer than about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder, running(Path(folder)) as url:
        yield url


@pytest.fixture
def inkling(tmp_path: Path) -> Inkling:
    """The program in an empty folder."""
    return Inkling(tmp_path, tmp_path / "cache")


@pytest.fixture
def url(server: str) -> str:
    """An empty database."""
    return new_database(server, f"memory{next(NUMBERS)}")


@pytest.fixture(scope="module")
def _sound(server: str) -> str:
    fit_and_pool(new_database(server, "sound"))
    return "sound"


@pytest.fixture
def pooled(server: str, _sound: str) -> str:
    """A database with a memory and proposals."""
    return new_database(server, f"memory{next(NUMBERS)}", like=_sound)


def _digest(where: str | Path) -> str:
    return Decisions(where).history()[-1].digest


def test_what_is_written_is_read(url: str) -> None:
    check_target(url)
    for version in (1, 2):
        assert put(url, numbered(version)) == version
        stored = read_memory(url)
        assert stored.version == version
        assert_same(stored.content, numbered(version))


def test_it_holds_what_a_file_would_hold(url: str, tmp_path: Path) -> None:
    for where in (url, tmp_path / "a.ink"):
        put(where, numbered(1))
        switch_encoder(where, in_other_space(numbered(1)), version=1)
    assert _digest(url) == _digest(tmp_path / "a.ink")
    assert verify(url) == verify(tmp_path / "a.ink")
    Decisions(url).undo()
    assert_same(read_memory(url).content, numbered(1))


@pytest.mark.parametrize("verb", VERBS)
def test_decisions_are_made_and_taken_back(pooled: str, verb: str) -> None:
    content, before = read_memory(pooled), verify(pooled)
    VERBS[verb](Decisions(pooled))
    assert len(verify(pooled).replayed) == len(before.replayed) + 1
    Decisions(pooled).undo()
    assert verify(pooled).replayed == before.replayed
    after = read_memory(pooled)
    assert after.version == content.version + 2
    assert_same(after.content, content.content)


def test_a_backup_is_a_file_that_goes_on(pooled: str, tmp_path: Path) -> None:
    first = Decisions(pooled).merge([1, 2]).outcome["proposal"]
    Decisions(pooled).undo()
    version = backup(pooled, tmp_path / "a.ink")
    assert version == read_memory(tmp_path / "a.ink").version == verify(tmp_path / "a.ink").version
    assert_same(read_memory(tmp_path / "a.ink").content, read_memory(pooled).content)
    assert Decisions(tmp_path / "a.ink").merge([1, 2]).outcome["proposal"] == first + 1


def test_a_memory_goes_to_a_server_and_back_with_all_that_it_remembers(url: str, server: str, tmp_path: Path) -> None:
    path, back = tmp_path / "a.ink", tmp_path / "b.ink"
    fit_and_pool(path)
    Decisions(path).merge([1, 2])
    Decisions(path).undo()  # the number that it gave is not given again
    start = [event.digest for event in Decisions(path).history()]
    merged = Decisions(path).merge([1, 2]).outcome["proposal"]
    there = copy_memory(path, url)
    again = copy_memory(url, new_database(server, f"memory{next(NUMBERS)}"))
    here = copy_memory(url, back)
    assert there == again == here
    assert verify(url) == verify(back) == verify(path)
    assert_same(read_memory(back).content, read_memory(path).content)
    for where in (path, url, back):
        Decisions(where).undo()
        assert _digest(where) == start[-1]
        assert Decisions(where).merge([1, 2]).outcome["proposal"] == merged + 1


def test_a_copy_replaces_no_memory_of_a_server(url: str, tmp_path: Path) -> None:
    put(tmp_path / "a.ink", numbered(1))
    put(url, numbered(2))
    with pytest.raises(MemoryFileError, match="A copy replaces nothing"):
        copy_memory(tmp_path / "a.ink", url)
    assert_same(read_memory(url).content, numbered(2))


def test_a_memory_of_a_server_that_is_not_as_its_log_says_is_neither_copied_nor_backed_up(
    url: str, tmp_path: Path
) -> None:
    put(url, numbered(1))
    with create_engine(url.replace("postgresql:", "postgresql+psycopg:")).begin() as connection:
        connection.execute(text("UPDATE class SET name = 'planted' WHERE id = 1"))
    for door in (copy_memory, backup):
        with pytest.raises(MemoryFileError, match="does not hold what its log says"):
            door(url, tmp_path / "a.ink")
        assert list(tmp_path.iterdir()) == []


def test_a_copy_that_is_killed_leaves_an_empty_database(url: str, tmp_path: Path) -> None:
    put(tmp_path / "a.ink", numbered(1, images=10_000, dimension=64))
    child = FORK.Process(target=copy_memory, args=(tmp_path / "a.ink", url))
    child.start()
    time.sleep(0.3)
    child.kill()
    child.join()
    assert child.exitcode != 0
    assert check_target(url) is None
    assert copy_memory(tmp_path / "a.ink", url).version == 1


def _write(url: str, number: int) -> None:
    put(url, numbered(number))


def _accept(url: str, number: int) -> None:
    with suppress(InputError):
        Decisions(url).accept(1, f"name {number}")


def _together(function: object, url: str) -> None:
    children = [FORK.Process(target=function, args=(url, number)) for number in range(1, 5)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0


def test_writers_take_turns(url: str) -> None:
    _together(_write, url)
    stored = read_memory(url)
    assert stored.version == 4
    assert_whole(stored)
    assert [event.version for event in Decisions(url).history()] == [1, 2, 3, 4]


def test_one_proposal_is_accepted_once(pooled: str) -> None:
    version = read_memory(pooled).version
    _together(_accept, pooled)
    assert read_memory(pooled).version == version + 1
    assert len(list_classes(pooled)) == 4
    verify(pooled)


def test_some_exemplars_of_each_class_are_those_that_a_file_gives(url: str, tmp_path: Path) -> None:
    content, found = numbered(1, images=12), []
    for place in (url, tmp_path / "a.ink"):
        put(place, content)
        with seeing(place) as connection:
            found.append(read_content(connection, per_class=2).content)
    assert [one.view for one in found[0].exemplars] == [0, 1, 2, 3, 4, 5]
    assert found[0].exemplars == found[1].exemplars
    np.testing.assert_array_equal(found[0].vectors, found[1].vectors)


def test_a_reader_sees_one_version(url: str) -> None:
    put(url, numbered(1))
    with seeing(url) as connection:
        before: MemoryContent = read_content(connection).content
        put(url, numbered(2))
        again = read_content(connection).content
    np.testing.assert_array_equal(again.vectors, before.vectors)
    assert_same(again, numbered(1))


def _write_for_ever(url: str) -> None:
    for number in itertools.count(read_memory(url).version + 1):
        put(url, numbered(number))


def test_a_writer_that_is_killed_leaves_the_old_version_or_the_new(url: str) -> None:
    put(url, numbered(1))
    began = time.perf_counter()
    put(url, numbered(2))
    once = time.perf_counter() - began
    versions = []
    for _ in range(15):
        child = FORK.Process(target=_write_for_ever, args=(url,))
        child.start()
        child.join(random.uniform(0.0, 4 * once))
        child.kill()
        child.join()
        stored = read_memory(url)
        assert_whole(stored)
        versions.append(stored.version)
    assert versions == sorted(versions)
    assert len(set(versions)) > 2, "no write ever came to its end, so nothing was tested"


def test_the_program_takes_a_url(pooled: str, inkling: Inkling) -> None:
    assert (
        inkling.here("accept", pooled, 1, "--first-name").out
        == "Proposal 1 is now the class 'bench': 6 images, no text vector.\n"
    )
    assert "bench" in inkling.here("info", pooled).out
    assert inkling.here("backup", pooled, "b.ink").code == 0
    assert inkling.here("classes", "b.ink").out == inkling.here("classes", pooled).out
    assert inkling.here("undo", pooled).code == 0


def test_what_is_not_there_is_reported(url: str, server: str) -> None:
    with pytest.raises(MemoryFileError, match="There is no memory at postgresql"):
        read_memory(url)
    with pytest.raises(MemoryFileError, match="the server says"):
        read_memory(server.format(database="nowhere"))
    with pytest.raises(MemoryFileError, match="no URL of a database"):
        read_memory("postgresql:/nowhere")


def test_a_service_that_would_begin_a_memory_says_that_the_server_is_not_there(inkling: Inkling) -> None:
    inkling.here("serve", "postgresql://me@127.0.0.1:1/nowhere", "--new", "sketch").refused("the server says")


def test_no_password_is_shown_or_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://me:s3cret@127.0.0.1:1/nowhere"
    with pytest.raises(MemoryFileError) as told:
        read_memory(url)
    assert "s3cret" not in str(told.value)
    monkeypatch.setattr("sys.argv", ["inkling", "fit", "photos", "--memory", url])
    assert current_command() == "inkling fit photos --memory 'postgresql://me:***@127.0.0.1:1/nowhere'"


def test_it_is_followed(pooled: str) -> None:
    followed = Followed(pooled)
    before = followed.state()
    assert followed.state() == before
    event = Decisions(pooled).discard(1)
    assert followed.state() == (event.version,)
    followed.close()
    assert followed.state() == (event.version,)
    followed.close()


def test_whoever_waits_hears_of_a_change_at_once(pooled: str) -> None:
    followed = Followed(pooled)
    followed.wait(0.01)  # by now it listens
    deciding = threading.Timer(0.5, Decisions(pooled).discard, [1])
    deciding.start()
    begun = time.monotonic()
    followed.wait(30)
    waited = time.monotonic() - begun
    deciding.join()
    followed.close()
    assert waited < 20


def test_a_connection_that_breaks_while_waiting_is_reported_and_made_anew(pooled: str) -> None:
    followed = Followed(pooled)
    followed.wait(0.01)
    disconnect(pooled)
    with pytest.raises(MemoryFileError, match="the server says"):
        followed.wait(30)
    followed.wait(0.01)
    followed.close()


def disconnect(url: str) -> None:
    """End all connections to a database, as a server that is restarted does."""
    admin = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    with admin.connect() as connection:
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
