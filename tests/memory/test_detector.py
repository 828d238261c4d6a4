"""A detector's arrays come back as they were, though those that are the exemplars' vectors are kept once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from inkling import FewShotClassifier
from inkling.errors import InputError
from inkling.memory import schema
from inkling.memory.content import DetectorState, MemoryContent
from inkling.memory.opened import changing
from inkling.memory.read import read_content
from inkling.memory.store import read_memory, write_memory
from inkling.memory.verify import verify
from inkling.review.decisions import Decisions
from tests.heads.samples import draw_task
from tests.memory.samples import numbered, put


def _with(content: MemoryContent, **arrays: np.ndarray) -> MemoryContent:
    return replace(content, detector=DetectorState("unknown", {"k": 3}, arrays, {}))


def _stored(path: Path) -> tuple[int, str]:
    """Bytes of the detector's arrays, and its parameters."""
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT length(arrays), params FROM detector").fetchone()


def _vectors(*, images: int = 50, dimension: int = 64) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(images, dimension)).astype(np.float32)


def test_vectors_of_the_exemplars_are_kept_once(tmp_path: Path) -> None:
    path, X = tmp_path / "a.ink", _vectors()
    content = replace(numbered(1, images=50, dimension=64), vectors=X)
    put(path, _with(content, images=X, other=X + 1, none=np.zeros((0, 64), np.float32)))
    for exemplars in (True, False):
        detector = read_memory(path, exemplars=exemplars).content.detector
        assert detector is not None
        assert detector.params == {"k": 3}
        np.testing.assert_array_equal(detector.arrays["images"], X)
        np.testing.assert_array_equal(detector.arrays["other"], X + 1)
        assert detector.arrays["none"].shape == (0, 64)
    assert 0.5 * X.nbytes < _stored(path)[0] < 1.1 * X.nbytes  # packed, and one of the two
    assert verify(path)


@pytest.mark.parametrize("array", [np.zeros((3, 2)), _vectors().astype(np.float64), _vectors()[:49], _vectors()[::-1]])
def test_other_arrays_stay_with_it(tmp_path: Path, array: np.ndarray) -> None:
    path = tmp_path / "a.ink"
    put(path, _with(replace(numbered(1, images=50, dimension=64), vectors=_vectors()), images=array))
    assert "of exemplars" not in _stored(path)[1]
    detector = read_memory(path).content.detector
    assert detector is not None
    assert detector.arrays["images"].dtype == array.dtype
    np.testing.assert_array_equal(detector.arrays["images"], array)


def test_they_are_left_out_while_the_exemplars_are_others(tmp_path: Path) -> None:
    path, X = tmp_path / "a.ink", _vectors()
    put(path, _with(replace(numbered(1, images=50, dimension=64), vectors=X), images=X))
    with changing(path) as connection:
        connection.exec_driver_sql("UPDATE vector SET data = zeroblob(256) WHERE exemplar_id = 3")
        detector = read_content(connection).content.detector
        assert detector is not None
        assert set(detector.arrays) == set()
        connection.execute(update(schema.vector).where(schema.vector.c.exemplar_id == 3).values(data=X[2].tobytes()))
    detector = read_memory(path).content.detector
    assert detector is not None
    np.testing.assert_array_equal(detector.arrays["images"], X)


def _fitted(path: Path) -> tuple[FewShotClassifier, np.ndarray]:
    task = draw_task(n_classes=4, shots=12, text_noise=None)
    X = task.X.astype(np.float32)
    classifier = FewShotClassifier(cache=False).fit_embeddings(X, [f"class {k}" for k in task.y])
    classifier.save(path)
    return classifier, task.test_X.astype(np.float32)


def _p_known(classifier: FewShotClassifier, X: np.ndarray) -> np.ndarray:
    assert classifier.fitted.detector is not None
    return classifier.fitted.detector.p_known(X)


def test_what_is_loaded_tells_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    classifier, X = _fitted(path)
    assert "of exemplars" in _stored(path)[1]
    np.testing.assert_array_equal(_p_known(FewShotClassifier.load(path), X), _p_known(classifier, X))


def test_after_decisions_it_is_the_same_again(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    classifier, X = _fitted(path)
    decide = Decisions(path)
    decide.remove_class("class 1")
    assert "of exemplars" in _stored(path)[1]
    fewer = _p_known(FewShotClassifier.load(path), X)
    assert not np.array_equal(fewer, _p_known(classifier, X))
    kept = read_memory(path).content
    write_memory(tmp_path / "b.ink", kept)
    np.testing.assert_array_equal(_p_known(FewShotClassifier.load(tmp_path / "b.ink"), X), fewer)
    decide.undo()
    np.testing.assert_array_equal(_p_known(FewShotClassifier.load(path), X), _p_known(classifier, X))


def test_images_of_another_memory_are_not_taken_for_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    _, X = _fitted(path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE vector SET data = zeroblob(length(data)) WHERE exemplar_id = 2")
    with pytest.raises(InputError, match="lacks the images that it was fitted on"):
        _p_known(FewShotClassifier.load(path), X)
