"""Vectors from elsewhere are read as they are meant, or refused with a reason."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inkling.embeddings.precomputed import DEFAULT_LOGIT_SCALE, read_precomputed
from inkling.errors import InputError
from tests.fakes import FakeEncoder

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def saved(folder: Path, **arrays: Any) -> Path:
    path = folder / "vectors.npz"
    np.savez(path, **arrays)
    return path


def test_all_keys(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        embeddings=X,
        features=X[:, :2],
        labels=np.array([1, 0, 1, 1]),
        class_names=np.array(["bus", "car"]),
        paths=np.array(["a", "b", "c", "d"]),
        text_vectors=np.array([[0, 0, 2.0], [0, 0, 0]]),
        logit_scale=50.0,
        encoder="somebody's/clip",
    )
    read = read_precomputed(path)
    assert read.labels == ("car", "bus", "car", "car")
    assert read.class_names == ("bus", "car")
    assert read.paths == ("a", "b", "c", "d")
    assert np.allclose(np.linalg.norm(read.embeddings, axis=1), 1, atol=1e-6)
    assert np.allclose(read.embeddings * np.linalg.norm(X, axis=1, keepdims=True), X, atol=1e-6)
    assert np.array_equal(read.features, X[:, :2])
    assert read.text_vectors is not None
    assert read.text_vectors.tolist() == [[0, 0, 1], [0, 0, 0]]
    assert (read.identity.name, read.identity.logit_scale) == ("somebody's/clip", 50.0)
    assert (read.identity.dimension, read.identity.feature_dimension) == (3, 2)


def test_short_keys_and_defaults(tmp_path: Path) -> None:
    read = read_precomputed(saved(tmp_path, x=X.astype(np.float16), y=np.array(["b", "a", "b", "b"])))
    assert read.labels == ("b", "a", "b", "b")
    assert read.class_names == ("a", "b")
    assert read.paths == ("row 0", "row 1", "row 2", "row 3")
    assert len(set(read.content_hashes)) == len(np.unique(X, axis=0))
    assert set(read.content_hashes).isdisjoint(read.paths)
    assert read.embeddings.dtype == np.float32
    assert read.features is None
    assert read.text_vectors is None
    assert read.identity.logit_scale == DEFAULT_LOGIT_SCALE


def test_without_labels(tmp_path: Path) -> None:
    read = read_precomputed(saved(tmp_path, x=X))
    assert read.labels is None
    assert read.class_names == ()


def test_integers_without_names_name_themselves(tmp_path: Path) -> None:
    assert read_precomputed(saved(tmp_path, x=X, y=np.array([7, 3, 7, 7]))).labels == ("7", "3", "7", "7")


def test_two_files_of_one_unnamed_encoder_agree(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one, other = read_precomputed(saved(tmp_path, x=X)), read_precomputed(saved(tmp_path / "other", x=X[:2]))
    assert one.identity.fingerprint == other.identity.fingerprint
    narrow = read_precomputed(saved(tmp_path, x=X[:, :2]))
    assert narrow.identity.fingerprint != one.identity.fingerprint


def test_whole_identity(tmp_path: Path) -> None:
    identity = FakeEncoder(with_features=False).identity
    x = np.ones((2, identity.dimension))
    assert read_precomputed(saved(tmp_path, x=x, encoder=json.dumps(asdict(identity)))).identity == identity
    with pytest.raises(InputError, match="dimensions"):
        read_precomputed(saved(tmp_path, x=X, encoder=json.dumps(asdict(identity))))
    with pytest.raises(InputError, match="description of the encoder"):
        read_precomputed(saved(tmp_path, x=X, encoder='{"name": "half"}'))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"vectors": X}, "no array 'embeddings'; found: vectors"),
        ({"x": X[0]}, r"of \(3,\)"),
        ({"x": X[:0]}, r"of \(0, 3\)"),
        ({"x": X > 0}, "found bool"),
        ({"x": np.array([["a"]])}, "found <U1"),
        ({"x": np.vstack([X[:2], [[1, np.nan, 1]]])}, "1 row not finite, the first is row 2"),
        ({"x": np.full((2, 2), 1e300)}, "not finite"),
        ({"x": X * [[1], [0], [1], [0]]}, "2 rows of zeros, the first is row 1"),
        ({"x": X, "y": np.array(["a"])}, "labels has 1 row, 4 expected"),
        ({"x": X, "y": np.array([0.5, 1, 1, 1])}, "0.5 is no label"),
        ({"x": X, "y": np.array([0, 1, 2, 0]), "class_names": np.array(["a", "b"])}, "run from 0 to 2"),
        ({"x": X, "y": np.array([0, -1, 0, 0]), "class_names": np.array(["a", "b"])}, "run from -1"),
        ({"x": X, "paths": np.array(["a"])}, "paths has 1 row"),
        ({"x": X, "content_hashes": np.array(["a"])}, "content_hashes has 1 row"),
        ({"x": X, "features": X[:2]}, "features has 2 rows, 4 expected"),
        ({"x": X, "text_vectors": X}, "text_vectors has 4 rows, 0 expected"),
        ({"x": X, "text_vectors": np.ones((1, 5)), "class_names": np.array(["a"])}, "5 dimensions"),
    ],
)
def test_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        read_precomputed(saved(tmp_path, **arrays))
    assert "vectors.npz" in raised.value.message


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    path = tmp_path / "vectors.npz"
    np.savez(path, x=np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read as an npz"):
        read_precomputed(path)
    assert not (tmp_path / "sprung").exists()


def test_no_such_file_or_another_kind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a file"):
        read_precomputed(tmp_path / "none.npz")
    (tmp_path / "a.csv").write_text("1,2")
    with pytest.raises(InputError, match="not a file of embeddings"):
        read_precomputed(tmp_path / "a.csv")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut short", b"\x93NUMPY nothing"])
def test_damaged_npz(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(InputError, match="cannot be read as an npz"):
        read_precomputed(tmp_path / "a.npz")


@settings(max_examples=50, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64, np.int8]),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
    )
)
@example(np.full((1, 6), 3e38, dtype=np.float32))
def test_any_matrix_becomes_unit_rows_or_is_refused(x: np.ndarray) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = saved(Path(folder), x=x)
        try:
            read = read_precomputed(path)
        except InputError:
            with np.errstate(over="ignore"):
                rows = x.astype(np.float32)
            assert not np.isfinite(rows).all() or not rows.any(axis=1).all()
            return
    assert np.allclose(np.linalg.norm(read.embeddings.astype(np.float64), axis=1), 1, atol=1e-5)


def test_real_features(shared: Path, tmp_path: Path) -> None:
    with np.load(shared / "features" / "clip-vit-b32" / "oxford_pets.npz") as file:
        path = saved(
            tmp_path,
            x=file["test_x"],
            y=file["test_y"],
            paths=file["test_path"],
            class_names=file["class_names"],
        )
        first = str(file["class_names"][file["test_y"][0]])
    read = read_precomputed(path)
    assert read.embeddings.shape == (3669, 512)
    assert read.labels is not None
    assert read.labels[0] == first
    assert len(read.class_names) == 37
