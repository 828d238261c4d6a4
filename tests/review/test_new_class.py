"""What a class brings that is added: only that is embedded, with the memory's own encoder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkling import Decisions, FewShotClassifier
from inkling.errors import EncoderMismatchError, InputError
from inkling.memory.discovered import Finding, PooledImage
from inkling.memory.pool import observe
from inkling.memory.proposals import write_proposals
from inkling.memory.store import read_memory
from inkling.review.new_class import ClassEmbedder
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


def test_a_prompt_that_the_encoder_does_not_know_is_reported(path: Path) -> None:
    mute = ClassEmbedder(FakeEncoder(with_texts=False), cache=False)
    with pytest.raises(InputError, match="has no vector for any of these prompts"):
        Decisions(path).add_class("red", prompts=["red"], embedder=mute)


def test_images_that_cannot_be_read_make_no_class(path: Path, tmp_path: Path, encoder: FakeEncoder) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.jpg").write_text("nothing")
    before = path.read_bytes()
    with pytest.raises(InputError, match="None of the 1 images can be used"):
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
