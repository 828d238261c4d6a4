"""A classifier on labelled samples: the measures are those of its predictions, counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from inkling import FewShotClassifier
from inkling.embeddings.samples import Samples
from inkling.errors import InputError
from inkling.evaluate.run import evaluate_classifier, require_known_labels
from inkling.images.sources import find_images
from inkling.reports.content import report_context
from inkling.reports.evaluation import render_report
from inkling.types import SkippedImage
from tests.colours import COLOURS, write_colours
from tests.fakes import FakeEncoder


@pytest.fixture
def classifier(tmp_path: Path) -> FewShotClassifier:
    return FewShotClassifier(FakeEncoder(), head="gda", views=2).fit(write_colours(tmp_path / "train"))


@pytest.fixture
def samples(classifier: FewShotClassifier, tmp_path: Path) -> Samples:
    """Test images: of the known classes, and of one that is none of them."""
    folder = write_colours(tmp_path / "test", 4, colours=(*COLOURS, "white"), seed=1)
    (folder / "red" / "bad.png").write_text("nothing")
    return classifier.embed(find_images(folder).records)


def test_the_figures_are_those_of_the_predictions(classifier: FewShotClassifier, samples: Samples) -> None:
    done = evaluate_classifier(classifier, samples)
    known = [row for row, label in enumerate(samples.labels) if label in COLOURS]
    p = classifier.probabilities(samples.X)[known]
    truth = np.array([COLOURS.index(str(samples.labels[row])) for row in known])
    figures = done.evaluation.to_json()
    assert figures["n"] == 12
    assert figures["top1"] == (p.argmax(axis=1) == truth).mean()
    assert figures["nll"] == pytest.approx(-np.log(p[np.arange(12), truth]).mean(), rel=1e-6)
    z = classifier.fitted.zero_shot_probabilities(samples.X)[known]
    assert figures["zero_shot"]["top1"] == (z.argmax(axis=1) == truth).mean()


def test_what_was_left_out_is_named(classifier: FewShotClassifier, samples: Samples) -> None:
    figures = evaluate_classifier(classifier, samples).evaluation.to_json()
    assert figures["unknown_labels"] == {"count": 4, "names": {"white": 4}}
    (skipped,) = figures["skipped"]
    assert skipped["path"].endswith("bad.png")
    assert figures["head"] == "gda"
    assert figures["encoder_fingerprint"] == "fake-0001"
    assert figures["memory_version"] is None


def test_calibration_is_shown_before_and_after(classifier: FewShotClassifier, samples: Samples) -> None:
    evaluation = evaluate_classifier(classifier, samples).evaluation
    assert evaluation.uncalibrated is not None
    assert classifier.fitted.fitted_head.temperature != 1.0


def test_the_report_shows_images_and_exemplars_but_no_views(classifier: FewShotClassifier, samples: Samples) -> None:
    done = evaluate_classifier(classifier, samples)
    context = report_context(done, memory_name="a.ink", test_name="test", provenance={"date": "today"})
    assert len(context.exemplars.paths) == 15
    assert context.images.paths == samples.paths
    assert_array_equal(context.images.embeddings, samples.embeddings)
    page = render_report(done.evaluation, context)
    assert "a.ink" in page
    assert "today" in page


def test_nothing_to_measure_is_reported(classifier: FewShotClassifier, samples: Samples) -> None:
    with pytest.raises(InputError, match=r"No image can be used\. It is '"):
        evaluate_classifier(classifier, samples.keep([]))
    others = [row for row, label in enumerate(samples.labels) if label == "white"]
    with pytest.raises(InputError, match="labels found: white"):
        evaluate_classifier(classifier, samples.keep(others))
    assert samples.skipped == (SkippedImage(samples.skipped[0].path, samples.skipped[0].reason),)


def test_labels_are_looked_at_before_images() -> None:
    require_known_labels(["ant", None, "fly"], ["ant", "bee"])
    with pytest.raises(InputError, match="labels found: fly"):
        require_known_labels(["fly", None], ["ant", "bee"])
    with pytest.raises(InputError, match="they have no labels"):
        require_known_labels([None, None], ["ant", "bee"])


def test_the_detector_is_judged_on_known_and_other_labels(tmp_path: Path) -> None:
    classifier = FewShotClassifier(FakeEncoder(), head="gda").fit(write_colours(tmp_path / "train", 12))
    folder = write_colours(tmp_path / "test", 6, colours=(*COLOURS, "white"), seed=1)
    samples = classifier.embed(find_images(folder).records)
    done = evaluate_classifier(classifier, samples)
    told = done.evaluation.to_json()["unknown"]
    assert (told["false_alarms"]["n"], told["detected"]["n"]) == (18, 6)
    verdicts = classifier.judge(samples)
    unknown = [bool(one.unknown) for one, label in zip(verdicts, samples.labels, strict=True) if label == "white"]
    assert told["detected"]["share"] == np.mean(unknown)
    context = report_context(done, memory_name="a.ink", test_name="test", provenance={})
    assert "images of other classes" in render_report(done.evaluation, context)


def test_without_a_detector_nothing_is_reported(classifier: FewShotClassifier, samples: Samples) -> None:
    assert classifier.fitted.detector is None
    done = evaluate_classifier(classifier, samples)
    assert done.evaluation.to_json()["unknown"] is None
    context = report_context(done, memory_name="a.ink", test_name="test", provenance={})
    assert 'id="unknown"' not in render_report(done.evaluation, context)


@pytest.mark.parametrize("lacking", [(), ("ant",), ("ant", "bee", "cat")])
def test_what_has_no_zero_shot_says_why(lacking: tuple[str, ...]) -> None:
    X = (
        np.random.default_rng(0).normal(size=(3, 8)).repeat(6, axis=0)
        + np.random.default_rng(1).normal(size=(18, 8)) / 9
    )
    names = ("ant", "bee", "cat")
    texts = np.stack([np.full(8, np.nan) if name in lacking else X[6 * k] for k, name in enumerate(names)])
    given = {} if len(lacking) == 3 else {"text_vectors": texts, "class_names": names}
    classifier = FewShotClassifier(head="prototype").fit_embeddings(X, np.repeat(names, 6), **given)
    why = classifier.fitted.why_no_zero_shot
    assert (why is None) == (classifier.fitted.zero_shot_probabilities(X) is not None) == (not lacking)
    assert why is None or "without one" in why or "no class has a text vector" in why
