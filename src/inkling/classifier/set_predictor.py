"""What a fitted classifier promises: sets of classes that hold the right one, and answers that may be groups."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from inkling.classifier.inputs import Errors, report_unread, vectors_among
from inkling.classifier.parents import Parents, read_parents
from inkling.classifier.predictor import Predictor
from inkling.classifier.promises import FEWER_VIEWS, Promises
from inkling.discovery.noun_groups import noun_groups
from inkling.discovery.p_values import UNLIKELY, PValues
from inkling.errors import UnlikeTrainingWarning
from inkling.heads.hierarchy import Climbing
from inkling.heads.prediction_sets import Coverage
from inkling.images.handed_over import records_of
from inkling.types import Answer, SkippedImage, Verdict

LabelSet = tuple[Any, ...]
UNLIKE_TRAINING = (
    "These images are less like the known classes than training images that were held out, by more than chance allows: "
    "a promise may be kept less often than asked for. Fit with images of their kind, or look for new classes."
)


class SetPredictor(Predictor):
    """Adds prediction sets, and answers at an error rate, to labels and probabilities."""

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
        paths, verdicts = self._promised(images, Promises(Coverage(coverage, by_class, randomized)), errors)
        sets = dict(zip((one.path for one in verdicts), self._label_sets(verdicts), strict=True))
        return [sets.get(path) for path in paths]

    def predict_sets_embeddings(
        self,
        X: Any,
        *,
        coverage: float = 0.9,
        by_class: bool = False,
        randomized: bool = False,
        views: int | None = None,
    ) -> list[LabelSet]:
        """The same for vectors (n, d + f).

        Parameters
        ----------
        views
            How many views of its image each vector is the mean of; None: single views. Where the classes were learned
            from means of more, a warning says that sets may hold the right class less often.

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
        return self._label_sets(self.judge_embeddings(X, top=1, promises=Promises(asked), views=views), views)

    def climbing(self, *, parents: Parents | None = None, error_rate: float = 0.1) -> Climbing:
        """What `predict_hierarchy` asks for.

        Parameters
        ----------
        parents
            Groups of the classes: a CSV file with the columns ``child`` and ``parent``, or a mapping. None: those
            that the classifier was fitted with, else the wider meanings that the names share as English nouns.
        error_rate
            Share of images of known classes whose answer may be wrong, if they are like the training images.

        Raises
        ------
        InputError
            If the groups are no tree above the classes, or there is none.

        Examples
        --------
        >>> classifier = FewShotClassifier.load("vehicles.ink")
        >>> groups = {"castle": "outdoors", "tree": "outdoors", "cat": "animal"}
        >>> classifier.climbing(parents=groups).hierarchy.above("castle")
        ('outdoors',)
        """
        given = read_parents(parents, self.fitted.classes)
        return Climbing(given or self.fitted.hierarchy or noun_groups(self.fitted.classes), error_rate)

    def predict_hierarchy(
        self,
        images: Any,
        *,
        parents: Parents | None = None,
        error_rate: float = 0.1,
        errors: Errors = "raise",
    ) -> list[Answer | None]:
        """A class for each image where it is sure enough, else the narrowest group of classes that is.

        Parameters
        ----------
        images, errors
            As for `predict`; the answer to an image that was skipped is None.
        parents, error_rate
            As for `climbing`.

        Raises
        ------
        InputError
            As for `climbing`; if an image can't be read, or too few training images could be held out for the rate.

        Examples
        --------
        >>> classifier = FewShotClassifier("sketch").fit("photos/train")
        >>> found = classifier.predict_hierarchy(["photos/test/cat/cat-0000.png"], parents={"cat": "animal"})
        >>> found[0].name
        'cat'
        """
        asked = Promises(climbing=self.climbing(parents=parents, error_rate=error_rate))
        paths, verdicts = self._promised(images, asked, errors)
        self._warn_if_unlike(verdicts)
        answers = {one.path: one.answer for one in verdicts}
        return [answers.get(path) for path in paths]

    def predict_hierarchy_embeddings(
        self, X: Any, *, parents: Parents | None = None, error_rate: float = 0.1, views: int | None = None
    ) -> list[Answer]:
        """The same for vectors (n, d + f), of which `views` says what it says for `predict_sets_embeddings`.

        Raises
        ------
        InputError
            As for `probabilities` and `predict_hierarchy`.

        Examples
        --------
        >>> X, y = np.eye(4).repeat(5, axis=0), np.repeat(["bus", "car", "cat", "dog"], 5)
        >>> X += np.random.default_rng(0).normal(scale=0.1, size=X.shape)
        >>> FewShotClassifier(head="prototype").fit_embeddings(X, y).predict_hierarchy_embeddings(X[:1])[0].name
        'bus'
        """
        asked = Promises(climbing=self.climbing(parents=parents, error_rate=error_rate))
        verdicts = self.judge_embeddings(X, top=1, promises=asked, views=views)
        self._warn_if_unlike(verdicts, views)
        return [one.answer for one in verdicts if one.answer is not None]

    def _promised(self, images: Any, asked: Promises, errors: Errors) -> tuple[list[str], list[Verdict]]:
        """Paths of all images, and verdicts on those that can be read."""
        given = images if vectors_among(images) is not None else records_of(images)
        found = list(self.verdicts(given, top=1, promises=asked))
        report_unread([one for one in found if isinstance(one, SkippedImage)], errors)
        verdicts = [one for one in found if isinstance(one, Verdict)]
        return [one.path for one in (verdicts if given is images else given)], verdicts

    def _label_sets(self, verdicts: Sequence[Verdict], views: int | None = None) -> list[LabelSet]:
        """Sets of labels in the kind that was fitted; warns where images are unlike the training images."""
        self._warn_if_unlike(verdicts, views)
        label_of = dict(zip(self.fitted.classes, self.classes_.tolist(), strict=True))
        return [tuple(label_of[name] for name in one.set or ()) for one in verdicts]

    def _warn_if_unlike(self, verdicts: Sequence[Verdict], views: int | None = None) -> None:
        """Warn where images, each of so many views, are unlike the training images, which promises rest on."""
        p_known = np.array([one.p_known for one in verdicts if one.p_known is not None])
        if self.fitted.of_fewer_views(views):
            warnings.warn(FEWER_VIEWS, UnlikeTrainingWarning, stacklevel=4)
        elif PValues.of(p_known).uniformity < UNLIKELY:
            warnings.warn(UNLIKE_TRAINING, UnlikeTrainingWarning, stacklevel=4)
