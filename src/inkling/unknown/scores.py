"""How unlike the known classes an image is: one number each, higher is less alike.

No score wins everywhere. Each states for which classes it can't be computed, and why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np

from inkling.heads.products import product
from inkling.heads.softmax import logsumexp, softmax
from inkling.types import FloatArray
from inkling.unknown.ensembles import entropy, member_probabilities, mutual_information
from inkling.unknown.known_classes import Images, Known

MCM_TEMPERATURE = 0.05
"""On cosines to class means, which lie further apart than those to texts."""
TEXT_TEMPERATURE = 0.01


@dataclass(frozen=True)
class Score:
    """One way to score how unlike the known classes images are.

    Attributes
    ----------
    name
        Name in reports.
    rate
        Score of images, (n,).
    lacks
        What the known classes lack for it, or None where it can be computed.
    """

    name: str
    rate: Callable[[Images], FloatArray]
    lacks: Callable[[Known], str | None]


def msp(images: Images) -> FloatArray:
    """-log max_k p_k, which orders images as 1 - max_k p_k does. Hendrycks and Gimpel 2017, 1610.02136."""
    return cast(FloatArray, -images.log_p.max(axis=1))


def predictive_entropy(images: Images) -> FloatArray:
    """H(p)."""
    return entropy(np.exp(images.log_p))


def max_logit(images: Images) -> FloatArray:
    """-max_k z_k. Hendrycks et al. 2022, 1911.11132."""
    return cast(FloatArray, -images.logits.max(axis=1))


def energy(images: Images) -> FloatArray:
    """-log sum_k exp z_k. Liu et al. 2020, 2010.03759."""
    return -logsumexp(images.logits)


def mcm(images: Images) -> FloatArray:
    """-max_k softmax(f.m_k / tau) on unit class means. Ming et al. 2022, 2211.13445."""
    return cast(FloatArray, -softmax(images.mean_cosines / MCM_TEMPERATURE).max(axis=1))


def text_mcm(images: Images) -> FloatArray:
    """-max_k softmax(f.t_k / tau) on texts, as published."""
    return cast(FloatArray, -softmax(images.text_cosines / TEXT_TEMPERATURE).max(axis=1))


def text_cosine(images: Images) -> FloatArray:
    """-max_k f.t_k."""
    return cast(FloatArray, -images.text_cosines.max(axis=1))


def mean_cosine(images: Images) -> FloatArray:
    """-max_k cos(f, m_k) to the class means."""
    return cast(FloatArray, -images.mean_cosines.max(axis=1))


def whitened_cosine(images: Images) -> FloatArray:
    """-max_k cos(L(f - m), L(m_k - m)), L whitening by the covariance within classes."""
    return cast(FloatArray, -images.whitened_cosines.max(axis=1))


def knn(images: Images) -> FloatArray:
    """-max_i f.x_i over the exemplars: the nearest one of all. Sun et al. 2022, 2204.06507."""
    return cast(FloatArray, -product(images.plain, images.known.exemplars.T).max(axis=1))


def mahalanobis(images: Images) -> FloatArray:
    """min_k (f - m_k)' S^-1 (f - m_k). Lee et al. 2018, 1807.03888."""
    return cast(FloatArray, images.distances.min(axis=1))


def relative_mahalanobis(images: Images) -> FloatArray:
    """The same less (f - m)' (S + B)^-1 (f - m), B the covariance of the class means. Ren et al. 2021, 2106.09022."""
    axes, variances, elsewhere = images.known.background
    along = (images.gaussian @ axes) ** 2
    off_axes = (images.gaussian**2).sum(axis=1) - along.sum(axis=1)
    background = (along / (1.0 + variances)).sum(axis=1) + off_axes / (1.0 + elsewhere)
    return cast(FloatArray, images.distances.min(axis=1) - background)


def plda(images: Images) -> FloatArray:
    """Log-likelihood ratio of a new class against the best known one, all dimensions on one scale."""
    return images.known.even_plda(images.even)


def plain_plda(images: Images) -> FloatArray:
    """The same in the space of unit vectors."""
    return images.known.plain_plda(images.plain)


def local_plda(images: Images) -> FloatArray:
    """The ratio where the likeliest known classes have covariances of their own."""
    return images.known.local_plda(images.even)


def negative_labels(images: Images) -> FloatArray:
    """log of sum_negative e^(s f.t) / sum_known e^(s f.t), which orders as the share of the negatives.

    Jiang et al. 2024, 2403.20078.
    """
    s = images.known.logit_scale
    negative = logsumexp(s * (images.unit_embeddings @ images.known.negatives.T))
    return cast(FloatArray, negative - logsumexp(s * images.text_cosines))


def ensemble(images: Images) -> FloatArray:
    """Mutual information of image and member, over bootstrapped supports and dropout on the head."""
    return mutual_information(member_probabilities(images.whitened, images.known.members))


def _nothing(_: Known) -> None:
    return None


def _several_classes(known: Known) -> str | None:
    return "probabilities need at least two classes" if len(known.plain.means) < 2 else None


def _texts(known: Known) -> str | None:
    return None if len(known.text) else "no class has a text vector"


def _negatives(known: Known) -> str | None:
    return _texts(known) or (None if len(known.negatives) else "no names that are no known class were given")


def _shots(known: Known) -> str | None:
    return "one image a class tells nothing of how images of a class differ" if known.shots < 2 else None


def _exemplars(known: Known) -> str | None:
    return _shots(known) or (None if len(known.exemplar_classes) else "an earlier release kept no classes of exemplars")


def _members(known: Known) -> str | None:
    many = None if len(known.members) else "an ensemble of so many classes would slow every prediction"
    return _several_classes(known) or _shots(known) or many


SCORES: dict[str, Score] = {
    score.name: score
    for score in (
        Score("msp", msp, _several_classes),
        Score("entropy", predictive_entropy, _several_classes),
        Score("max_logit", max_logit, _nothing),
        Score("energy", energy, _nothing),
        Score("mcm", mcm, _several_classes),
        Score("text_mcm", text_mcm, lambda known: _texts(known) or _several_classes(known)),
        Score("text_cosine", text_cosine, _texts),
        Score("mean_cosine", mean_cosine, _nothing),
        Score("whitened_cosine", whitened_cosine, _several_classes),
        Score("knn", knn, _nothing),
        Score("mahalanobis", mahalanobis, _shots),
        Score("relative_mahalanobis", relative_mahalanobis, _shots),
        Score("plda", plda, _shots),
        Score("plain_plda", plain_plda, _shots),
        Score("local_plda", local_plda, _exemplars),
        Score("negative_labels", negative_labels, _negatives),
        Score("ensemble", ensemble, _members),
    )
}
"""The scores by name."""


TRUSTED = ("plda", "plain_plda", "local_plda")
"""Scores that count alike unless classes left out show otherwise: together they lose on no set of images alone. Where
classes have texts, what those say weighs as much."""
ALWAYS = "mean_cosine"
"""A score that can be computed for any known classes."""


def score_table(known: Known, X: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """Scores (n, n_scores) of vectors X (n, n_dims)."""
    images = Images(known, X)
    return np.column_stack([SCORES[name].rate(images) for name in names]).astype(np.float64)
