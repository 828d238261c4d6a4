"""The nearest exemplars of a memory file: exact, by an index, and whatever becomes of the index."""

from __future__ import annotations

import errno
import json
import sqlite3
import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from inkling import FewShotClassifier
from inkling.memory import file_index
from inkling.memory.file_index import FileIndexes
from inkling.memory.nearest import NearestExemplars, index_exemplars, search_report
from inkling.review.decisions import Decisions

if find_spec("usearch") is None:  # to import it here could be before onnxruntime
    pytest.skip("usearch is not installed: pip install 'inkling-vision[scale]'", allow_module_level=True)

N, CLASSES, DIMS = 360, 6, 32
SMALL = 50
"""Exemplars up to which these searches are exact."""


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that add at once make another index each time, which may lack one of ten."""
    built = FileIndexes._built
    monkeypatch.setattr(FileIndexes, "_built", lambda self, _: built(self, 1))


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors in clusters, and their classes."""
    rng = np.random.default_rng(0)
    y = np.arange(N) % CLASSES
    X = rng.standard_normal((CLASSES, DIMS))[y] + rng.standard_normal((N, DIMS))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32), y


@pytest.fixture(scope="module")
def written(drawn: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    X, y = drawn
    path = tmp_path_factory.mktemp("memory") / "a.ink"
    FewShotClassifier(head="prototype").fit_embeddings(X, [f"class {one}" for one in y]).save(path)
    return path


@pytest.fixture
def memory(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy for one test, and a cache folder of its own."""
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "a.ink"
    path.write_bytes(written.read_bytes())
    return path


def paths(search: NearestExemplars, vector: np.ndarray, count: int = 10) -> list[str]:
    return [one.path for one in search.of(vector, count=count)]


def expected(X: np.ndarray, vector: np.ndarray, count: int = 10) -> list[str]:
    return [f"row {row}" for row in np.argsort(-(X.astype(np.float64) @ vector))[:count]]


def index_file(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "cache").rglob("*.usearch")
    return found


def test_a_search_without_an_index_compares_with_all(memory: Path, drawn: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = drawn
    with closing(NearestExemplars(memory)) as search:
        for row in range(0, N, 60):
            found = search.of(X[row], count=10)
            assert [one.path for one in found] == expected(X, X[row])
            assert found[0].similarity == pytest.approx(1, abs=1e-6)
            assert found[0].class_name == f"class {y[row]}"
    assert str(search_report(memory)) == "exact"


def test_an_index_is_made_in_the_background_and_finds_nearly_the_same(
    memory: Path, drawn: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    X, _ = drawn
    assert search_report(memory, exact=SMALL).note == "a service makes an index when first asked"
    with closing(NearestExemplars(memory, exact=SMALL)) as search:
        assert paths(search, X[0]) == expected(X, X[0])  # exact, while it is being made
        search.wait()
        shared = [len({*paths(search, x)} & {*expected(X, x)}) for x in X[::20]]
        assert np.mean(shared) >= 9.8
        assert index_file(tmp_path).is_file()
    told = search_report(memory, exact=SMALL)
    assert told.recall is not None
    assert told.recall >= 0.98
    assert "approximate" in str(told)


def test_what_comes_and_goes_after_the_index_was_made_is_seen(
    memory: Path, drawn: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    X, _ = drawn
    index_exemplars(memory)
    made = index_file(tmp_path).read_bytes()
    with closing(NearestExemplars(memory, exact=SMALL)) as search:
        assert paths(search, X[0]) == expected(X, X[0])
        Decisions(memory).remove_class("class 0")
        found = search.of(X[0], count=100)
        assert len(found) == 100
        assert "class 0" not in {one.class_name for one in found}
        Decisions(memory).undo()
        Decisions(memory).rename("class 0", "zero")
        first = search.of(X[0], count=1)[0]
        assert (first.path, first.class_name) == ("row 0", "zero")
    assert index_file(tmp_path).read_bytes() == made, "nothing of this needs another index"


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "gone", "manifest", "manifest of another kind"])
def test_a_damaged_index_is_made_anew(
    damage: str, memory: Path, drawn: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    X, _ = drawn
    index_exemplars(memory)
    file = index_file(tmp_path)
    manifest = file.parent / "manifest.json"
    content = file.read_bytes()
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        file.write_bytes(content[:5000] + bytes([content[5000] ^ 255]) + content[5001:])
    elif damage == "foreign":
        file.write_bytes(b"not an index" * 100)
    elif damage == "gone":
        file.unlink()
    elif damage == "manifest":
        manifest.write_text("{")
    else:
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "file": 3}))
    with closing(NearestExemplars(memory, exact=SMALL)) as search:
        assert paths(search, X[0]) == expected(X, X[0])
        search.wait()
        assert paths(search, X[0]) == expected(X, X[0])
    assert json.loads(manifest.read_text())["file"] == index_file(tmp_path).name


def test_an_index_of_another_memory_at_the_same_place_is_not_used(
    memory: Path, drawn: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    X, y = drawn
    with closing(NearestExemplars(memory, exact=SMALL)) as search:
        index_exemplars(memory)
        assert paths(search, X[0], 1) == ["row 0"]
        memory.unlink()
        FewShotClassifier(head="prototype").fit_embeddings(X[::-1], [f"class {one}" for one in y[::-1]]).save(memory)
        assert search_report(memory, exact=SMALL).recall is None
        assert paths(search, X[0], 1) == [f"row {N - 1}"]
        search.wait()
        assert paths(search, X[0], 1) == [f"row {N - 1}"]


def test_a_full_disk_costs_only_the_keeping(
    memory: Path,
    drawn: tuple[np.ndarray, np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    X, _ = drawn

    def full(file: Path) -> object:
        raise OSError(errno.ENOSPC, "No space left on device", str(file))

    monkeypatch.setattr(file_index, "appearing_whole", full)
    with closing(NearestExemplars(memory, exact=SMALL)) as search:
        assert paths(search, X[0]) == expected(X, X[0])
        search.wait()
        assert "No space left" in caplog.text
        assert len({*paths(search, X[0])} & {*expected(X, X[0])}) >= 9
    assert not list((tmp_path / "cache").rglob("*.usearch"))


def test_two_that_make_it_at_once_leave_one_that_is_whole(
    memory: Path, tmp_path: Path, drawn: tuple[np.ndarray, np.ndarray]
) -> None:
    X, _ = drawn
    searches = [NearestExemplars(memory, exact=SMALL) for _ in range(3)]
    for search in searches:
        search.of(X[0], count=1)
    for search in searches:
        search.wait()
        assert paths(search, X[0]) == expected(X, X[0])
        search.close()
    assert index_file(tmp_path).is_file()


def test_without_the_library_search_stays_exact_and_says_so(
    memory: Path, drawn: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    X, _ = drawn
    monkeypatch.setitem(sys.modules, "usearch", None)
    with closing(NearestExemplars(memory, exact=SMALL)) as search:
        assert paths(search, X[3]) == expected(X, X[3])
    assert "pip install 'inkling-vision[scale]'" in str(search_report(memory, exact=SMALL))


def test_many_copies_of_one_picture_do_not_hide_the_others(memory: Path, drawn: tuple[np.ndarray, np.ndarray]) -> None:
    X, _ = drawn
    with sqlite3.connect(memory) as database:
        database.execute("UPDATE exemplar SET content_hash = 'same' WHERE id % 3 > 0")
    with closing(NearestExemplars(memory)) as search:
        found = search.of(X[0], count=30)
    assert len(found) == len({one.content_hash for one in found}) == 30
    alike = [one.similarity for one in found]
    assert alike == sorted(alike, reverse=True)


def test_the_manifest_is_replaced_whole(memory: Path, tmp_path: Path) -> None:
    index_exemplars(memory)
    first = index_file(tmp_path)
    index_exemplars(memory)
    assert index_file(tmp_path) != first, "the one before goes"
