"""Values to columns and back."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from safetensors.numpy import save
from sqlalchemy.dialects import sqlite

from inkling.errors import InputError
from inkling.memory import columns
from inkling.memory.columns import (
    ESCAPE,
    MAX_PACKED,
    MAX_UNPACKED,
    PACKED,
    AnyText,
    array_blob,
    blob_arrays,
    json_text,
    vector_rows,
)

DIALECT = sqlite.dialect()
ANY_TEXT = st.text(st.characters(exclude_categories=()) | st.sampled_from(f"\x00\ud800\udfff{ESCAPE}0af"))


@given(ANY_TEXT)
def test_any_text_comes_back_and_is_storable(text: str) -> None:
    stored = AnyText().process_bind_param(text, DIALECT)
    assert stored is not None
    assert "\x00" not in stored
    stored.encode()
    assert AnyText().process_result_value(stored, DIALECT) == text


@given(st.text(st.characters(codec="utf-8", exclude_characters=f"\x00{ESCAPE}")))
def test_ordinary_text_is_stored_as_it_is(text: str) -> None:
    assert AnyText().process_bind_param(text, DIALECT) == text


def test_undecodable_file_names_stay_distinct() -> None:
    column = AnyText()
    assert column.process_bind_param("caf\udce9.jpg", DIALECT) == "caf␛dce9.jpg"
    assert column.process_bind_param("caf␛dce9.jpg", DIALECT) == "caf␛241bdce9.jpg"


def test_numpy_scalars_and_nested_mappings_are_json() -> None:
    assert json_text({"k": np.int64(3), "t": {"x": np.float32(0.5)}}, what="head") == '{"k": 3, "t": {"x": 0.5}}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.zeros(2), {1, 2}, b"x"])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"calibration of a memory must be plain JSON"):
        json_text({"value": value}, what="calibration")


@given(npst.arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(1, 5))))
def test_vector_rows_are_raw_float32(vectors: np.ndarray) -> None:
    assert [bytes(row) for row in vector_rows(vectors)] == [row.tobytes() for row in vectors]


def test_vector_rows_of_another_layout_and_precision() -> None:
    vectors = np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3))
    assert np.frombuffer(vector_rows(vectors)[1], "<f4").tolist() == [3.0, 4.0, 5.0]


@pytest.mark.parametrize(
    "array",
    [
        np.float64(2.5),
        np.zeros((0, 3), np.float32),
        np.arange(6).reshape(2, 3).T,
        np.array([True, False]),
        np.arange(4, dtype=np.float32)[::2],
    ],
)
def test_arrays_come_back_with_shape_and_type(array: np.ndarray) -> None:
    back = blob_arrays(array_blob({"a": array}))["a"]
    assert back.shape == array.shape
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_a_head_may_have_no_arrays() -> None:
    assert blob_arrays(array_blob({})) == {}


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([None])])
def test_arrays_of_text_or_objects_are_refused(array: np.ndarray) -> None:
    with pytest.raises(InputError, match="must be numbers or booleans"):
        array_blob({"names": array})


def test_broken_arrays_are_reported() -> None:
    with pytest.raises(ValueError, match="arrays of the head are broken"):
        blob_arrays(array_blob({"a": np.zeros(3)})[:-1])


def test_arrays_are_packed_and_unpacked_ones_of_earlier_releases_are_read() -> None:
    rng = np.random.default_rng(0)
    arrays = {"a": rng.normal(size=(300, 7)).astype(np.float32), "b": np.arange(3), "c": np.zeros((0, 5))}
    blob, plain = array_blob(arrays), save(arrays)
    assert len(blob) < 0.95 * len(plain)
    for content in (blob, plain):
        found = blob_arrays(content)
        assert found.keys() == arrays.keys()
        assert all(np.array_equal(found[name], arrays[name]) for name in arrays)


@pytest.mark.parametrize("damage", [slice(0, -40), slice(0, 8), slice(1, None)])
def test_broken_packed_arrays_are_called_broken(damage: slice) -> None:
    blob = array_blob({"a": np.random.default_rng(0).normal(size=1000).astype(np.float32)})
    with pytest.raises(ValueError, match="broken"):
        blob_arrays(blob[damage])


def test_arrays_that_inflate_beyond_what_was_ever_packed_are_refused() -> None:
    with pytest.raises(ValueError, match="more than was ever packed"):
        blob_arrays(PACKED + zlib.compress(bytes(MAX_UNPACKED + 1)))


def test_large_arrays_are_not_packed_and_read_where_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = {"a": np.zeros(MAX_PACKED // 4, dtype=np.float32)}
    assert not array_blob(arrays).startswith(PACKED)
    monkeypatch.setattr(columns, "MAX_PACKED", MAX_UNPACKED)
    blob = array_blob(arrays)
    assert blob.startswith(PACKED)
    np.testing.assert_array_equal(blob_arrays(blob)["a"], arrays["a"])
