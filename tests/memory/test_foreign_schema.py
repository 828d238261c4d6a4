"""A memory from somebody else: what is not of the schema is refused by name, before it takes part in anything."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from inkling.errors import MemoryFileError
from inkling.memory.backup import backup, copy_memory
from inkling.memory.place import place_of
from inkling.memory.schema_check import foreign_parts
from inkling.memory.store import check_target, read_memory
from inkling.memory.summary import summarize
from inkling.memory.verify import verify
from inkling.review.decisions import Decisions
from inkling.serving.beginning import Beginning
from tests.memory.samples import assert_same, numbered, put
from tests.memory.server import new_database, running
from tests.review.conftest import fit_and_pool

TRIGGER = "CREATE TRIGGER evil AFTER INSERT ON event BEGIN DELETE FROM thumbnail; DELETE FROM vector; END"
PLANTED = {
    TRIGGER: "trigger 'evil' on table 'event'",
    "CREATE TABLE notes (text)": "table 'notes'",
    "CREATE VIEW peek AS SELECT * FROM exemplar": "view 'peek'",
    "CREATE UNIQUE INDEX narrow ON event (verb)": "index 'narrow' on table 'event'",
    "CREATE INDEX partial ON exemplar (id) WHERE view = 0": "index 'partial' on table 'exemplar'",
    "ALTER TABLE exemplar ADD COLUMN weight REAL DEFAULT 1": "definition of table 'exemplar'",
    "ALTER TABLE event ADD COLUMN loud TEXT AS (upper(verb))": "table 'event'",
    "CREATE VIRTUAL TABLE search USING fts5(words)": "table 'search'",
    "DROP INDEX ix_exemplar_class_id": "no index 'ix_exemplar_class_id'",
    "DROP TABLE link": "no table 'link'",
    "ALTER TABLE link RENAME TO links": "table 'links'",
}
REWORDED = {
    "a changed check": ("memory", "id = 1", "id < 9"),
    "a new check": ("event", "digest TEXT NOT NULL", "digest TEXT NOT NULL CHECK (verb <> 'undo')"),
    "a default": ("link", "kind TEXT NOT NULL", "kind TEXT DEFAULT 'cannot' NOT NULL"),
    "another collation": ("class", "name TEXT NOT NULL", "name TEXT COLLATE NOCASE NOT NULL"),
    "silent conflicts": ("class", "UNIQUE (name)", "UNIQUE (name) ON CONFLICT REPLACE"),
    "a cascade less": ("vector", "REFERENCES exemplar (id) ON DELETE CASCADE", "REFERENCES exemplar (id)"),
    "a quoted keyword": ("link", "kind TEXT NOT NULL", 'kind TEXT "NOT" "NULL"'),
}


def _change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


def _reword(path: Path, table: str, before: str, after: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        wording = str(database.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0])
        assert before in wording, wording
        database.execute("PRAGMA writable_schema = ON")
        changed = (wording.replace(before, after), table)
        database.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", changed)


def _assert_not_written(where: Path, name: str) -> None:
    """Every door that writes names it, and leaves the file as it is."""
    before = where.read_bytes()
    for door in (
        lambda: put(where, numbered(2)),
        lambda: Decisions(where).rename("van", "delivery van"),
        lambda: Decisions(where).undo(),
        lambda: backup(where, where.with_name("copy.ink")),
        lambda: verify(where),
    ):
        with pytest.raises(MemoryFileError) as told:
            door()
        assert name in str(told.value)
        assert where.read_bytes() == before
    assert not where.with_name("copy.ink").exists()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    put(tmp_path / "a.ink", numbered(1))
    return tmp_path / "a.ink"


@pytest.mark.parametrize("statement", PLANTED)
def test_what_was_planted_is_named_and_nothing_is_written(path: Path, statement: str) -> None:
    _change(path, statement)
    _assert_not_written(path, PLANTED[statement])


@pytest.mark.parametrize("how", REWORDED)
def test_a_reworded_table_is_named_and_nothing_is_written(path: Path, how: str) -> None:
    _reword(path, *REWORDED[how])
    _assert_not_written(path, f"definition of table '{REWORDED[how][0]}'")


def test_a_table_on_the_pages_of_another_is_named(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute(
            "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'alias') "
            "WHERE name = 'prompt'"
        )
    with pytest.raises(MemoryFileError, match="'prompt' on pages of another"):
        Decisions(path).rename("class 1.0", "something else")


def test_all_that_was_planted_is_named_at_once(path: Path) -> None:
    _change(path, TRIGGER)
    _change(path, "CREATE TABLE notes (text)")
    with pytest.raises(MemoryFileError, match=r"trigger 'evil' on table 'event', table 'notes'\. Nothing was written"):
        verify(path)


def test_a_planted_trigger_does_not_keep_from_reading(path: Path) -> None:
    _change(path, TRIGGER)
    assert_same(read_memory(path).content, numbered(1))


def test_a_view_in_the_place_of_a_table_is_not_read(path: Path) -> None:
    _change(path, "ALTER TABLE thumbnail RENAME TO hidden")
    _change(path, "CREATE VIEW thumbnail AS SELECT exemplar_id, x'00' AS jpeg FROM hidden")
    with pytest.raises(MemoryFileError, match="view 'thumbnail'"):
        read_memory(path)


def test_a_computed_column_in_the_place_of_a_stored_one_is_not_read(path: Path) -> None:
    _change(path, "DROP TABLE alias")
    _change(path, "CREATE TABLE alias (class_id INTEGER, position INTEGER, name TEXT AS ('planted'))")
    with pytest.raises(MemoryFileError, match="generated columns in table 'alias'"):
        read_memory(path)


def test_statistics_of_the_query_planner_are_no_fault(path: Path) -> None:
    _change(path, "ANALYZE")
    assert put(path, numbered(2)) == 2


def test_layout_and_order_of_a_definition_are_no_fault(path: Path) -> None:
    _reword(path, "link", "kind TEXT NOT NULL", '/* which */ "kind"   text not null')
    assert put(path, numbered(2)) == 2


@pytest.mark.parametrize("statement", [TRIGGER.replace("event", "class"), "CREATE TABLE pooled (id)"])
def test_an_older_memory_is_not_brought_forward_with_what_was_planted(old: Path, statement: str) -> None:
    _change(old, statement)
    before = old.read_bytes()
    for door in (lambda: put(old, numbered(2)), lambda: read_memory(old)):
        with pytest.raises(MemoryFileError, match="is not as Inkling makes it"):
            door()
    assert old.read_bytes() == before


def test_what_revisions_made_is_as_it_should_be(old: Path, later_release: None) -> None:
    put(old, numbered(2))
    with place_of(old).reading() as connection:
        assert foreign_parts(connection) == []
    put(old, numbered(3))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    pytest.importorskip("psycopg", reason="the driver is not installed: pip install 'inkling-vision[postgres]'")
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder, running(Path(folder)) as url:
        yield url


DELETES = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM thumbnail; RETURN NEW; END'; "
PLANTED_ON_SERVER = {
    f"{DELETES} CREATE TRIGGER evil AFTER INSERT ON event EXECUTE FUNCTION f()": "trigger 'evil' on table 'event'",
    "CREATE RULE evil AS ON INSERT TO event DO ALSO DELETE FROM thumbnail": "rule 'evil' on table 'event'",
    "ALTER TABLE exemplar ENABLE ROW LEVEL SECURITY": "row security on table 'exemplar'",
    "CREATE TABLE more () INHERITS (exemplar)": "inheriting table 'more'",
    "CREATE TABLE notes (text text)": "table 'notes'",
    "CREATE VIEW peek AS SELECT * FROM exemplar": "view 'peek'",
    "CREATE MATERIALIZED VIEW kept AS SELECT * FROM exemplar": "materialized view 'kept'",
    "CREATE UNIQUE INDEX narrow ON event (id)": "changed indexes of table 'event'",
    "DROP INDEX ix_exemplar_class_id": "changed indexes of table 'exemplar'",
    "ALTER TABLE event ADD CHECK (verb <> 'undo')": "changed constraints of table 'event'",
    "ALTER TABLE class DROP CONSTRAINT uq_class_name": "changed constraints of table 'class'",
    "ALTER TABLE event ALTER COLUMN verb SET DEFAULT 'undo'": "changed column 'verb' of table 'event'",
    "ALTER TABLE event ADD COLUMN loud text GENERATED ALWAYS AS (upper(verb)) STORED": "changed column 'loud'",
    "ALTER TABLE exemplar DISABLE TRIGGER ALL": "switched-off trigger",
    "DROP TABLE link": "no table 'link'",
    "CREATE SCHEMA tester; CREATE TABLE tester.alias (LIKE alias)": "table 'alias' in the schema 'tester'",
}


@pytest.mark.slow
def test_what_was_planted_on_a_server_is_named_and_nothing_is_written(server: str, tmp_path: Path) -> None:
    first = new_database(server, "sound")
    fit_and_pool(first)
    Decisions(first).rename("van", "delivery van")
    for number, (statement, name) in enumerate(PLANTED_ON_SERVER.items()):
        url = new_database(server, f"planted{number}", like="sound")
        before = len(Decisions(url).history())
        # A function's body has semicolons of its own.
        head, _, tail = statement.partition("END'; ")
        for one in [f"{head}END'", tail] if tail else statement.split("; "):
            with create_engine(url.replace("postgresql:", "postgresql+psycopg:")).begin() as connection:
                connection.execute(text(one))
        for door in (
            lambda url=url: put(url, numbered(2)),
            lambda url=url: Decisions(url).undo(),
            lambda url=url: verify(url),
            lambda url=url: backup(url, tmp_path / "copy.ink"),
        ):
            with pytest.raises(MemoryFileError) as told:
                door()
            assert name in str(told.value)
        assert len(Decisions(url).history()) == before


@pytest.mark.slow
def test_a_view_in_the_place_of_a_table_is_not_read_from_a_server(server: str) -> None:
    url = new_database(server, "shadowed")
    put(url, numbered(1))
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE thumbnail RENAME TO hidden"))
        connection.execute(text("CREATE VIEW thumbnail AS SELECT exemplar_id, 'x'::bytea AS jpeg FROM hidden"))
    with pytest.raises(MemoryFileError, match="view 'thumbnail'"):
        read_memory(url)


STANDING = {
    "CREATE TABLE foo (a int)": "table 'foo'",
    "CREATE TABLE class (id int)": "table 'class'",
    "CREATE TABLE memory (note text)": "table 'memory'",
    "CREATE VIEW peek AS SELECT 1": "view 'peek'",
    "CREATE TABLE kept (id serial)": "table 'kept', sequence 'kept_id_seq'",
}
BESIDE = (
    "CREATE FUNCTION double(a int) RETURNS int LANGUAGE sql AS 'SELECT 2 * a'",
    "CREATE SCHEMA theirs",
    "CREATE TABLE theirs.class (a int)",
    "CREATE EXTENSION IF NOT EXISTS pg_stat_statements",
)
"""What stands in the way of no memory; the extension brings views."""


def _run(url: str, *statements: str) -> None:
    with create_engine(url.replace("postgresql:", "postgresql+psycopg:")).begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def _relations(url: str) -> list[str]:
    with create_engine(url.replace("postgresql:", "postgresql+psycopg:")).connect() as connection:
        query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
        return list(connection.scalars(text(query)))


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(STANDING)))
def test_a_database_that_holds_something_else_gets_no_memory(server: str, path: Path, number: int) -> None:
    statement, name = list(STANDING.items())[number]
    url = new_database(server, f"standing{number}")
    _run(url, statement)
    before = _relations(url)
    for door in (
        lambda: copy_memory(path, url),
        lambda: put(url, numbered(1)),
        lambda: check_target(url),
        lambda: Beginning(url),
    ):
        with pytest.raises(MemoryFileError, match=rf"is not empty: it has {name}\. Nothing was written") as told:
            door()
        assert "createdb" in str(told.value.remedy)
        assert _relations(url) == before


@pytest.mark.slow
def test_what_takes_no_part_in_a_memory_may_stand_in_its_database(server: str, path: Path) -> None:
    url = new_database(server, "beside")
    available = "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements'"
    with create_engine(url.replace("postgresql:", "postgresql+psycopg:")).connect() as connection:
        has_extension = bool(connection.scalar(text(available)))
    _run(url, *(one for one in BESIDE if has_extension or "EXTENSION" not in one))
    assert check_target(url) is None
    copy_memory(path, url)
    assert put(url, numbered(2)) == 2


def test_a_file_of_another_program_gets_no_memory(path: Path) -> None:
    other = path.with_name("other.db")
    _change(other, "CREATE TABLE foo (a int)")
    before = other.read_bytes()
    for door in (
        lambda: copy_memory(path, other),
        lambda: put(other, numbered(1)),
        lambda: check_target(other),
        lambda: Beginning(str(other)),
    ):
        with pytest.raises(MemoryFileError):
            door()
        assert other.read_bytes() == before


@pytest.mark.parametrize("statement", [one for one in PLANTED if one.startswith("CREATE") and "partial" not in one])
def test_what_does_not_belong_there_is_reported_where_a_memory_is_only_read(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    _change(path, statement)
    name = PLANTED[statement].partition(" on ")[0]
    for look in (read_memory, summarize):
        with pytest.warns(RuntimeWarning, match=f"never puts there: .*{name}"):
            look(path)
    assert [one.name for one in tmp_path.iterdir()] == ["a.ink"]


def test_a_memory_as_it_should_be_is_read_without_a_word(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    put(tmp_path / "a.ink", numbered(1))
    summarize(tmp_path / "a.ink")
    assert [str(one.message) for one in recwarn] == []
