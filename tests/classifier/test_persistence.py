"""What was fitted, to the content of a memory and back, and where it came from."""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from numpy.testing import assert_array_equal

from inkling import FewShotClassifier
from inkling.classifier.fitted import FittedClassifier
from inkling.classifier.persistence import from_memory, to_memory
from inkling.errors import MemoryFileError
from inkling.memory.content import check_content
from inkling.memory.store import read_memory, switch_encoder, write_memory
from inkling.provenance import current_command, data_hash
from inkling.review.decisions import Decisions
from inkling.types import SkippedImage
from tests.colours import write_colours
from tests.fakes import FakeEncoder
from tests.heads.samples import draw_task


@pytest.fixture
def fitted(tmp_path: Path) -> FittedClassifier:
    train = write_colours(tmp_path / "train", 4)
    (train / "red" / "bad.png").write_text("nothing")
    return FewShotClassifier(FakeEncoder(), views=2, seed=6).fit(train).fitted


def test_all_that_was_fitted_comes_back(fitted: FittedClassifier, tmp_path: Path) -> None:
    content = to_memory(fitted, command="inkling fit train")
    check_content(content)
    write_memory(tmp_path / "a.ink", content)
    back = from_memory(read_memory(tmp_path / "a.ink").content)
    for field in ("identity", "paths", "labels", "content_hashes", "thumbnails", "views", "skipped"):
        assert getattr(back.samples, field) == getattr(fitted.samples, field)
    assert_array_equal(back.samples.X, fitted.samples.X)
    assert_array_equal(back.text_vectors, fitted.text_vectors)
    assert (back.classes, back.head, back.seed) == (fitted.classes, "auto", 6)
    assert back.fitted_head.finding == fitted.fitted_head.finding
    assert back.fitted_head.calibration == fitted.fitted_head.calibration
    assert_array_equal(
        back.fitted_head.probabilities(fitted.samples.X), fitted.fitted_head.probabilities(fitted.samples.X)
    )


def test_a_memory_says_where_it_came_from(fitted: FittedClassifier) -> None:
    provenance = to_memory(fitted, command="inkling fit train").provenance
    assert provenance.command == "inkling fit train"
    assert provenance.seed == 6
    assert "numpy" in provenance.versions
    assert provenance.data_hash == data_hash(fitted.samples.content_hashes, map(str, fitted.samples.labels))


def test_only_the_image_itself_has_a_thumbnail(fitted: FittedClassifier) -> None:
    exemplars = to_memory(fitted, command="").exemplars
    assert len(exemplars) == 24
    assert {(exemplar.view, exemplar.thumbnail is None) for exemplar in exemplars} == {(0, False), (1, True)}


def test_skipped_images_are_remembered(fitted: FittedClassifier) -> None:
    (skipped,) = from_memory(to_memory(fitted, command="")).samples.skipped
    assert isinstance(skipped, SkippedImage)
    assert skipped.path.endswith("bad.png")


def test_the_command_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/inkling", "fit", "my photos", "--memory", "\udcff.ink"])
    assert current_command() == "inkling fit 'my photos' --memory '\\udcff.ink'"


def test_what_a_memory_was_trained_on_is_read_when_asked_for(tmp_path: Path) -> None:
    task = draw_task(shots=8)
    fitted = FewShotClassifier(cache=False).fit_embeddings(task.X, [f"class {label}" for label in task.y])
    fitted.save(tmp_path / "a.ink")
    loaded = FewShotClassifier.load(tmp_path / "a.ink", cache=False)
    expected = fitted.fitted.samples
    assert_array_equal(loaded.predict(task.test_X), fitted.predict(task.test_X))
    assert repr(loaded) == f"FewShotClassifier(encoder='precomputed', head='auto', {len(fitted.classes_)} classes)"
    copy = pickle.loads(pickle.dumps(loaded.fitted.samples))
    for samples in (loaded.fitted.samples, copy, loaded.fitted.samples.keep(range(len(expected)))):
        assert_array_equal(samples.X, expected.X)
        assert samples.paths == expected.paths
        assert samples.labels == expected.labels
        assert samples.content_hashes == expected.content_hashes


def test_samples_are_those_of_the_loaded_classes_whatever_was_decided_since(tmp_path: Path) -> None:
    task = draw_task(shots=8)
    path = tmp_path / "a.ink"
    fitted = FewShotClassifier(cache=False).fit_embeddings(task.X, [f"class {label}" for label in task.y])
    fitted.save(path)
    loaded = FewShotClassifier.load(path, cache=False)
    decide = Decisions(path)
    decide.rename("class 0", "class x")
    decide.rename("class 1", "class 0")
    decide.remove_class("class 2")
    rows = [row for row, label in enumerate(fitted.fitted.samples.labels) if label != "class 2"]
    expected = fitted.fitted.samples.keep(rows)
    samples = loaded.fitted.samples
    assert samples.labels == expected.labels
    assert samples.content_hashes == expected.content_hashes
    assert_array_equal(samples.X, expected.X)
    assert_array_equal(loaded.predict(task.test_X), fitted.predict(task.test_X))


def test_samples_of_another_encoder_are_not_read(fitted: FittedClassifier, tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    content = to_memory(fitted, command="")
    write_memory(path, content)
    loaded = FewShotClassifier.load(path, cache=False)
    other = replace(content.encoder, fingerprint="0" * len(content.encoder.fingerprint))
    switch_encoder(path, replace(content, encoder=other), version=1)
    with pytest.raises(MemoryFileError, match="has another encoder by now"):
        loaded.fitted.samples.X  # noqa: B018 - reading it is what fails
