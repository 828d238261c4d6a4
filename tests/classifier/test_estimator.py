"""The classifier among scikit-learn's tools, and through pickle, joblib and a fork."""

from __future__ import annotations

import os
import pickle
from io import BytesIO
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer
from sklearn.utils.validation import check_is_fitted

from inkling import ClassPrompts, FewShotClassifier
from inkling.errors import InputError
from tests.colours import COLOURS, picture, write_colours
from tests.fakes import FakeEncoder

PICTURES = [picture(colour, number) for colour in COLOURS for number in range(6)]
LABELS = np.repeat(COLOURS, 6)
X = np.eye(3, 8).repeat(6, axis=0) + 0.1 * np.random.default_rng(0).normal(size=(18, 8))


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return sorted(write_colours(tmp_path / "train", 6).rglob("*.png"))


class TestOptions:
    def test_they_come_back_as_they_were_given(self) -> None:
        encoder, prompts = FakeEncoder(), [ClassPrompts("red", ("a red.",))]
        classifier = FewShotClassifier(encoder, head="gda", views=2, prompts=prompts, device="cpu", cache=False)
        options = classifier.get_params()
        assert options["encoder"] is encoder
        assert (options["head"], options["views"], options["device"], options["cache"]) == ("gda", 2, "cpu", False)
        assert FewShotClassifier(**options).get_params() == options

    def test_they_can_be_changed(self) -> None:
        classifier = FewShotClassifier(FakeEncoder()).fit(PICTURES, LABELS)
        assert classifier.encoder.identity.name == "fake"
        assert classifier.set_params(head="prototype", encoder=FakeEncoder(name="other")) is classifier
        assert classifier.head == "prototype"
        assert classifier.encoder.identity.name == "other"
        assert classifier.set_params() is classifier

    def test_dimensions_cut_what_is_given_by_name_and_what_is_given_as_it_is(self, paths: list[Path]) -> None:
        for encoder in ("sketch", FakeEncoder()):
            classifier = FewShotClassifier(encoder, dimensions=8, head="prototype", cache=False)
            classifier.fit(paths, [path.parent.name for path in paths])
            assert classifier.fitted.samples.embeddings.shape[1] == 8
            assert clone(classifier).encoder.identity == classifier.encoder.identity
            assert classifier.set_params(dimensions=5).encoder.identity.dimension == 5
            assert classifier.set_params(dimensions=None).encoder.identity.dimension > 8

    @pytest.mark.parametrize(
        "wrong", [{"heads": "gda"}, {"head": "nothing"}, {"views": 0}, {"seed": -1}, {"dimensions": 0}]
    )
    def test_wrong_ones_are_refused_and_change_nothing(self, wrong: dict[str, Any]) -> None:
        classifier = FewShotClassifier("sketch")
        before = classifier.get_params()
        with pytest.raises(InputError):
            classifier.set_params(**({"head": "gda"} | wrong))
        assert classifier.get_params() == before

    def test_a_clone_shares_the_encoder_and_has_learned_nothing(self) -> None:
        classifier = FewShotClassifier(FakeEncoder(), head="gda").fit(PICTURES, LABELS)
        twin = clone(classifier)
        assert twin.get_params() == classifier.get_params()
        assert twin.encoder is classifier.encoder
        check_is_fitted(classifier)
        with pytest.raises(NotFittedError):
            check_is_fitted(twin)
        assert is_classifier(twin)


class TestTools:
    def test_cross_validation_on_paths_pictures_and_vectors(self, paths: list[Path]) -> None:
        classifier = FewShotClassifier(FakeEncoder(), head="prototype")
        names = [path.parent.name for path in paths]
        assert cross_val_score(classifier, paths, names, cv=3).tolist() == [1.0] * 3
        assert cross_val_score(classifier, PICTURES, LABELS, cv=3).tolist() == [1.0] * 3
        for y in (LABELS, np.arange(18) // 6, LABELS.tolist()):
            assert cross_val_score(classifier, X, y, cv=3, scoring="accuracy").tolist() == [1.0] * 3
            assert cross_val_score(classifier, X, y, cv=3, scoring="neg_log_loss").min() > -0.7
        found = cross_val_predict(classifier, X, LABELS, cv=GroupKFold(3), groups=np.arange(18) % 3)
        assert found.tolist() == LABELS.tolist()

    def test_a_grid_finds_the_better_option(self) -> None:
        search = GridSearchCV(FewShotClassifier(FakeEncoder(), cache=False), {"head": ["gda", "prototype"]}, cv=2)
        search.fit(PICTURES, LABELS)
        assert search.best_params_["head"] in ("gda", "prototype")
        assert search.predict(PICTURES[:1]).tolist() == [COLOURS[0]]
        assert search.classes_.tolist() == list(COLOURS)

    def test_a_pipeline_ends_in_it(self, paths: list[Path]) -> None:
        vectors = make_pipeline(Normalizer(), FewShotClassifier(head="gda")).fit(X, LABELS)
        assert vectors.score(X, LABELS) == 1.0
        assert vectors.predict_proba(X).shape == (18, 3)
        files = Pipeline([("same", FunctionTransformer()), ("classify", FewShotClassifier(FakeEncoder()))])
        files.set_params(classify__head="prototype").fit(paths, [path.parent.name for path in paths])
        assert files.predict(paths[:1]).tolist() == [paths[0].parent.name]


def through_pickle(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))


def through_joblib(thing: Any) -> Any:
    file = BytesIO()
    joblib.dump(thing, file)
    file.seek(0)
    return joblib.load(file)


@pytest.mark.parametrize("carried", [through_pickle, through_joblib])
class TestCarried:
    def test_before_and_after_predict(self, carried: Any, tmp_path: Path) -> None:
        classifier = FewShotClassifier("sketch", cache=tmp_path).fit(PICTURES, LABELS)
        before = carried(classifier)
        expected = classifier.predict_proba(PICTURES)
        after = carried(classifier)
        for one in (before, after, carried(after)):
            assert_array_equal(one.predict_proba(PICTURES), expected)
            assert one.get_params() == classifier.get_params()

    def test_with_an_open_encoder_and_without_anything_learned(self, carried: Any) -> None:
        from inkling.encoders.registry import load_encoder

        classifier = carried(FewShotClassifier(load_encoder("sketch"), cache=False)).fit(PICTURES, LABELS)
        expected = classifier.predict_proba(PICTURES)
        assert_array_equal(carried(classifier).predict_proba(PICTURES), expected)

    def test_on_vectors(self, carried: Any) -> None:
        classifier = FewShotClassifier().fit_embeddings(X, np.arange(18) // 6)
        assert_array_equal(carried(classifier).predict_embeddings(X), np.arange(18) // 6)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("cached", [True, False])
def test_a_forked_child_predicts_after_its_parent_did(tmp_path: Path, cached: bool) -> None:
    classifier = FewShotClassifier("sketch", cache=tmp_path if cached else False).fit(PICTURES, LABELS)
    expected = classifier.predict(PICTURES)
    fresh = [picture(colour, 50 + number) for colour in COLOURS for number in range(3)]
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        same = (classifier.predict(PICTURES) == expected).all() and len(classifier.predict(fresh)) == 9
        os._exit(0 if same else 1)
    assert _exit_status(child, seconds=60) == 0


def _exit_status(child: int, *, seconds: float) -> int:
    """Of a child, which is killed if it hangs."""
    import signal
    import time

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        number, status = os.waitpid(child, os.WNOHANG)
        if number:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
