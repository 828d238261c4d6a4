"""What all heads share: a scikit-learn classifier on arrays that may know a text vector of each class.

Columns of X are the embedding, in the space that images and texts share, and after it, where the encoder has a second
image-side output, the feature. Each of the two blocks is brought to unit length, so scaling an input changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, cast

import numpy as np

from inkling.heads.checks import (
    check_classes_known,
    check_option,
    check_widths,
    few_images_a_class,
    known_labels,
    text_by_class,
)
from inkling.heads.estimator import FLOATS, Estimator
from inkling.heads.softmax import softmax
from inkling.heads.support import Support, complete_support, has_text, unit_blocks, unit_rows
from inkling.types import FloatArray, HeadState, IntArray

CHUNK = 4096
"""Rows scored at a time, so that memory does not grow with the number of images."""


@dataclass(eq=False, repr=False)
class Head(Estimator):
    """Base of the heads. A subclass gives `_learn` and `_score`.

    Parameters
    ----------
    text_vectors
        Text prototypes t_k of the classes, (n_classes, d), in the order of `classes`; a row of NaN where a class has
        no text vector. None to work from images alone.
    classes
        Labels that the rows of `text_vectors` belong to. None: the labels met in fitting, sorted. A class that is
        named here and has no image takes part through its text vector.
    logit_scale
        Factor s on cosines of images and texts (100 for CLIP).
    embedding_dims
        Length d of the embedding, the first columns of X. None: that of `text_vectors`, else all columns.

    Attributes
    ----------
    classes_
        Labels, sorted, (n_classes,).
    """

    text_vectors: FloatArray | None = None
    classes: Sequence[Any] | None = None
    logit_scale: float = 100.0
    embedding_dims: int | None = None

    name: ClassVar[str]

    def fit(self, X: FloatArray, y: Any) -> Self:
        """Learn from embeddings X (n_samples, n_dims) with labels y (n_samples,)."""
        support = self._begin(X, y)
        with few_images_a_class():
            self._learn(support)
        self._settle()
        return self

    def learn(self, support: Support, *, embedding_dims: int, lightly: bool = False) -> Self:
        """Learn from a support set that is already complete, its labels the class indices; for heads made of heads.

        Parameters
        ----------
        lightly
            Keep what is learned as float32: scores are as good with it, since vectors are float32 too.
        """
        self.classes_, self.embedding_dims_ = np.arange(support.n_classes), embedding_dims
        self.n_features_in_ = support.n_dims
        self._learn(support)
        if lightly:
            self._lighten()
        self._settle()
        return self

    def _begin(self, X: FloatArray, y: Any) -> Support:
        """Check the input, set what every fitted head has, and return the support set."""
        from sklearn.utils.multiclass import check_classification_targets
        from sklearn.utils.validation import validate_data

        X, y = validate_data(self, X, y, dtype=list(FLOATS))
        with few_images_a_class():
            check_classification_targets(y)
        check_option(self.logit_scale > 0, "logit_scale", self.logit_scale, "above 0")
        self.classes_ = known_labels(y, self.classes)
        return self._support(X, np.searchsorted(self.classes_, y))

    def logits(self, X: FloatArray) -> FloatArray:
        """Class scores z (n_samples, n_classes) before the softmax, whatever the number of classes."""
        X = self._checked(X)
        return np.concatenate([self.scores(X[i : i + CHUNK]) for i in range(0, len(X), CHUNK)])

    def scores(self, X: FloatArray) -> FloatArray:
        """The same of rows that are known to be sound, all at once."""
        return self._score(unit_blocks(X, self.embedding_dims_))

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Class scores; with two classes the margin of the second, as scikit-learn has it."""
        z = self.logits(X)
        return z[:, 1] - z[:, 0] if z.shape[1] == 2 else z

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Softmax of the class scores. Calibrated only as far as the head calibrates itself."""
        return softmax(self.logits(X).astype(np.float64))

    def predict(self, X: FloatArray) -> Any:
        """Label with the highest score."""
        best = self.logits(X).argmax(axis=1)
        return self.classes_[best]

    def state(self) -> HeadState:
        """What sets the fitted head up again, without pickle."""
        self._check_fitted()
        learned = {key: value for key, value in vars(self).items() if key.endswith("_")}
        arrays = {key: value for key, value in learned.items() if isinstance(value, np.ndarray)}
        arrays = {key: value for key, value in arrays.items() if key not in ("classes_", "feature_names_in_")}
        params = {field.name: getattr(self, field.name) for field in fields(self)}
        params |= {key: value for key, value in learned.items() if not isinstance(value, np.ndarray)}
        params |= {"text_vectors": None, "classes": self.classes_.tolist()}
        return HeadState(self.name, params, arrays)

    @classmethod
    def from_state(cls, state: HeadState) -> Self:
        """Inverse of `state`."""
        params = dict(state.params)
        own = {field.name for field in fields(cls)}
        head = cls(**{key: value for key, value in params.items() if key in own})
        for key, value in params.items():
            if key not in own:
                setattr(head, key, value)
        for key, value in state.arrays.items():
            setattr(head, key, value)
        head.classes_ = np.asarray(params["classes"])
        head._settle()
        return head

    def _support(self, X: FloatArray, y: IntArray) -> Support:
        """Support set with unit blocks, and stand-ins where a class has no image or no text vector."""
        text = self._own_text()
        width = X.shape[1] if text is None else text.shape[1]
        self.embedding_dims_ = int(width if self.embedding_dims is None else self.embedding_dims)
        check_widths(X.shape[1], self.embedding_dims_, text)
        seen = np.bincount(y, minlength=len(self.classes_)) > 0
        check_classes_known(seen if text is None else seen | has_text(text), self.classes_.tolist())
        return complete_support(unit_blocks(X, self.embedding_dims_), y, text, len(self.classes_), self.embedding_dims_)

    def _own_text(self) -> FloatArray | None:
        """Text vectors in the order of `classes_`, NaN where a class has none."""
        return text_by_class(self.text_vectors, self.classes, self.classes_)

    def _text_logits(self, X: FloatArray, text: FloatArray) -> FloatArray:
        """Zero-shot scores s f.t_k of rows with unit blocks."""
        return cast(FloatArray, self.logit_scale * unit_rows(X[:, : self.embedding_dims_]) @ text.T)

    def _learn(self, support: Support) -> None:
        """Set the learned attributes, whose names end in an underscore."""
        raise NotImplementedError

    def _lighten(self) -> None:
        for name, value in vars(self).items():
            if name.endswith("_") and isinstance(value, np.ndarray) and value.dtype == np.float64:
                setattr(self, name, value.astype(np.float32))

    def _settle(self) -> None:
        """Lay arrays out as those of a file are, since sums in another order differ in the last bits; then prepare."""
        for name, value in vars(self).items():
            if name.endswith("_") and isinstance(value, np.ndarray):
                setattr(self, name, np.asarray(value, order="C"))
        self._prepare()

    def _prepare(self) -> None:
        """Set what scoring needs beside the learned attributes and is worked out from them; not part of the state."""

    def _score(self, X: FloatArray) -> FloatArray:
        """Scores (n, n_classes) of rows with unit blocks."""
        raise NotImplementedError
