"""Prediction sets of a fitted classifier: the classes that hold the right one at a rate that is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from inkling.classifier.inputs import Errors, report_unread, vectors_among
from inkling.classifier.predictor import Predictor
from inkling.discovery.p_values import UNLIKELY, PValues
from inkling.errors import UnlikeTrainingWarning
from inkling.heads.prediction_sets import Coverage
from inkling.images.handed_over import records_of
from inkling.types import SkippedImage, Verdict

LabelSet = tuple[Any, ...]
UNLIKE_TRAINING = (
    "These images are less like the known classes than training images that were held out, by more than chance allows: "
    "sets may hold the right class less often than asked for. Fit with images of their kind, or look for new classes."
)


class SetPredictor(Predictor):
    """Adds prediction sets to labels and probabilities."""

    def predict_sets(
        self,
        images: Any,
        *,
        coverage: float = 0.9,
        by_class: bool = False,
        randomized: bool = False,
        errors: Errors = "raise",
    ) -> list[LabelSet | None]:
        """The smallest sets of labels that hold the right one at a rate, likeliest first; one for each image.

        An empty set says that the image is unlike what the classes look like mostly, one of all classes that it tells
        nothing of them.

        Parameters
        ----------
        images, errors
            As for `predict`; the set of an image that was skipped is None.
        coverage
            Share of images of known classes whose set holds the right one, if they are like the training images.
        by_class
            Whether the rate holds for each class with enough training images, not for all images together.
        randomized
            Whether chance (of the classifier's seed) decides about the class on the edge of a set; else it is in.

        Raises
        ------
        InputError
            If an image can't be read, or too few training images could be held out for the rate.

        Examples
        --------
        >>> classifier = FewShotClassifier("sketch").fit("photos/train")
        >>> classifier.predict_sets(["photos/test/cat/cat-0000.png"], coverage=0.8)
        [('cat',)]
        """
        given = images if vectors_among(images) is not None else records_of(images)
        found = list(self.verdicts(given, top=1, coverage=Coverage(coverage, by_class, randomized)))
        verdicts = [one for one in found if isinstance(one, Verdict)]
        report_unread([one for one in found if isinstance(one, SkippedImage)], errors)
        sets = dict(zip((one.path for one in verdicts), self._label_sets(verdicts), strict=True))
        return [sets.get(one.path) for one in (verdicts if given is images else given)]

    def predict_sets_embeddings(
        self, X: Any, *, coverage: float = 0.9, by_class: bool = False, randomized: bool = False
    ) -> list[LabelSet]:
        """The same for vectors (n, d + f).

        Raises
        ------
        InputError
            As for `probabilities` and `predict_sets`.

        Examples
        --------
        >>> X, y = np.eye(4).repeat(5, axis=0), np.repeat([2, 5, 10, 11], 5)
        >>> X += np.random.default_rng(0).normal(scale=0.1, size=X.shape)
        >>> FewShotClassifier(head="prototype").fit_embeddings(X, y).predict_sets_embeddings(X[[0, 5]])
        [(2,), (5,)]
        """
        asked = Coverage(coverage, by_class, randomized)
        return self._label_sets(self.judge_embeddings(X, top=1, coverage=asked))

    def _label_sets(self, verdicts: Sequence[Verdict]) -> list[LabelSet]:
        """Sets of labels in the kind that was fitted; warns where images are unlike the training images."""
        p_known = np.array([one.p_known for one in verdicts if one.p_known is not None])
        if PValues.of(p_known).uniformity < UNLIKELY:
            warnings.warn(UNLIKE_TRAINING, UnlikeTrainingWarning, stacklevel=3)
        label_of = dict(zip(self.fitted.classes, self.classes_.tolist(), strict=True))
        return [tuple(label_of[name] for name in one.set or ()) for one in verdicts]
