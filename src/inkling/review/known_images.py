"""The images of the known classes, as discovery compares new ones with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.classifier.few_shot import FewShotClassifier
from inkling.heads.scatter import class_means
from inkling.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class KnownImages:
    """The known classes as discovery compares with them: those that have images.

    Attributes
    ----------
    X, y
        Embeddings, one a source, (m, d), and class indices, (m,): views of an image and frames of a burst count once,
        or a class would seem to vary less than it does, and new ones would fall apart.
    names
        Name of each class index.
    thumbnails, of_class
        Those of the images, (n,), and the class index of each, (n,).
    """

    X: FloatArray
    y: IntArray
    names: tuple[str, ...]
    thumbnails: tuple[bytes | None, ...]
    of_class: IntArray

    @classmethod
    def of(cls, classifier: FewShotClassifier) -> KnownImages:
        """Those of a classifier. A class that is known by its text alone has no image to compare with."""
        fitted = classifier.fitted
        vectors = fitted.vectors
        columns, y = np.unique(vectors.y, return_inverse=True)
        names = tuple(str(fitted.classes[column]) for column in columns)
        X, of_source = _one_a_source(vectors.embeddings, y, vectors.sources)
        return cls(X, of_source, names, fitted.samples.thumbnails, y)


def _one_a_source(X: FloatArray, y: IntArray, sources: IntArray) -> tuple[FloatArray, IntArray]:
    """Mean vector and class of each source; all images where no class has two sources."""
    _, first, source = np.unique(np.stack([y, sources]), axis=1, return_index=True, return_inverse=True)
    source = np.asarray(source).ravel()
    if np.bincount(y[first]).max() < 2:
        return X, y
    return class_means(X, source, len(first)), y[first]
