"""Embeddings on a plane. Arrays only."""

from __future__ import annotations

import numpy as np

from inkling.types import FloatArray

FEWEST_FOR_TSNE = 40
_PERPLEXITY = 30.0
_N_COMPONENTS = 50
_START_SPREAD = 1e-4


def project(embeddings: FloatArray, *, seed: int) -> FloatArray:
    """Place n embeddings (n, d) on a plane, (n, 2): centred, the longer axis horizontal.

    t-SNE (van der Maaten and Hinton 2008) on the first 50 principal components, started from the first two;
    the principal components themselves where there are too few images for neighbourhoods.
    """
    components = _principal_components(np.asarray(embeddings, dtype=np.float64))
    if len(components) < FEWEST_FOR_TSNE or components[:, 0].std() == 0:
        return components[:, :2]
    return _principal_components(_tsne(components, seed=seed))[:, :2]


def _principal_components(x: FloatArray) -> FloatArray:
    """At least two columns; signs fixed so that the largest entry of a component is positive."""
    centred = x - x.mean(axis=0)
    left, scale, _ = np.linalg.svd(centred, full_matrices=False)
    found = (left * scale)[:, :_N_COMPONENTS]
    largest = found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])]
    signed = found * np.where(largest < 0, -1.0, 1.0)
    return np.pad(signed, ((0, 0), (0, max(0, 2 - signed.shape[1]))))


def _tsne(components: FloatArray, *, seed: int) -> FloatArray:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    start = components[:, :2] / components[:, 0].std() * _START_SPREAD
    tsne = TSNE(
        perplexity=min(_PERPLEXITY, (len(components) - 1) / 3),
        init=start.astype(np.float32),
        learning_rate="auto",
        max_iter=500,
        random_state=seed,
    )
    with threadpool_limits(1):  # threads that spin on a busy machine cost more than they give at this size
        placed = tsne.fit_transform(components.astype(np.float32))
    return np.asarray(placed, dtype=np.float64)
