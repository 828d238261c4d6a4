"""Class means and scatter in which unlabelled images take part.

A mixture of the classes is fitted to labelled and unlabelled images together by expectation-maximization: each
unlabelled image counts for a class as far as it probably belongs to it, each labelled one counts wholly. The labelled
images anchor the means as Zanella et al. 2025 (StatA, 2501.03729) do with what is known beforehand: a class to which
few unlabelled images belong stays where its labelled ones have it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from inkling.heads.experts import ONE_SHOT_WEIGHT, SHRINKAGE
from inkling.heads.prototype import PrototypeHead
from inkling.heads.scatter import Scatter, scatter_of
from inkling.heads.softmax import softmax
from inkling.heads.support import Support
from inkling.types import BoolArray, FloatArray

ROUNDS = 5
FLATTENED = 1.0 / ONE_SHOT_WEIGHT
"""Temperature of the scores by which unlabelled images are shared out."""
LEAST_ALIKE = 0.1
"""Share of labelled images that are less like any of another class than an unlabelled one must be like some image."""
JUDGES = 2_000
"""Images compared at a time, and labelled ones that this is measured on."""
COPY = 1.0 - 1e-6
"""Cosine of one picture's vectors, computed twice."""
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class TransductiveSupport(Support):
    """A support set whose means and scatter unlabelled images take part in; its rows are the labelled ones alone.

    Attributes
    ----------
    unlabelled
        Unlabelled images in the space of X, (n_unlabelled, n_dims).
    shares
        How far each belongs to each class, (n_unlabelled, n_classes); rows add up to one.
    """

    unlabelled: FloatArray
    shares: FloatArray

    @cached_property
    def counts(self) -> FloatArray:  # type: ignore[override]  # shares of images are no whole numbers
        """Images of each class, shares of unlabelled ones among them, (n_classes,)."""
        return np.asarray(np.bincount(self.y, minlength=self.n_classes) + self.shares.sum(axis=0))

    @cached_property
    def means(self) -> FloatArray:
        """Class means, (n_classes, n_dims)."""
        sums = self.shares.T @ self.unlabelled.astype(np.float64)
        np.add.at(sums, self.y, self.X)
        return sums / self.counts[:, None]

    @cached_property
    def scatter(self) -> Scatter:
        """Scatter of labelled images about their class means, and of unlabelled ones about the mean they expect."""
        labelled = self.X[: self.n_real] - self.means[self.y[: self.n_real]].astype(self.X.dtype)
        unlabelled = self.unlabelled - (self.shares @ self.means).astype(self.X.dtype)
        return scatter_of(np.concatenate([labelled, unlabelled]))

    @property
    def degrees(self) -> int:
        """Degrees of freedom of the scatter."""
        return self.n_examples + len(self.unlabelled) - self.n_classes

    @property
    def presence(self) -> float:
        """Of how many classes there seem to be unlabelled images, as a share: the perplexity of what each has."""
        if not len(self.unlabelled):
            return 0.0
        share = np.maximum(self.shares.mean(axis=0), TINY)
        return float(np.exp(-(share * np.log(share)).sum()) / self.n_classes)


def transductive_support(
    support: Support, unlabelled: FloatArray, *, shrinkage: float, text_logits: FloatArray | None, text_weight: float
) -> TransductiveSupport:
    """The support set with unlabelled images in its means and scatter.

    Parameters
    ----------
    unlabelled
        (n_unlabelled, n_dims), in the space of the support set.
    shrinkage
        Of the covariance of the labelled images alone, by which unlabelled ones are first shared out.
    text_logits
        Scores of the unlabelled images by the texts of the classes, (n_unlabelled, n_classes).
    text_weight
        Of the scores by images beside those.
    """
    nobody = np.zeros((len(unlabelled), support.n_classes))
    rows = support.X, support.y, support.n_real, support.n_classes, None
    found = TransductiveSupport(*rows, unlabelled[:0], nobody[:0])
    if not len(unlabelled):
        return found
    seen: Support = support
    for _ in range(ROUNDS):
        z = PrototypeHead(shrinkage=shrinkage).learn(seen, embedding_dims=support.n_dims).scores(unlabelled)
        shares = softmax(z / FLATTENED if text_logits is None else text_weight * z + text_logits)
        seen = found = replace(found, unlabelled=unlabelled, shares=shares)
        shrinkage = SHRINKAGE
    return found


def alike(unlabelled: FloatArray, support: Support) -> BoolArray:
    """Which unlabelled images (n_unlabelled, n_dims) are as like a labelled one as those of two classes are.

    What is less like any of them than most are like one of another class is of no class that is known: it would pull
    the mean of whichever is nearest. A copy of a labelled image has its say already.
    """
    X, y = support.X, support.y
    judges = np.linspace(0, len(X) - 1, min(len(X), JUDGES)).astype(np.int64)
    between = np.where(y[judges, None] == y, -1.0, X[judges] @ X.T).max(axis=1)
    least = np.quantile(between, LEAST_ALIKE)
    nearest = [(unlabelled[i : i + JUDGES] @ X.T).max(axis=1) for i in range(0, len(unlabelled), JUDGES)]
    found = np.concatenate([np.zeros(0, dtype=X.dtype), *nearest])
    return np.asarray((found >= least) & (found < COPY))
