"""Prediction sets of a fitted classifier: the classes that hold the right one at a rate that is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from inkling.classifier.inputs import Errors
from inkling.classifier.predictor import Predictor
from inkling.heads.prediction_sets import Coverage
from inkling.types import FloatArray

LabelSet = tuple[Any, ...]


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
        asked = Coverage(coverage, by_class, randomized)
        p = self.predict_proba(images, errors=errors)
        found: list[LabelSet | None] = [None] * len(p)
        read = np.flatnonzero(~np.isnan(p[:, 0]))
        for row, its_set in zip(read.tolist(), self._label_sets(p[read], asked), strict=True):
            found[row] = its_set
        return found

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
        return self._label_sets(self.probabilities(X), Coverage(coverage, by_class, randomized))

    def _label_sets(self, p: FloatArray, coverage: Coverage) -> list[LabelSet]:
        fitted = self.fitted
        label_of = dict(zip(fitted.classes, self.classes_.tolist(), strict=True))
        return [tuple(label_of[name] for name in names) for names in fitted.sets_of(p, coverage)]
