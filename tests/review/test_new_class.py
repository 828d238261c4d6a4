"""What a class brings that is added: only that is embedded, with the memory's own encoder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkling import Decisions, FewShotClassifier
from inkling.errors import EncoderMismatchError, InputError
from inkling.memory.discovered import Finding, PooledImage
from inkling.memory.pool import observe
from inkling.memory.proposals import write_proposals
from inkling.memory.store import read_memory, switch_encoder
from inkling.memory.verify import verify
from inkling.review.new_class import ClassEmbedder, Prepared
from tests.colours import write_colours
from tests.fakes import FakeEncoder


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    """Pictures of colours, a folder each."""
    return write_colours(tmp_path / "colours", 4)


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def path(tmp_path: Path, colours: Path, encoder: FakeEncoder) -> Path:
    """A memory of all the colours but red."""
    path = tmp_path / "a.ink"
    classifier = FewShotClassifier(encoder, cache=False).fit(colours)
    classifier.save(path)
    Decisions(path).remove_class("red")
    encoder.batches.clear()
    return path


def _label(path: Path, colours: Path, encoder: FakeEncoder) -> str:
    loaded = FewShotClassifier.load(path, encoder=encoder, cache=False)
    return str(loaded.predict([next((colours / "red").iterdir())])[0])


def test_only_what_is_new_is_embedded(path: Path, colours: Path, encoder: FakeEncoder) -> None:
    embedder = ClassEmbedder(encoder, cache=False)
    event = Decisions(path).add_class("red", images=colours / "red", embedder=embedder)
    assert encoder.n_encoded == 4
    assert event.outcome["images"] == 4
    assert event.outcome["has_text"]
    assert _label(path, colours, encoder) == "red"


def test_text_alone_is_enough(path: Path, colours: Path, encoder: FakeEncoder) -> None:
    event = Decisions(path).add_class("red", prompts=["a photo of a {}."], embedder=ClassEmbedder(encoder, cache=False))
    assert encoder.n_encoded == 0
    assert event.outcome["images"] == 0
    (entry,) = (one for one in read_memory(path).content.classes if one.name == "red")
    assert entry.prompts == ("a photo of a red.",)


def test_it_must_be_the_memory_s_encoder(path: Path, colours: Path) -> None:
    other = ClassEmbedder(FakeEncoder(fingerprint="other"), cache=False)
    with pytest.raises(EncoderMismatchError):
        Decisions(path).add_class("red", images=colours / "red", embedder=other)


def _switch(path: Path) -> int:
    """Put the memory to another encoder, as fine-tuning does."""
    stored = read_memory(path)
    other = replace(stored.content, encoder=replace(stored.content.encoder, fingerprint="other"))
    return switch_encoder(path, other, version=stored.version)


class SwitchedMeanwhile(ClassEmbedder):
    """Another process switches the memory's encoder once the new class is embedded."""

    def new_class(self, path: str | Path, name: str, **options: Any) -> Prepared:
        prepared = super().new_class(path, name, **options)
        _switch(Path(path))
        return prepared

    def labelled(self, path: str | Path, *images: Any, **options: Any) -> Prepared:
        prepared = super().labelled(path, *images, **options)
        _switch(Path(path))
        return prepared

    def in_words(self, path: str | Path, name: str) -> Prepared:
        prepared = super().in_words(path, name)
        _switch(Path(path))
        return prepared


@pytest.mark.parametrize("verb", ["add_class with text", "add_class with images", "update", "accept"])
def test_vectors_of_the_encoder_before_a_switch_are_refused(
    path: Path, colours: Path, encoder: FakeEncoder, verb: str
) -> None:
    _propose(path)
    version = read_memory(path).version
    embed = SwitchedMeanwhile(encoder, cache=False)
    decide = Decisions(path, words=lambda name: embed.in_words(path, name))
    doors = {
        "add_class with text": lambda: decide.add_class("red", prompts=["a photo of a {}."], embedder=embed),
        "add_class with images": lambda: decide.add_class("red", images=colours / "red", embedder=embed),
        "update": lambda: decide.update(colours, embedder=embed),
        "accept": lambda: decide.accept(1, first_name=True),
    }
    with pytest.raises(EncoderMismatchError):
        doors[verb]()
    assert read_memory(path).version == version + 1
    assert "red" not in [entry.name for entry in read_memory(path).content.classes]
    assert [one.id for one in decide.proposals()] == [1]
    assert verify(path).version == version + 1


def test_a_prompt_that_the_encoder_does_not_know_is_reported(path: Path) -> None:
    mute = ClassEmbedder(FakeEncoder(with_texts=False), cache=False)
    with pytest.raises(InputError, match="has no vector for any of these prompts"):
        Decisions(path).add_class("red", prompts=["red"], embedder=mute)


def test_images_that_cannot_be_read_make_no_class(path: Path, tmp_path: Path, encoder: FakeEncoder) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.jpg").write_text("nothing")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"No image can be used\. It is '"):
        Decisions(path).add_class("red", images=tmp_path / "bad", embedder=ClassEmbedder(encoder, cache=False))
    assert path.read_bytes() == before


def _propose(path: Path) -> None:
    content = read_memory(path).content
    vectors = np.eye(content.vectors.shape[1], dtype=np.float32)[:3]
    observe(path, [PooledImage(f"{k}", f"{k}") for k in range(3)], vectors, fingerprint=content.encoder.fingerprint)
    write_proposals(path, [Finding((1, 2, 3), 3, 0.9, ({"name": "red"},))])


def test_an_accepted_class_gets_its_text_vector_and_no_image_is_embedded(path: Path, encoder: FakeEncoder) -> None:
    _propose(path)
    embed = ClassEmbedder(encoder, cache=False)
    event = Decisions(path, words=lambda name: embed.in_words(path, name)).accept(1, first_name=True)
    assert event.outcome["has_text"]
    assert encoder.n_encoded == 0
    assert "a photo of a red." in encoder.texts_encoded


@pytest.mark.parametrize("change", [{"fingerprint": "other"}, {"with_texts": False}])
def test_without_the_encoder_s_words_it_is_known_by_its_images(
    path: Path, encoder: FakeEncoder, change: dict[str, object]
) -> None:
    _propose(path)
    embed = ClassEmbedder(replace(encoder, **change), cache=False)
    assert (
        not Decisions(path, words=lambda name: embed.in_words(path, name))
        .accept(1, first_name=True)
        .outcome["has_text"]
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("yel_low", "1 class whose text is that of another (yel_low)"),
        ("DSC", "1 class whose name is a code (DSC)"),
    ],
)
def test_a_text_that_tells_nothing_is_left_out_and_it_is_said(
    path: Path, colours: Path, encoder: FakeEncoder, name: str, told: str
) -> None:
    decide, embedder = Decisions(path), ClassEmbedder(encoder, cache=False)
    decide.add_class("yel low", prompts=["{}"], embedder=embedder)
    entries = {one.name: one.text_vector for one in read_memory(path).content.classes}
    prompts = ["{}"] if name == "yel_low" else []
    outcome = decide.add_class(name, images=colours / "red", prompts=prompts, embedder=embedder).outcome
    assert not outcome["has_text"]
    assert outcome["texts"] == f"texts are left out for {told}"
    (known,) = (one for one in read_memory(path).content.classes if one.name == "yel low")
    np.testing.assert_array_equal(known.text_vector, entries["yel low"])


def test_a_class_of_text_alone_needs_another_text_than_known_ones(path: Path, encoder: FakeEncoder) -> None:
    before = path.read_bytes()
    with pytest.raises(InputError, match="The text of 'azure' is that of the class 'blue'"):
        Decisions(path).add_class("azure", prompts=["a photo of a blue."], embedder=ClassEmbedder(encoder, cache=False))
    assert path.read_bytes() == before


def test_an_update_and_an_accepted_class_leave_out_such_texts_too(
    path: Path, colours: Path, encoder: FakeEncoder
) -> None:
    decide, embedder = Decisions(path), ClassEmbedder(encoder, cache=False)
    (colours / "red").rename(colours / "7")
    outcome = decide.update(colours, embedder=embedder).outcome
    assert outcome["texts"] == "texts are left out for 1 class whose name is a code (7)"
    decide.undo()
    _propose(path)
    named = Decisions(path, words=lambda name: embedder.in_words(path, name)).accept(1, "DSC")
    assert named.outcome["texts"] == "texts are left out for 1 class whose name is a code (DSC)"
