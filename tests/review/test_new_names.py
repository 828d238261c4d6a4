"""One rule for the names of classes that come in, at every door; and numbers that may be names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inkling import ClassPrompts, Decisions, FewShotClassifier
from inkling.embeddings.precomputed import read_precomputed
from inkling.errors import InputError
from inkling.review.new_class import ClassEmbedder
from tests.colours import picture, write_colours
from tests.fakes import FakeEncoder
from tests.review.conftest import CLASSES, DIMS, SHOTS, drawn, pool

Door = Callable[[str, Path], object]
COLOURS = ["red", "blue"] * 4


def _pictures(names: list[str]) -> object:
    images = [picture(colour, number) for number, colour in enumerate(COLOURS)]
    return FewShotClassifier(FakeEncoder(), cache=False).fit(images, [names[one == "blue"] for one in COLOURS])


def _folders(name: str, folder: Path) -> object:
    photos = write_colours(folder / "photos", 3, colours=("red", "blue"))
    (photos / "red").rename(photos / name)
    return FewShotClassifier(FakeEncoder(), cache=False).fit(photos)


def _precomputed(name: str, folder: Path) -> object:
    np.savez(folder / "v.npz", x=np.eye(8), labels=[name, "van"] * 4)
    return FewShotClassifier().fit_precomputed(read_precomputed(folder / "v.npz"))


def _update(name: str, folder: Path) -> object:
    X = drawn("bench", 3)
    np.savez(folder / "v.npz", x=X, labels=[name] * 3)
    return Decisions(folder / "a.ink").update(read_precomputed(folder / "v.npz"))


def _add(name: str, folder: Path) -> object:
    np.savez(folder / "v.npz", x=drawn("bench", 3))
    return Decisions(folder / "a.ink").add_class(name, images=read_precomputed(folder / "v.npz"))


FIT: dict[str, Door] = {
    "pictures": lambda name, _: _pictures([name, "van"]),
    "folders": _folders,
    "vectors": lambda name, _: FewShotClassifier().fit_embeddings(np.eye(8), [name, "van"] * 4),
    "texts": lambda name, _: FewShotClassifier().fit_embeddings(
        np.eye(8), ["bus", "van"] * 4, text_vectors=np.eye(8)[:3], class_names=["bus", name, "van"]
    ),
    "prompts": lambda name, _: FewShotClassifier(FakeEncoder(), prompts=[ClassPrompts(name)], cache=False).fit(
        [picture(one, 0) for one in COLOURS], COLOURS
    ),
    "a file of vectors": _precomputed,
}
DECIDE: dict[str, Door] = {
    "update": _update,
    "add-class": _add,
    "accept": lambda name, folder: Decisions(folder / "a.ink").accept(1, name),
    "rename a class": lambda name, folder: Decisions(folder / "a.ink").rename("van", name),
    "rename a proposal": lambda name, folder: Decisions(folder / "a.ink").rename(1, name),
}


@pytest.mark.parametrize("name", ["unknown", "Nowhere", "a\x1bb", "a\nb", "x" * 201], ids=ascii)
@pytest.mark.parametrize("door", [*FIT, *DECIDE])
def test_no_door_lets_in_what_is_no_name(door: str, name: str, path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"can't be called|control character|are the most"):
        (FIT | DECIDE)[door](name, path.parent)
    assert path.read_bytes() == before


@pytest.mark.parametrize("door", FIT)
def test_a_fit_refuses_names_that_can_be_mistaken_for_each_other(door: str, tmp_path: Path) -> None:
    other = "Blue" if door in ("folders", "prompts") else "Van"
    with pytest.raises(InputError, match=f"'{other}' and '{other.lower()}' differ by case"):
        FIT[door](other, tmp_path)


@pytest.mark.parametrize("door", DECIDE)
def test_a_decision_refuses_a_name_like_a_known_one(door: str, path: Path) -> None:
    with pytest.raises(InputError, match="differs from that of the class 'car'"):
        DECIDE[door]("Car", path.parent)


@pytest.mark.parametrize(
    ("door", "advice"),
    [
        ("add-class", "inkling fit --update"),
        ("accept", "accept MEMORY 1 --name 'car' --join"),
        ("rename a proposal", "accept MEMORY 1 --name 'car' --join"),
        ("rename a class", "'inkling move' takes an image from one class to another"),
    ],
)
def test_the_advice_about_a_known_class_is_that_of_the_verb(door: str, advice: str, path: Path) -> None:
    with pytest.raises(InputError, match="There is a class 'car' already") as refused:
        DECIDE[door]("car", path.parent)
    assert advice in str(refused.value.remedy)


@pytest.mark.parametrize("name", ["road vehicle", "Road  Vehicle", "thing"])
@pytest.mark.parametrize("door", DECIDE)
def test_a_decision_refuses_the_name_of_a_group(door: str, name: str, tmp_path: Path) -> None:
    """It would make a circle, or an answer that could mean either."""
    memory = tmp_path / "a.ink"
    X = np.concatenate([drawn(one, SHOTS) for one in CLASSES])
    parents = {"car": "road vehicle", "van": "road vehicle", "road vehicle": "thing", "truck": "thing"}
    FewShotClassifier("none", parents=parents).fit_embeddings(X, np.repeat(CLASSES, SHOTS)).save(memory)
    pool(memory, "bench")
    before = memory.read_bytes()
    with pytest.raises(InputError, match="the memory has a group of classes") as refused:
        DECIDE[door](name, tmp_path)
    assert "Choose another name" in str(refused.value.remedy)
    assert memory.read_bytes() == before
    assert FewShotClassifier.load(memory).climbing().hierarchy.parents == parents


def test_a_name_that_was_let_in_before_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memories of earlier releases may hold such names: they open, are renamed and taken out."""
    monkeypatch.setattr("inkling.classifier.class_texts.check_names", lambda _: None)
    X, y = np.eye(12), ["unknown", "van", "Van"] * 4
    FewShotClassifier().fit_embeddings(X, y).save(tmp_path / "a.ink")
    monkeypatch.undo()
    decide = Decisions(tmp_path / "a.ink")
    decide.refit()
    decide.rename("unknown", "other")
    decide.remove_class("Van")
    assert [one.name for one in decide.classes()] == ["other", "van"]


def test_an_empty_name_is_not_the_one_given_before(path: Path) -> None:
    decide = Decisions(path)
    decide.rename(1, "seat")
    with pytest.raises(InputError, match="name of a class is empty"):
        decide.accept(1, "")


@pytest.fixture
def numbered(tmp_path: Path) -> Decisions:
    """Classes called 1, 3 and 10; proposals 1 and 2."""
    X = np.concatenate([drawn(name, SHOTS) for name in CLASSES])
    FewShotClassifier().fit_embeddings(X, np.repeat([1, 3, 10], SHOTS)).save(tmp_path / "n.ink")
    pool(tmp_path / "n.ink", "bench", "plant")
    assert X.shape[1] == DIMS
    return Decisions(tmp_path / "n.ink")


def test_a_number_that_may_be_a_class_or_a_proposal_is_refused(numbered: Decisions) -> None:
    with pytest.raises(InputError, match="'1' is the name of a class and the number of a proposal") as refused:
        numbered.named("1")
    assert "'class:1' or 'proposal:1'" in str(refused.value.remedy)
    assert numbered.named("class:1") == "1"
    assert numbered.named("proposal:1") == 1
    assert numbered.named("3") == "3"
    assert numbered.named("2") == 2


def test_a_proposal_that_is_decided_about_is_not_meant(numbered: Decisions) -> None:
    numbered.merge([1, 2])
    with pytest.raises(InputError, match="number of a proposal"):
        numbered.named("1")
    numbered.discard(3)
    assert numbered.named("3") == "3"


@pytest.mark.parametrize("what", ["9" * 30, "class:", "proposal:x", "proposal:", "other:3", "van"])
def test_other_words_are_names(numbered: Decisions, what: str) -> None:
    assert numbered.named(what) == what


def test_a_name_is_refused_before_anything_is_embedded(tmp_path: Path) -> None:
    encoder = FakeEncoder()
    FewShotClassifier(encoder, cache=False).fit(write_colours(tmp_path / "c", 3)).save(tmp_path / "a.ink")
    encoder.batches.clear()
    embedder = ClassEmbedder(encoder, cache=False)
    with pytest.raises(InputError, match="can't be called 'unknown'"):
        Decisions(tmp_path / "a.ink").add_class("unknown", images=tmp_path / "c" / "red", embedder=embedder)
    assert encoder.batches == []
