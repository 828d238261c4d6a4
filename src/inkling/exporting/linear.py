"""Heads that are one linear layer on unit vectors, as that layer: z = s (W v + b), probabilities = softmax(z / T).

v is the embedding at unit length and, for heads that read it, the feature at unit length behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from inkling.classifier.fitted import FittedClassifier
from inkling.errors import InputError
from inkling.heads import AnchoredHead, AutoHead, GDAHead, Head, LogisticHead, ZeroShotHead
from inkling.heads.experts import ZERO_SHOT
from inkling.types import FloatArray

LINEAR_HEADS = ("zero-shot", "gda", "logistic", "anchored")
"""Heads that always are one linear layer, as `inkling fit --head` calls them."""


@dataclass(frozen=True, eq=False)
class LinearHead:
    """A linear layer with its softmax.

    Attributes
    ----------
    weights, bias
        W (n_classes, d), or (n_classes, d + f) where the feature counts, and b (n_classes,).
    logit_scale, temperature
        s and T.
    labels
        Of the columns, as they were handed over: text or numbers.
    dimension
        d.
    """

    weights: FloatArray
    bias: FloatArray
    logit_scale: float
    temperature: float
    labels: tuple[Any, ...]
    dimension: int

    @property
    def feature_dimension(self) -> int:
        """f, 0 where the feature doesn't count."""
        return int(self.weights.shape[1]) - self.dimension


def linear_head(fitted: FittedClassifier) -> LinearHead:
    """The layer that a fitted head is.

    Raises
    ------
    InputError
        If it is none: its scores are no linear map of unit vectors.
    """
    kept = fitted.fitted_head
    layer: Callable[[Any], Layer] = _LAYERS.get(type(kept.head), _no_layer)
    weights, bias, scale = layer(kept.head)
    labels, d = tuple(fitted.labels.tolist()), fitted.samples.identity.dimension
    return LinearHead(weights, bias, scale, kept.temperature, labels, d)


Layer = tuple[FloatArray, FloatArray, float]
"""Weights, bias and logit scale."""


def _of_texts(text: FloatArray, scale: float) -> Layer:
    return text, np.zeros(len(text)), scale


def _of_zero_shot(head: Any) -> Layer:
    return _of_texts(head.text_, head.logit_scale)


def _of_anchored(head: Any) -> Layer:
    return _of_texts(head.weights_, head.logit_scale)


def _of_gda(head: Any) -> Layer:
    weights = head.alpha_ * _on_unit_blocks(head.weights_, head.embedding_dims_)
    if len(head.text_):
        weights[:, : head.embedding_dims_] += head.logit_scale * head.text_
    return weights, head.alpha_ * head.bias_, 1.0


def _of_logistic(head: Any) -> Layer:
    if head.mean_.size:
        return _no_layer(head)
    return _on_unit_blocks(head.weights_, head.embedding_dims_), head.bias_, 1.0


def _of_auto(head: Any) -> Layer:
    used = {name: weight for name, weight in head.weights_.items() if weight > 0}
    if list(used) != [ZERO_SHOT]:
        return _no_layer(head)
    return _of_texts(head.text_, used[ZERO_SHOT] * head.logit_scale)


_LAYERS: Mapping[type[Head], Callable[[Any], Layer]] = {
    ZeroShotHead: _of_zero_shot,
    AnchoredHead: _of_anchored,
    GDAHead: _of_gda,
    LogisticHead: _of_logistic,
    AutoHead: _of_auto,
}


def _on_unit_blocks(weights: FloatArray, embedding_dims: int) -> FloatArray:
    """Weights on blocks of unit length; heads read these as one row of unit length."""
    return np.array(weights if weights.shape[1] == embedding_dims else weights / np.sqrt(2.0))


def _no_layer(head: Any) -> Layer:
    ships = f" that ships '{head.chosen_}'" if isinstance(head, AutoHead) else ""
    raise InputError(
        f"The head '{head.name}'{ships} is no linear layer: its scores are no linear map of the unit embedding.",
        remedy="Export the whole classifier (--format onnx, in Python format='onnx'), or fit with a head that is one: "
        f"{', '.join(LINEAR_HEADS)}.",
    )
