"""Images left alone find their proposal, and only theirs."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.discovery.assign_leftovers import assign_leftovers
from inkling.discovery.pool import Pairs, Pool, Ties
from inkling.discovery.space import Space
from inkling.heads.support import unit_rows
from tests.discovery.samples import draw_classes

SPACE = Space.of(*draw_classes(n_classes=4, per_class=8, dims=32, noise=0.7, seed=0))
RNG = np.random.default_rng(1)
FIRST, SECOND = unit_rows(RNG.normal(size=(2, 32)))
KNOWN = unit_rows(SPACE.centres)[0]
CLUSTERS = [np.arange(6), np.arange(6, 12)]
ALONE = np.arange(12, 16)


def pool_of(must_link: Pairs = (), cannot_link: Pairs = ()) -> Pool:
    """Two clusters; then an image of each, one between the first and a known class, and one of no kind."""
    members = np.concatenate([FIRST + 0.15 * RNG.normal(size=(6, 32)), SECOND + 0.15 * RNG.normal(size=(6, 32))])
    no_kind = RNG.normal(size=32)
    for direction in (FIRST, SECOND, KNOWN):
        no_kind -= (no_kind @ direction) * direction
    others = np.stack(
        [FIRST + 0.15 * RNG.normal(size=32), SECOND + 0.15 * RNG.normal(size=32), FIRST + 1.5 * KNOWN, no_kind]
    )
    Z = unit_rows(np.concatenate([members, others]))
    return Pool.of(Z, np.full(16, 0.01), Ties(must_link=must_link, cannot_link=cannot_link))


def grown(pool: Pool, groups: list[int] | None = None) -> list[list[int]]:
    numbers = np.arange(4) if groups is None else np.array(groups)
    return [rows.tolist() for rows in assign_leftovers(SPACE, pool, CLUSTERS, ALONE, numbers)]


def test_images_join_the_proposal_they_lie_with_and_no_other() -> None:
    assert grown(pool_of()) == [[*range(6), 12], [*range(6, 12), 13]]


def test_what_belongs_together_joins_as_a_whole_or_not_at_all() -> None:
    assert grown(pool_of(must_link=[(12, 15)])) == [[*range(6)], [*range(6, 12), 13]]
    assert grown(pool_of(must_link=[(12, 13)])) == [[*range(6)], [*range(6, 12)]]


@pytest.mark.parametrize("pair", [(12, 0), (12, 13)])
def test_images_that_a_person_kept_apart_are_left_alone(pair: tuple[int, int]) -> None:
    assert 12 not in grown(pool_of(cannot_link=[pair]))[0]


def test_without_proposals_or_images_nothing_happens() -> None:
    assert assign_leftovers(SPACE, pool_of(), [], ALONE, ALONE) == []
    assert [it.tolist() for it in assign_leftovers(SPACE, pool_of(), CLUSTERS, ALONE[:0], ALONE[:0])] == [
        it.tolist() for it in CLUSTERS
    ]


def test_an_image_stays_with_a_group_of_its_own_kind_that_is_not_proposed() -> None:
    pool = pool_of()
    pool.Z[15] = unit_rows(pool.Z[[12]] + 0.1 * RNG.normal(size=(1, 32)))[0]
    assert grown(pool) == [[*range(6), 12, 15], [*range(6, 12), 13]]
    assert grown(pool, groups=[7, 8, 9, 7]) == [[*range(6)], [*range(6, 12), 13]]
