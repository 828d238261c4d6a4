"""Writing and reading: everything comes back, versions count on, one file remains."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inkling.errors import InputError, MemoryFileError
from inkling.memory.content import MemoryContent
from inkling.memory.opened import seeing
from inkling.memory.read import read_content
from inkling.memory.schema import APPLICATION_ID
from inkling.memory.store import read_memory, switch_encoder
from inkling.memory.undo import undo
from inkling.memory.verify import verify
from inkling.types import ClassEntry, Exemplar, HeadState
from tests.memory.samples import assert_same, identity, names_in, numbered, put

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=5,
)
FLOAT32 = st.floats(width=32, allow_nan=False)


@st.composite
def contents(draw: st.DrawFn) -> MemoryContent:
    """Any content that agrees with itself, down to classes without text or image."""
    encoder = identity(dimension=draw(st.integers(1, 4)), feature_dimension=draw(st.integers(0, 3)))
    text_vectors = st.lists(FLOAT32, min_size=encoder.dimension, max_size=encoder.dimension)
    names = draw(st.lists(ANY_TEXT, unique=True, min_size=1, max_size=4))
    texts = st.lists(ANY_TEXT, max_size=2).map(tuple)
    exemplar = st.builds(
        Exemplar,
        path=ANY_TEXT,
        content_hash=st.text("0123456789abcdef", max_size=4),
        class_name=st.sampled_from(names),
        view=st.integers(0, 3),
        thumbnail=st.none() | st.binary(max_size=4),
    )
    exemplars = draw(st.lists(exemplar, max_size=5))
    width = encoder.dimension + encoder.feature_dimension
    numbers = draw(st.lists(FLOAT32, min_size=len(exemplars) * width, max_size=len(exemplars) * width))
    return replace(
        numbered(draw(st.integers(-(2**63), 2**63 - 1))),
        encoder=encoder,
        classes=tuple(
            ClassEntry(name, draw(texts), draw(texts), _vector(draw(st.none() | text_vectors))) for name in names
        ),
        exemplars=tuple(exemplars),
        vectors=np.array(numbers, np.float32).reshape(len(exemplars), width),
        head=HeadState("gda", draw(st.dictionaries(ANY_TEXT, JSON, max_size=3)), {"w": np.array(numbers)}),
        calibration=draw(st.dictionaries(ANY_TEXT, JSON, max_size=3)),
        training=draw(st.dictionaries(ANY_TEXT, JSON, max_size=3)),
    )


def _vector(numbers: list[float] | None) -> np.ndarray | None:
    return None if numbers is None else np.array(numbers, np.float32)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=contents(), second=contents())
def test_whatever_is_written_is_read(
    first: MemoryContent, second: MemoryContent, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("memory") / "any.ink"
    for version, content in enumerate((first, second), start=1):
        assert put(path, content) == version
        stored = read_memory(path)
        assert stored.version == version
        assert_same(stored.content, content)
    assert names_in(path.parent) == ["any.ink"]


def test_one_file_remains_and_may_be_copied(tmp_path: Path) -> None:
    for number in (1, 2):
        put(tmp_path / "a.ink", numbered(number))
    assert names_in(tmp_path) == ["a.ink"]
    (tmp_path / "copy.ink").write_bytes((tmp_path / "a.ink").read_bytes())
    stored = read_memory(tmp_path / "copy.ink")
    assert stored.version == 2
    assert_same(stored.content, numbered(2))


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert path.read_bytes()[68:72] == b"Inkl"


def _class_ids(path: Path) -> dict[str, int]:
    with sqlite3.connect(path) as database:
        return dict(database.execute("SELECT name, id FROM class").fetchall())


def test_classes_keep_their_numbers_and_numbers_are_never_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    content = replace(numbered(1), exemplars=(), vectors=np.zeros((0, 4), np.float32))

    def ids_after(*names: str) -> dict[str, int]:
        put(path, replace(content, classes=tuple(ClassEntry(name) for name in names)))
        return _class_ids(path)

    first = ids_after("ant", "bee", "cat")
    second = ids_after("cat", "dog", "ant")
    third = ids_after("ant", "bee", "cat")
    assert (second["cat"], second["ant"]) == (first["cat"], first["ant"])
    assert second["dog"] not in first.values()
    assert third["bee"] not in {*first.values(), *second.values()}
    assert [entry.name for entry in read_memory(path).content.classes] == ["ant", "bee", "cat"]


def test_numbers_of_exemplars_are_never_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"

    def ids() -> set[int]:
        with sqlite3.connect(path) as database:
            return {number for (number,) in database.execute("SELECT id FROM exemplar")}

    put(path, numbered(1))
    first = ids()
    put(path, numbered(2))
    assert not first & ids()


def test_each_version_has_its_provenance(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    for number in (7, 8, 9):
        put(path, numbered(number))
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT version, seed FROM provenance ORDER BY version").fetchall()
    assert rows == [(1, 7), (2, 8), (3, 9)]


def test_fitting_anew_with_another_encoder_leaves_nothing_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    other = replace(numbered(2, dimension=5), encoder=identity(dimension=5, fingerprint="beef"))
    put(path, other)
    assert_same(read_memory(path).content, other)
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT fingerprint FROM space").fetchall() == [("beef",)]


def test_what_is_taken_out_does_not_stay_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    secret = b"a face that wants to be forgotten"
    content = numbered(1, images=2000)
    put(
        path,
        replace(content, exemplars=(replace(content.exemplars[0], thumbnail=secret), *content.exemplars[1:])),
    )
    before = path.stat().st_size
    assert secret in path.read_bytes()
    put(path, numbered(2))
    assert path.stat().st_size < before
    assert secret not in path.read_bytes()


def test_content_that_contradicts_itself_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        put(tmp_path / "a.ink", replace(numbered(1), calibration={"t": float("nan")}))
    assert names_in(tmp_path) == []


def test_a_failed_write_leaves_the_old_version(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    with pytest.raises(InputError):
        put(path, replace(numbered(2), calibration={"t": float("nan")}))
    assert_same(read_memory(path).content, numbered(1))
    assert names_in(tmp_path) == ["a.ink"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    link = tmp_path / "link.ink"
    link.symlink_to(tmp_path / "disk" / "a.ink")
    assert [put(link, numbered(number)) for number in (1, 2)] == [1, 2]
    assert link.is_symlink()
    assert read_memory(link).version == 2


@pytest.mark.parametrize("name", ["a b%20#?.ink", "ünï-漢字.ink", "x" * 200 + ".ink", os.fsdecode(b"caf\xe9.ink")])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    assert [put(tmp_path / name, numbered(number)) for number in (1, 2)] == [1, 2]
    assert read_memory(tmp_path / name).version == 2
    assert names_in(tmp_path) == [name]


def test_a_current_memory_is_written_and_read_without_alembic(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from inkling.memory.store import read_memory\n"
        "from tests.memory.samples import numbered, put\n"
        "for number in (1, 2): put(sys.argv[1], numbered(number))\n"
        "assert read_memory(sys.argv[1]).version == 2\n"
        "assert 'alembic' not in sys.modules\n"
        "assert 'torch' not in sys.modules\n"
    )
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)])}
    subprocess.run([sys.executable, "-c", code, tmp_path / "a.ink"], check=True, env=environment)


def in_other_space(content: MemoryContent, **changes: object) -> MemoryContent:
    """What another encoder makes of the same classes and images."""
    return replace(
        content,
        encoder=identity(dimension=3, fingerprint="cafe"),
        classes=tuple(replace(one, text_vector=np.ones(3, np.float32)) for one in content.classes),
        vectors=np.full((len(content.exemplars), 3), 5, np.float32),
        **changes,
    )


def test_another_encoder_s_vectors_are_written_beside_the_old_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    other = in_other_space(numbered(1))
    assert switch_encoder(path, other, version=1) == 2
    assert_same(read_memory(path).content, other)
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT exemplar_id, count(*) FROM vector GROUP BY exemplar_id").fetchall()
        assert rows == [(number, 2) for number in range(1, 7)]
        assert database.execute("SELECT count(*) FROM head").fetchone() == (2,)


def test_the_switch_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    known = numbered(1)
    more = replace(known, exemplars=(*known.exemplars, Exemplar("new.jpg", "beef", known.classes[0].name)))
    switch_encoder(path, in_other_space(more), version=1)
    assert verify(path).replayed == (2,)
    assert undo(path).version == 3
    assert_same(read_memory(path).content, known)
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM space").fetchone() == (1,)
        assert database.execute("SELECT count(*) FROM vector").fetchone() == (6,)
    assert switch_encoder(path, in_other_space(more), version=3) == 4


def test_a_switch_over_a_space_that_is_there_already_is_not_taken_back(tmp_path: Path) -> None:
    """Its vectors are replaced; to keep the old ones would be to copy the memory."""
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    switch_encoder(path, in_other_space(numbered(1)), version=1)
    switch_encoder(path, numbered(1), version=2)
    verify(path)
    with pytest.raises(InputError, match="nothing to undo"):
        undo(path)


def test_a_switch_to_the_encoder_in_use_is_another_fit(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    assert switch_encoder(path, numbered(2), version=1) == 2
    assert_same(read_memory(path).content, numbered(2))
    verify(path)


def test_images_that_are_new_with_the_other_encoder_join(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    known = numbered(1)
    more = replace(known, exemplars=(*known.exemplars, Exemplar("new.jpg", "beef", known.classes[0].name)))
    switch_encoder(path, in_other_space(more), version=1)
    assert read_memory(path).content.exemplars == more.exemplars
    put(path, numbered(2))
    assert_same(read_memory(path).content, numbered(2))


def test_equal_exemplars_all_keep_their_vectors(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    content = numbered(1)
    twice = replace(content, exemplars=content.exemplars[:1] * 2, vectors=np.array([[1] * 4, [2] * 4], np.float32))
    put(path, twice)
    switch_encoder(path, in_other_space(twice), version=1)
    assert len(read_memory(path).content.exemplars) == 2
    put(path, twice)
    assert_same(read_memory(path).content, twice)


def test_a_switch_loses_nothing_that_was_written_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    put(path, numbered(2))
    with pytest.raises(MemoryFileError, match="changed meanwhile: it has version 2, and this began with 1"):
        switch_encoder(path, in_other_space(numbered(1)), version=1)
    assert_same(read_memory(path).content, numbered(2))


def test_some_exemplars_of_each_class_are_read_with_their_vectors(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    content = numbered(1, images=12)
    vectors = np.arange(48, dtype=np.float32).reshape(12, 4)
    put(path, replace(content, vectors=vectors))
    with seeing(path) as connection:
        some = read_content(connection, per_class=2).content
    assert [one.view for one in some.exemplars] == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(some.vectors, vectors[:6])
    assert [one.name for one in some.classes] == [one.name for one in content.classes]
