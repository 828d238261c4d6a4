"""Test images that the memory was trained on are found, named and left out unless asked for."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from inkling import FewShotClassifier
from inkling.errors import InputError
from inkling.evaluate.run import evaluate_classifier
from inkling.images.handed_over import records_of
from inkling.reports.content import report_context
from inkling.reports.evaluation import render_report
from inkling.sketch import write_dataset
from tests.cli.program import Inkling

KINDS = ("car", "house", "tree")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``train``, and ``test`` with new pictures, one copy of a training picture and one near-duplicate of another."""
    folder = tmp_path_factory.mktemp("pictures")
    write_dataset(folder / "train", KINDS, 4, seed=1, size=128)
    write_dataset(folder / "test", KINDS, 5, seed=2, size=128)
    copy, near = folder / "train" / "car" / "car-0001.png", folder / "train" / "tree" / "tree-0002.png"
    (folder / "test" / "car" / "copy.png").write_bytes(copy.read_bytes())
    small = Image.open(near).convert("RGB").resize((96, 96))
    written = io.BytesIO()
    small.save(written, "JPEG", quality=70)
    (folder / "test" / "tree" / "smaller.jpg").write_bytes(written.getvalue())
    return folder


@pytest.fixture(scope="module")
def classifier(pictures: Path) -> FewShotClassifier:
    return FewShotClassifier("sketch", cache=False).fit(pictures / "train")


def test_copies_and_near_duplicates_are_left_out_and_named(pictures: Path, classifier: FewShotClassifier) -> None:
    samples = classifier.embed(records_of(pictures / "test"))
    done = evaluate_classifier(classifier, samples)
    found = done.evaluation.context.training_images
    assert [(Path(one.path).name, Path(one.exemplar).name, one.is_copy) for one in found.images] == [
        ("copy.png", "car-0001.png", True),
        ("smaller.jpg", "tree-0002.png", False),
    ]
    assert found.left_out
    assert done.evaluation.n == len(done.samples) == 15
    assert done.evaluation.n_left_out == 2
    page = render_report(done.evaluation, report_context(done, memory_name="a", test_name="b", provenance={}))
    assert "smaller.jpg" in page.split('id="left-out"')[1]
    assert "car-0001.png" in page.split('id="left-out"')[1]


def test_they_count_where_that_is_asked_for_and_it_is_said(pictures: Path, classifier: FewShotClassifier) -> None:
    samples = classifier.embed(records_of(pictures / "test"))
    done = evaluate_classifier(classifier, samples, include_training=True)
    assert done.evaluation.n == 17
    assert len(done.evaluation.context.training_images.images) == 2
    page = render_report(done.evaluation, report_context(done, memory_name="a", test_name="b", provenance={}))
    assert "2 images of the training are among the test images" in page
    assert 'id="left-out"' not in page


def test_nothing_but_training_images_is_refused(pictures: Path, classifier: FewShotClassifier) -> None:
    samples = classifier.embed(records_of(pictures / "train"))
    with pytest.raises(InputError, match="All 12 test images"):
        evaluate_classifier(classifier, samples)


def test_the_command_says_which(tmp_path: Path, pictures: Path) -> None:
    inkling = Inkling(tmp_path, tmp_path / "cache")
    assert inkling.here("fit", pictures / "train", "--memory", "a.ink", "--encoder", "sketch").code == 0
    told = inkling.here("evaluate", "a.ink", pictures / "test")
    assert "trained on 2 test images (1 as the same file, 1 as a near-duplicate)" in told.err
    assert "Left out" in told.err
    facts = inkling.here("evaluate", "a.ink", pictures / "test", "--include-training", "--json", "-").json()
    assert facts["n"] == 17
    assert (facts["training_images"]["copies"], facts["training_images"]["near_duplicates"]) == (1, 1)
    inkling.here("evaluate", "a.ink", pictures / "train").refused("--include-training")
