"""How likely each label is wrong, from logits of heads that did not see the image. Arrays only.

A label is right with probability 1 - e. Else half of the time it is any other class, and half of the time one that the
heads confuse with the right one: slips of the hand, and slips of the eye. So a label y is met with probability

    p(y | x) = (1 - e) p_y + e sum_t p_t q(y | t),    p = softmax(z / T).

T and e are those under which the labels are likeliest: so probabilities are calibrated for the right labels though
wrong ones are among those that calibrate them, and nobody has to say which. Then P(wrong) follows by Bayes' rule. With
transition matrices estimated from the data this is the noise model of Patrini et al. 2017 (1609.03683). Where the
images say little, a few of them are taken to be known beforehand, with the usual share of wrong labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from inkling.heads.softmax import softmax
from inkling.types import FloatArray, IntArray

ANY_CLASS = 0.5
"""Share of wrong labels that are any other class alike. Counts of wrong labels came out best with it, over labels
flipped at random and to the class most often confused, on four sets of features."""
USUAL_SHARE, PRIOR_IMAGES = 0.03, 30
"""What is assumed beforehand, and how many images' worth of say it has: in the test sets of ten benchmarks 3.3 % of the
labels are wrong (Northcutt et al. 2021, 2103.14749)."""
MOST_SCORES = 2_000_000
"""Images x classes from which T and e are found: more change no digit that is shown."""


@dataclass(frozen=True, eq=False)
class LabelNoise:
    """What was found out about wrong labels.

    Attributes
    ----------
    temperature
        T.
    share
        e, the share of wrong labels.
    confusions
        q (n_classes, n_classes): which label is met, by column, where a label of the class of the row is wrong.
    """

    temperature: float
    share: float
    confusions: FloatArray

    @classmethod
    def fit(cls, logits: FloatArray, y: IntArray, *, seed: int = 0) -> LabelNoise:
        """Find T and e.

        Parameters
        ----------
        logits
            (n, n_classes), each by heads that did not see the image.
        y
            Column of each label, (n,).
        seed
            Draws the images where there are many.
        """
        from scipy.optimize import minimize

        n, n_classes = logits.shape
        most = max(MOST_SCORES // n_classes, 1)
        rows = np.arange(n) if n <= most else np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
        z, y = logits[rows].astype(np.float64), y[rows]
        confusions = _confusions(z)

        def loss(point: FloatArray) -> float:
            right, wrong = _met(z, y, confusions, temperature=float(np.exp(point[0])))
            log_wrong, log_right = -np.logaddexp(0.0, -point[1]), -np.logaddexp(0.0, point[1])
            known = USUAL_SHARE * log_wrong + (1.0 - USUAL_SHARE) * log_right
            share = np.exp(log_wrong)
            met = np.log((1.0 - share) * right + share * wrong + np.finfo(np.float64).tiny).sum()
            return float(-(met + PRIOR_IMAGES * known) / len(y))

        found = minimize(loss, [0.0, -3.0], method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-7}).x
        return cls(float(np.exp(found[0])), float(1.0 / (1.0 + np.exp(-found[1]))), confusions)

    def probabilities(self, logits: FloatArray) -> FloatArray:
        """Calibrated probabilities (n, n_classes) of the right labels."""
        return softmax(logits.astype(np.float64) / self.temperature)

    def p_wrong(self, logits: FloatArray, y: IntArray) -> FloatArray:
        """Probability that each label is wrong, (n,)."""
        right, wrong = _met(logits, y, self.confusions, temperature=self.temperature)
        of_right, of_wrong = (1.0 - self.share) * right, self.share * wrong
        return cast(FloatArray, of_wrong / np.maximum(of_right + of_wrong, np.finfo(np.float64).tiny))


def _met(z: FloatArray, y: IntArray, q: FloatArray, *, temperature: float) -> tuple[FloatArray, FloatArray]:
    """Probability of each label as the right one, and as a wrong one, (n,)."""
    p = softmax(z.astype(np.float64) / temperature)
    return p[np.arange(len(y)), y], np.einsum("nt,nt->n", p, q.T[y])


def _confusions(z: FloatArray) -> FloatArray:
    """q: half spread evenly, half as the heads spread their probability over images of each class."""
    p, n_classes = softmax(z), z.shape[1]
    q = np.full((n_classes, n_classes), 1.0 / n_classes)
    likeliest = p.argmax(axis=1)
    for k in np.unique(likeliest):
        q[k] = p[likeliest == k].mean(axis=0)
    np.fill_diagonal(q, 0.0)
    elsewhere = (1.0 - np.eye(n_classes)) / (n_classes - 1)
    total = q.sum(axis=1, keepdims=True)
    q = np.where(total > 0, q / np.where(total > 0, total, 1.0), elsewhere)
    return cast(FloatArray, ANY_CLASS * elsewhere + (1.0 - ANY_CLASS) * q)
