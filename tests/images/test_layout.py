"""Splits and classes by names alone."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.errors import InputError
from inkling.images.layout import classes_without_images, label_files, without_wrapper

NAMES = st.sampled_from(["train", "test", "bus", "car", "a", "Val"])


def labels(*names: str, split: str | None = None) -> dict[str, str | None]:
    files = [PurePosixPath(name) for name in names]
    return {str(one.file): one.label for one in label_files(files, split=split)}


def test_class_folders() -> None:
    assert labels("bus/1.jpg", "car/2.jpg") == {"bus/1.jpg": "bus", "car/2.jpg": "car"}


def test_the_class_is_the_folder_below_the_root_however_deep_the_file() -> None:
    assert labels("bus/2021/may/1.jpg") == {"bus/2021/may/1.jpg": "bus"}


def test_flat_files_have_no_class() -> None:
    assert labels("1.jpg", "bus/2.jpg") == {"1.jpg": None, "bus/2.jpg": "bus"}


def test_splits() -> None:
    names = ("train/bus/1.jpg", "test/bus/2.jpg", "test/3.jpg")
    assert labels(*names, split="train") == {"train/bus/1.jpg": "bus"}
    assert labels(*names, split="test") == {"test/bus/2.jpg": "bus", "test/3.jpg": None}
    assert labels(*names) == {"train/bus/1.jpg": "bus", "test/bus/2.jpg": "bus", "test/3.jpg": None}


def test_names_of_splits_in_any_case_and_validation_for_want_of_a_test() -> None:
    assert labels("Training/bus/1.jpg", "Valid/bus/2.jpg", split="test") == {"Valid/bus/2.jpg": "bus"}
    three = ("train/a/1.jpg", "val/a/2.jpg", "test/a/3.jpg")
    assert labels(*three, split="test") == {"test/a/3.jpg": "a"}
    assert labels(*three, split="val") == {"val/a/2.jpg": "a"}


def test_a_class_may_be_called_train() -> None:
    assert labels("train/1.jpg", "bus/2.jpg", split="test") == {"train/1.jpg": "train", "bus/2.jpg": "bus"}
    assert labels("train/train/1.jpg", "test/train/2.jpg", split="train") == {"train/train/1.jpg": "train"}


@pytest.mark.parametrize("stray", ["cover.jpg", "notes/1.jpg"])
def test_a_stray_image_beside_splits_makes_no_classes_of_them(stray: str) -> None:
    names = ("train/a/1.jpg", "train/b/2.jpg", "test/a/3.jpg")
    assert labels(*names, stray, split="train") == {"train/a/1.jpg": "a", "train/b/2.jpg": "b"}
    assert labels(*names, stray, split="test") == {"test/a/3.jpg": "a"}
    assert labels(*names, stray) == {**labels(*names), stray: None}


def test_folders_beside_a_class_called_train_stay_classes() -> None:
    names = ("train/side/1.jpg", "train/side/2.jpg", "train/side/3.jpg", "bus/4.jpg", "car/5.jpg")
    assert set(labels(*names, split="train").values()) == {"train", "bus", "car"}
    flat = ("train/1.jpg", "train/2.jpg", "test/3.jpg", "bus/4.jpg")
    assert set(labels(*flat).values()) == {"train", "test", "bus"}


@pytest.mark.parametrize("name", ["val", "valid", "validation", "dev", "Dev"])
def test_names_of_validation(name: str) -> None:
    names = ("train/a/1.jpg", f"{name}/a/2.jpg")
    assert labels(*names, split="val") == {f"{name}/a/2.jpg": "a"}
    assert labels(*names, split="test") == {f"{name}/a/2.jpg": "a"}


@pytest.mark.parametrize(
    ("folders", "files", "split", "expected"),
    [
        (("bus", "car", "car/old"), ("bus/1.jpg",), None, ("car",)),
        (("train/a", "train/b", "test/c"), ("train/a/1.jpg", "test/a/2.jpg"), "train", ("b",)),
        (("train/a", "train/b", "test/c"), ("train/a/1.jpg", "test/a/2.jpg"), "test", ("c",)),
        (("train/a", "train/b", "test/b"), ("train/a/1.jpg", "test/b/2.jpg"), None, ()),
        (("deep",), ("1.jpg", "2.jpg"), None, ()),
        ((), ("bus/1.jpg",), None, ()),
    ],
)
def test_class_folders_without_an_image(
    folders: tuple[str, ...], files: tuple[str, ...], split: str | None, expected: tuple[str, ...]
) -> None:
    found = classes_without_images(list(map(PurePosixPath, folders)), list(map(PurePosixPath, files)), split=split)
    assert found == expected


def test_missing_split_names_what_is_there() -> None:
    with pytest.raises(InputError, match="no 'test' split; found train"):
        labels("train/a/1.jpg", split="test")
    with pytest.raises(InputError, match="not the name of a split"):
        labels("train/a/1.jpg", split="everything")


def test_accents_are_spelt_one_way() -> None:
    assert set(labels("e\u0301tang/1.jpg", "\u00e9tang/2.jpg").values()) == {"\u00e9tang"}


@pytest.mark.parametrize(
    ("names", "root"),
    [
        (["set/bus/1.jpg", "set/car/2.jpg"], "set"),
        (["a/b/bus/1.jpg", "a/b/car/2.jpg"], "a/b"),
        (["bus/1.jpg", "car/2.jpg"], "."),
        (["bus/1.jpg"], "."),
        (["set/1.jpg", "set/bus/2.jpg"], "."),
        (["set/train/bus/1.jpg"], "set"),
        (["train/bus/1.jpg"], "."),
        (["set/train/a/1.jpg", "set/train/b/2.jpg", "set/test/a/3.jpg", "set/cover.jpg"], "set"),
        ([], "."),
    ],
)
def test_wrapper_of_a_zip(names: list[str], root: str) -> None:
    assert str(without_wrapper([PurePosixPath(name) for name in names])) == root


@given(st.lists(st.lists(NAMES, min_size=1, max_size=4).map(lambda parts: PurePosixPath(*parts, "x.png"))))
def test_no_file_is_lost_without_a_split(files: list[PurePosixPath]) -> None:
    labelled = label_files(files, split=None)
    assert [one.file for one in labelled] == files
    assert all(one.label in one.file.parts[:2] for one in labelled if one.label is not None)
