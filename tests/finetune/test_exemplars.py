"""Images of a memory are found again, wherever they lie, or the run is refused before it begins."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from inkling.errors import InputError
from inkling.finetune.exemplars import prompts_of, records_with_known
from inkling.images.decode import load
from inkling.images.sources import find_images
from inkling.sketch import HELD_OUT, write_dataset
from inkling.types import ClassEntry, Exemplar

KINDS = HELD_OUT[:2]


def exemplars_of(source: Path) -> list[Exemplar]:
    records = find_images(source).records
    return [Exemplar(one.path, load(one).content_hash, str(one.label)) for one in records]


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    write_dataset(tmp_path / "old", KINDS, 2, seed=1, size=32)
    write_dataset(tmp_path / "new", KINDS, 1, seed=2, size=32)
    return tmp_path


def test_images_of_the_memory_join_those_that_are_given(drawn: Path) -> None:
    new = find_images(drawn / "new").records
    found = records_with_known(new, exemplars_of(drawn / "old"))
    assert [one.path for one in found[:2]] == [one.path for one in new]
    assert [(one.path, one.label) for one in found[2:]] == [
        (one.path, one.class_name) for one in exemplars_of(drawn / "old")
    ]
    assert all(load(one).content_hash for one in found)


def test_equal_content_is_given_once_even_if_it_was_moved(drawn: Path) -> None:
    known = exemplars_of(drawn / "old")
    (drawn / "old").rename(drawn / "moved")
    moved = find_images(drawn / "moved").records
    assert records_with_known(moved, known) == list(moved)


def test_views_are_not_looked_for(drawn: Path) -> None:
    assert records_with_known([], [Exemplar("gone.png", "0" * 32, KINDS[0], view=1)]) == []


def test_members_of_a_zip_are_found_again(drawn: Path) -> None:
    with zipfile.ZipFile(drawn / "old.zip", "w") as archive:
        for path in (drawn / "old").rglob("*.png"):
            archive.write(path, path.relative_to(drawn / "old"))
    known = exemplars_of(drawn / "old.zip")
    found = records_with_known([], known)
    assert [load(one).content_hash for one in found] == [one.content_hash for one in known]


def test_images_that_are_gone_or_changed_are_named(drawn: Path) -> None:
    known = exemplars_of(drawn / "old")
    Path(known[0].path).unlink()
    Path(known[1].path).write_bytes(b"other")
    with pytest.raises(InputError, match=r"2 of the images .* are not where they were, or have changed") as refused:
        records_with_known(find_images(drawn / "new").records, known)
    assert known[0].path in refused.value.message


def test_classes_keep_the_words_that_the_memory_has_for_them() -> None:
    entries = [ClassEntry("crane", ("a photo of a crane, a bird.",), ("heron",)), ClassEntry("mystery")]
    (crane,) = prompts_of(entries)
    assert crane.texts(["a {}"]) == ("a photo of a crane, a bird.",)
    assert crane.aliases == ("heron",)
