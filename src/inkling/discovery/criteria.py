"""Which clusters are proposed: the rules are the same for a batch and for a stream."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inkling.discovery.assign_leftovers import assign_leftovers
from inkling.discovery.clusters import Standing
from inkling.discovery.consensus import Consensus
from inkling.discovery.p_values import PValues
from inkling.discovery.pool import Pool
from inkling.discovery.results import Drift, Proposal
from inkling.discovery.space import Space
from inkling.types import IntArray

MIN_SOURCES = 2
MIN_STABILITY = 0.5
MAX_KNOWN_SHARE = 0.45
MAX_KNOWN_SHARE_IF_COHESIVE = 0.6
"""A cluster as cohesive as a known class needs less to be new than a cluster of outliers."""
SHOWN = 9
"""Images shown from the middle of a proposal, and from its edge."""
DRIFT_LEVEL = 0.001
MIN_EXCESS = 0.1
"""Unknown images below this share of the images are not worth an alarm, however certain they are."""
MIN_EXPLAINED = 0.5
SOLID = 0.7
"""Stability that a proposal needs to explain why images look unknown. Chosen with `MIN_EXPLAINED` on validation images:
known classes alone, seen in another way than they were learned, fall into groups of which half are as stable."""
MOST = 0.7
MIN_LIKENESS = 0.7
"""Where most images are candidates and two of them are as alike as two of one class, or nearly, all have changed. Two
new classes alone in a pool reach half of it."""


@dataclass(frozen=True)
class Rules:
    """What makes a cluster a proposal.

    Attributes
    ----------
    min_images
        Pictures that it needs; copies and bursts count once.
    seed
        Draws the images that clusters are compared in.
    """

    min_images: int
    seed: int = 0


def propose(
    space: Space, pool: Pool, labels: IntArray, p_values: PValues, rules: Rules, draws: Consensus
) -> tuple[Proposal, ...]:
    """Clusters that pass every rule, largest first.

    A cluster needs pictures enough, from more than one source, and must come back when images are left out. And the
    images must have lower p-values than known classes give by chance: their outliers form clusters too.

    Parameters
    ----------
    labels
        Known class or cluster of each image, (n,), as `Consensus.labels` gives them.
    p_values
        Of all images seen, whether in the pool or not.
    draws
        What stability is measured in.
    """
    members = members_of(labels, space.n_classes)
    candidates = [
        _described(space, pool, rows, p_values) for rows in members if pool.n_bursts(rows) >= rules.min_images
    ]
    candidates = [it for it in candidates if it.n_sources >= MIN_SOURCES and _is_novel(space, it)]
    return _largest_first(
        [
            replace(it, stability=stability)
            for it in candidates
            if (stability := draws.stability(it.rows)) >= MIN_STABILITY
        ]
    )


def completed(
    space: Space, pool: Pool, labels: IntArray, p_values: PValues, proposals: tuple[Proposal, ...]
) -> tuple[Proposal, ...]:
    """Proposals with the images that merging left alone and that belong to them."""
    clusters = [it.rows for it in proposals]
    proposed = np.concatenate(clusters) if clusters else np.zeros(0, dtype=np.intp)
    alone = np.setdiff1d(np.flatnonzero(labels >= space.n_classes), proposed)
    grown = assign_leftovers(space, pool, clusters, alone, labels[alone])
    whole = (_described(space, pool, rows, p_values) for rows in grown)
    return _largest_first([replace(it, stability=of.stability) for it, of in zip(whole, proposals, strict=True)])


def judge_drift(space: Space, pool: Pool, proposals: tuple[Proposal, ...], p_values: PValues) -> Drift:
    """Whether there are more unknown images than chance allows, and do not fall into groups.

    Either proposals leave most of them unexplained, or they are the greater part of all images and alike throughout.
    """
    excess, below = p_values.excess
    candidate = pool.p_known <= below
    solid = [it.rows for it in proposals if it.stability >= SOLID]
    rows = np.concatenate(solid) if solid else np.zeros(0, dtype=np.intp)
    unknown = excess * p_values.total
    explained = min(float(candidate[rows].sum()) / unknown, 1.0) if unknown else 1.0
    likeness = _likeness(space, pool, np.flatnonzero(candidate))
    many = p_values.uniformity <= DRIFT_LEVEL and excess >= MIN_EXCESS
    all_alike = excess >= MOST and likeness >= MIN_LIKENESS
    found = many and (explained < MIN_EXPLAINED or all_alike)
    return Drift(found, p_values.uniformity, excess, explained, likeness, all_alike=found and all_alike)


def _largest_first(proposals: list[Proposal]) -> tuple[Proposal, ...]:
    return tuple(sorted(proposals, key=lambda it: (-it.size, int(it.rows[0]))))


def members_of(labels: IntArray, n_classes: int) -> list[IntArray]:
    """Rows of each new cluster."""
    order = np.argsort(labels, kind="stable")
    ends = np.flatnonzero(np.diff(labels[order])) + 1
    return [rows for rows in np.split(order, ends) if len(rows) and labels[rows[0]] >= n_classes]


def _is_novel(space: Space, proposal: Proposal) -> bool:
    cohesive = proposal.cohesion >= space.typical_cohesion
    return proposal.known_share <= (MAX_KNOWN_SHARE_IF_COHESIVE if cohesive else MAX_KNOWN_SHARE)


def _likeness(space: Space, pool: Pool, rows: IntArray) -> float:
    """Mean cosine between two images, against that expected within a class."""
    return Standing.of(space, pool, rows).cohesion / space.typical_cohesion if len(rows) > 1 else 0.0


def _described(space: Space, pool: Pool, rows: IntArray, p_values: PValues) -> Proposal:
    """A proposal whose stability is yet to be found."""
    standing = Standing.of(space, pool, rows)
    pictures = rows[np.unique(pool.picture[rows], return_index=True)[1]]
    by_nearness = pictures[np.argsort(-(pool.Z[pictures] @ standing.centre), kind="stable")]
    return Proposal(
        rows=rows,
        size=len(pictures),
        n_sources=len(np.unique(pool.sources[rows])),
        stability=np.nan,
        cohesion=standing.cohesion,
        known_share=float(p_values.known_share(pool.p_known[rows]).mean()),
        nearest_class=standing.nearest_class,
        distance=standing.distance,
        central=by_nearness[:SHOWN],
        farthest=by_nearness[::-1][:SHOWN],
    )
