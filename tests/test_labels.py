"""One rule for labels, whatever they come from."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inkling.errors import InputError
from inkling.labels import Kind, check_names, class_name, name_key, read_labels, require_class_name
from inkling.wording import visible

MISSING = [
    None,
    float("nan"),
    np.nan,
    np.float32("nan"),
    pd.NA,
    pd.NaT,
    np.datetime64("NaT"),
    "",
    "  ",
    b"",
    decimal.Decimal("NaN"),
]
NUMBERS = [3, 3.0, np.int64(3), np.uint8(3), np.float32(3), np.array(3), torch.tensor(3), decimal.Decimal(3)]


@pytest.mark.parametrize("label", MISSING, ids=repr)
def test_nothing_is_no_label(label: Any) -> None:
    assert class_name(label) is None


@pytest.mark.parametrize("label", NUMBERS, ids=repr)
def test_numbers_are_read_by_value(label: Any) -> None:
    assert class_name(label) == "3"
    assert read_labels([label, 11]).kind is Kind.NUMBER


@pytest.mark.parametrize(
    "label", ["café", "cafe\u0301", " café\n", "café".encode(), np.str_("café"), np.bytes_("café".encode())]
)
def test_text_has_one_spelling(label: Any) -> None:
    assert class_name(label) == "café"


@pytest.mark.parametrize("label", ["nan", "None", "0", "3.0", "012", "-"])
def test_text_stays_text(label: str) -> None:
    assert class_name(label) == label
    assert read_labels([label]).kind is Kind.TEXT


@pytest.mark.parametrize(
    "label",
    [
        1.5,
        float("inf"),
        1j,
        [1, 2],
        (1, 2),
        {"a"},
        {},
        object(),
        datetime.date(2026, 1, 1),
        b"\xff",
        "\udcff",
        "a\0b",
        np.zeros(2),
        np.datetime64("2026-01-01"),
        torch.zeros(2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_label_is_refused(label: Any) -> None:
    with pytest.raises(InputError, match="label"):
        class_name(label)
    with pytest.raises(InputError, match="label"):
        read_labels([label, label])


@pytest.mark.parametrize(
    "labels",
    [
        [2, 10, 2],
        (2.0, 10, np.int8(2)),
        np.array([2, 10, 2], dtype=np.uint8),
        np.array([[2], [10], [2]]),
        np.array([2, 10, 2], dtype=object),
        torch.tensor([2, 10, 2]),
        torch.tensor([[2], [10], [2]]),
        list(torch.tensor([2, 10, 2])),
        pd.Series([2, 10, 2]),
        pd.Series([2, 10, 2], dtype="Int64"),
        pd.Series([2, 10, 2]).astype("category"),
        pd.DataFrame({"label": [2, 10, 2]}),
        pa.array([2, 10, 2]),
        iter([2, 10, 2]),
    ],
    ids=lambda it: f"{type(it).__module__}.{type(it).__name__}",
)
def test_all_containers_say_the_same(labels: Any) -> None:
    found = read_labels(labels)
    assert found.names == ("2", "10", "2")
    assert found.kind is Kind.NUMBER
    assert found.kind.array(found.kind.sorted(set(found.names))).tolist() == [2, 10]


def test_missing_labels_leave_the_kind_to_the_others() -> None:
    assert read_labels(pd.Series([1, None, 2])).names == ("1", None, "2")
    assert read_labels(np.array([b"ant", b""])).names == ("ant", None)
    assert read_labels([None, None]).kind is Kind.TEXT
    assert read_labels([True, None]).kind.array(["True"]).tolist() == [True]


@pytest.mark.parametrize(
    "labels",
    [
        "ant",
        b"ant",
        {"ant"},
        {"ant": 1},
        3,
        None,
        np.eye(2),
        np.array(["2026-01-01"], dtype="M8[ns]"),
        [1, "a"],
        [True, 1],
    ],
)
def test_what_is_not_one_label_an_image_is_refused(labels: Any) -> None:
    with pytest.raises(InputError, match=r"[Ll]abel"):
        read_labels(labels)


@given(
    labels=st.lists(st.integers() | st.none())
    | st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
    | st.lists(st.booleans())
)
def test_labels_come_back_as_they_were(labels: list[Any]) -> None:
    found = read_labels(labels)
    back = [None if name is None else found.kind.label(name) for name in found.names]
    expected = [class_name(label) if isinstance(label, str) else label for label in labels]
    assert back == expected
    assert list(map(type, back)) == list(map(type, expected))
    assert read_labels(back).names == found.names


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "needs a name"),
        ("\u200b", "needs a name"),
        ("a\x1b[31mb", r"'a\\x1b\[31mb' has a control character"),
        ("a\nb", "control character or a line break"),
        ("a\u202eb", "control character"),
        ("a" * 201, "has 201 characters; 200 are the most"),
        ("unknown", "images of no known class"),
        ("Un known", "images of no known class"),
        ("nowhere", "no class at all"),
    ],
)
def test_some_names_cannot_be_those_of_classes(name: str, told: str) -> None:
    with pytest.raises(InputError, match=told) as refused:
        check_names(["van", name], ["car"])
    assert refused.value.remedy
    assert len(str(refused.value)) < 500
    assert visible(str(refused.value), keep="\n") == str(refused.value)


@pytest.mark.parametrize("names", [map(str, range(12)), ["-1", "3.0", "007"], ["a" * 200, "a" * 199], ["no", "none"]])
def test_other_names_can(names: Any) -> None:
    check_names(names, ["car"])


@pytest.mark.parametrize(("one", "other"), [("car", "Car"), ("fire truck", "firetruck"), ("2", "\u00b2")])
def test_names_that_can_be_mistaken_for_each_other_are_refused(one: str, other: str) -> None:
    with pytest.raises(InputError, match=f"{one}.*{other}.*by case, spaces or Unicode form") as refused:
        check_names([one, "van", other])
    assert "one folder" in str(refused.value.remedy)
    with pytest.raises(InputError, match=f"{other}.*differs from that of the class '{one}'"):
        check_names([other], ["van", one])


@given(names=st.lists(st.text(st.characters(codec="utf-8"), max_size=300), max_size=5), known=st.lists(st.text()))
def test_names_that_pass_are_one_line_and_stand_apart(names: list[str], known: list[str]) -> None:
    try:
        check_names(names, known)
    except InputError:
        return
    keys = [name_key(name) for name in names]
    assert len(set(keys)) == len(names)
    assert not set(keys) & set(map(name_key, known))
    assert all(visible(name) == name and len(name) <= 200 for name in names)


def test_a_class_needs_a_name() -> None:
    assert require_class_name(" ant ") == "ant"
    with pytest.raises(InputError, match="empty"):
        require_class_name(" ")
