"""Between which numbers that of the new classes lies, beside the number of proposals.

Fewer than proposed, where proposals are parts of one class: as few clusters as are left where those join that some
draws put together, and as many as one draw in twenty has. More, where draws have more, where a proposal falls into
parts once large clusters have no advantage, and where images are unlike the known classes that are in no proposal: they
make as many classes as their number makes proposals of the usual size.
"""

from __future__ import annotations

import numpy as np

from inkling.discovery.agglomerate import agglomerate
from inkling.discovery.clusters import AT_ONCE
from inkling.discovery.consensus import SHARE_KEPT, Consensus
from inkling.discovery.criteria import MAX_KNOWN_SHARE, Rules, members_of
from inkling.discovery.p_values import PValues
from inkling.discovery.pool import Pool
from inkling.discovery.results import Proposal
from inkling.discovery.space import Space
from inkling.types import FloatArray, IntArray

LOOSELY = 0.1
"""Share of the draws that put two images together for them to be perhaps of one class."""
OUTER = (0.05, 0.95)
"""Quantiles of the draws."""


def number_of_new(
    space: Space,
    pool: Pool,
    labels: IntArray,
    proposals: tuple[Proposal, ...],
    p_values: PValues,
    rules: Rules,
    draws: Consensus,
) -> tuple[int, int]:
    """Least and greatest likely number of new classes."""
    known_share = p_values.known_share(pool.p_known)
    needed = max(2, round(SHARE_KEPT * rules.min_images))
    in_draws = [_counted(pool, rows, found, known_share, needed, draws.n_classes) for rows, found in draws]
    few, many = np.quantile(in_draws, OUTER)
    every = np.arange(len(labels))
    loosely = draws.labels(labels, agreed=LOOSELY)
    joined = _counted(pool, every, loosely, known_share, rules.min_images, draws.n_classes)
    proposed = np.concatenate([it.rows for it in proposals]) if proposals else every[:0]
    size = float(np.median([len(it.rows) for it in proposals])) if proposals else float(rules.min_images)
    more = int(_unplaced(labels, proposed, known_share, p_values, draws.n_classes) / size)
    n, parts = len(proposals), sum(_parts(space, pool, it.rows, rules) for it in proposals)
    return min(n, joined, int(few)), max(n, parts, int(np.ceil(many))) + more


def _parts(space: Space, pool: Pool, rows: IntArray, rules: Rules) -> int:
    """Clusters with pictures enough that a proposal falls into where large ones have no advantage."""
    if len(rows) > AT_ONCE:
        return 1
    _, first, kind = np.unique(pool.alike[rows], return_index=True, return_inverse=True)
    Z = pool.Z[rows[first]]
    roots = agglomerate(space, Z, np.ones(len(Z)), apart=np.zeros((len(Z), len(Z)), dtype=bool), prior=False)[kind]
    parts = (rows[roots == root] for root in np.unique(roots))
    return max(sum(pool.n_bursts(part) >= rules.min_images for part in parts), 1)


def _counted(pool: Pool, rows: IntArray, labels: IntArray, known_share: FloatArray, needed: int, n_classes: int) -> int:
    """Clusters of `rows` (m,), with labels (m,), that have pictures enough and are less known than not."""
    groups = (rows[members] for members in members_of(labels, n_classes))
    return sum(pool.n_bursts(it) >= needed and float(known_share[it].mean()) <= MAX_KNOWN_SHARE for it in groups)


def _unplaced(
    labels: IntArray, proposed: IntArray, known_share: FloatArray, p_values: PValues, n_classes: int
) -> float:
    """Unknown images in no proposal: those that stay apart, or what all p-values tell of, whichever is more."""
    apart = np.setdiff1d(np.flatnonzero(labels >= n_classes), proposed)
    unknown = 1.0 - known_share
    return max(float(unknown[apart].sum()), p_values.unknown - float(unknown[proposed].sum()), 0.0)
