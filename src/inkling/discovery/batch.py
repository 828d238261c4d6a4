"""Discovery in a pool of images that are all at hand."""

from __future__ import annotations

import numpy as np

from inkling.discovery.clusters import cluster
from inkling.discovery.consensus import Consensus
from inkling.discovery.criteria import Rules, completed, judge_drift, propose
from inkling.discovery.leaning import leaning
from inkling.discovery.number import number_of_new
from inkling.discovery.p_values import PValues, check_p_values
from inkling.discovery.pool import Pool, Ties
from inkling.discovery.results import Found
from inkling.discovery.space import Space
from inkling.errors import InputError
from inkling.types import FloatArray, IntArray

GATE = 0.5
"""Images with a p-value up to this are examined. Soft on purpose: what an image is gets decided with its cluster."""
MIN_IMAGES = 5
NO_TIES = Ties()
USUAL = Rules(MIN_IMAGES)


def discover(
    X: FloatArray,
    p_known: FloatArray,
    known_X: FloatArray,
    known_y: IntArray,
    *,
    ties: Ties = NO_TIES,
    seen: PValues | None = None,
    rules: Rules = USUAL,
) -> Found:
    """Find classes that are not known yet.

    Known classes and candidates are merged together, so that an image goes to a known class where that fits it
    best. What stays apart from every known class, and holds together, is proposed.

    Parameters
    ----------
    X, p_known
        Vectors of the pool, (n, d), and the conformal p-value (n,) of each that it is of a known class.
    known_X, known_y
        Vectors of the known classes' images, (m, d), and their class indices, (m,).
    ties
        Between images of the pool.
    seen
        p-values of all images that were looked at, where the pool has those of them alone that were kept. Without, the
        known images among candidates are taken to have p-values that are uniform up to the gate.
    rules
        What makes a cluster a proposal.

    Raises
    ------
    InputError
        If the arrays do not fit together, or links contradict each other.
    """
    space = Space.of(known_X, known_y)
    X = check_vectors(X, space)
    p_known = check_p_values(p_known, len(X))
    only_candidates = bool((p_known <= GATE).all())
    if only_candidates and seen is None:  # such as wait in a memory
        p_known = p_known / GATE
    pool = Pool.of(space(X), p_known, ties, one_source=space.one_source)
    examined = np.arange(len(X)) if only_candidates else examined_rows(pool)
    p_values = PValues.of(p_known[_first_of_content(ties, len(p_known))]) if seen is None else seen
    return found_in(space, pool, examined, cluster(space, pool.of_rows(examined)), p_values, rules)


def _first_of_content(ties: Ties, n: int) -> IntArray:
    """Rows that count: of those with one content the first."""
    return np.arange(n) if ties.hashes is None else np.unique(np.asarray(ties.hashes), return_index=True)[1]


def examined_rows(pool: Pool) -> IntArray:
    """Rows to examine: candidates, and what belongs together with them."""
    candidate = pool.p_known <= GATE
    return np.flatnonzero(np.isin(pool.together, pool.together[candidate]))


def found_in(space: Space, pool: Pool, examined: IntArray, labels: IntArray, p_values: PValues, rules: Rules) -> Found:
    """Judge clusters: `labels` (m,) of the rows `examined` (m,) of the pool."""
    part = pool.of_rows(examined)
    draws = Consensus.of(space, part, seed=rules.seed)
    labels = draws.labels(labels)
    candidates = propose(space, part, labels, p_values, rules, draws)
    drift = judge_drift(space, part, candidates, p_values)
    whole = () if drift.found else completed(space, part, labels, p_values, candidates)
    number = number_of_new(space, part, labels, whole, p_values, rules, draws) if whole else None
    proposals = tuple(it.renamed(examined) for it in whole)
    known_class = np.asarray((pool.Z @ space.centres.T).argmax(axis=1))
    known_class[examined] = np.where(labels < space.n_classes, labels, -1)
    proposed = np.concatenate([it.rows for it in proposals]) if proposals else np.zeros(0, dtype=np.intp)
    leftover = np.setdiff1d(np.flatnonzero(known_class < 0), proposed)
    apart = () if drift.found else leaning(space, pool, known_class, gate=GATE, min_images=rules.min_images)
    return Found(proposals, known_class, pool.picture, leftover, drift, number, apart)


def check_vectors(X: FloatArray, space: Space) -> FloatArray:
    """Vectors (n, d) as the known classes have them.

    Raises
    ------
    InputError
        If they are of another shape.
    """
    X = np.asarray(X)
    d = space.centres.shape[1]
    if X.ndim != 2 or X.shape[1] != d:
        raise InputError(
            f"Unlabelled images must be (n, {d}) like the known ones, got {X.shape}.",
            remedy="Vectors of both must come from one encoder.",
        )
    return X
