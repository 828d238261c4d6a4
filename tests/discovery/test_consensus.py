"""Clusters are what most draws agree on, whatever the order of the images, and links hold."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.discovery import clusters
from inkling.discovery.consensus import RESAMPLES, SHARE_KEPT, Consensus
from inkling.discovery.pool import Pool, Ties
from inkling.discovery.space import Space
from inkling.types import IntArray
from tests.discovery.samples import draw_sample

K = 2


def consensus(drawn: list[list[int]], *, cannot_link: list[tuple[int, int]] | None = None) -> Consensus:
    draws = np.array(drawn)
    return Consensus(K, draws, np.arange(draws.shape[1]), np.array(cannot_link or [], dtype=np.intp).reshape(-1, 2))


def labels(draws: Consensus, given: list[int], **options: float) -> list[int]:
    return draws.labels(np.array(given), **options).tolist()


def test_images_are_together_where_most_draws_put_them_together() -> None:
    draws = consensus([[2, 2, 3, 0], [4, 4, 4, 0], [2, 2, 5, 0]])
    assert labels(draws, [2, 2, 2, 0]) == [2, 2, 3, 0]
    assert labels(draws, [2, 2, 2, 0], agreed=0.3) == [2, 2, 2, 0]


def test_an_image_is_of_the_known_class_that_most_draws_put_it_to() -> None:
    assert labels(consensus([[1, 0], [1, 0], [2, 0]]), [2, 0]) == [1, 0]
    assert labels(consensus([[1, 0], [3, 0], [2, 0]]), [1, 0]) == [2, 0]


def test_draws_without_an_image_say_nothing_about_it() -> None:
    draws = consensus([[2, -1, 3], [2, 2, 3], [-1, 2, 3]])
    assert labels(draws, [2, 3, 4]) == [2, 2, 3]
    assert draws.stability(np.array([0, 1])) == 1.0


def test_stability_is_the_share_of_pairs_that_come_back() -> None:
    draws = consensus([[2, 2, 3], [2, 2, 2], [2, -1, 2]])
    pairs = [(0, 1, 1), (0, 2, 0), (1, 2, 0), (0, 1, 1), (0, 2, 1), (1, 2, 1), (0, 2, 1)]
    assert draws.stability(np.arange(3)) == pytest.approx(np.mean([together for *_, together in pairs]))


def test_images_kept_apart_are_apart_though_what_lies_between_them_ties_them() -> None:
    drawn = [[2, 2, 2, 3], [3, 2, 2, 2]] * 10
    assert len(set(labels(consensus(drawn), [2, 2, 3, 3], agreed=0.3))) == 1
    apart = labels(consensus(drawn, cannot_link=[(0, 3)]), [2, 2, 3, 3], agreed=0.3)
    assert apart[0] == apart[1] != apart[2] == apart[3]


def test_more_images_than_are_sorted_at_once_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "AT_ONCE", 2)
    assert labels(consensus([[2, 2, 2]]), [2, 3, 4]) == [2, 3, 4]


def pool_of(rows: IntArray) -> tuple[Space, Pool]:
    sample = draw_sample(noise=1.2)
    space = Space.of(sample.known_X, sample.known_y)
    return space, Pool.of(space(sample.X[rows]), sample.p_known[rows], Ties())


def test_every_draw_has_its_share_and_the_order_of_the_images_has_no_say() -> None:
    n = len(draw_sample().y)
    order = np.random.default_rng(3).permutation(n)
    (space, pool), (_, shuffled) = pool_of(np.arange(n)), pool_of(order)
    draws, again = Consensus.of(space, pool, seed=0), Consensus.of(space, shuffled, seed=0)
    kept = [len(rows) for rows, _ in draws]
    assert kept == [int(np.ceil(SHARE_KEPT * n))] * RESAMPLES
    given = clusters.cluster(space, pool)
    one, other = draws.labels(given), np.empty(n, dtype=np.intp)
    other[order] = again.labels(given[order])
    assert np.array_equal(one[:, None] == one, other[:, None] == other)
