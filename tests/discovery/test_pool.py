"""Copies count once, and links hold or are refused."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.discovery import pool as pool_module
from inkling.discovery.pool import Items, Pairs, Pool, Ties, near_vectors
from inkling.discovery.space import Space
from inkling.errors import InputError
from inkling.heads.support import unit_rows
from tests.discovery.samples import draw_classes

X, Y = draw_classes(n_classes=4, per_class=6, dims=16, noise=0.8, seed=0)
SPACE = Space.of(X, Y)
LOOKS = [0x00000000FFFFFFFF, 0xFFFFFFFF00000000, 0x0000FFFFFFFF0000, 0x00FF00FF00FF00FF]
"""Perceptual hashes of different pictures."""
Z = SPACE(draw_classes(n_classes=3, per_class=4, dims=16, noise=0.8, seed=1)[0])


def pool_of(
    *,
    rows: list[int] | None = None,
    sources: list[object] | None = None,
    hashes: list[str] | None = None,
    looks: list[int] | None = None,
    must_link: Pairs = (),
    cannot_link: Pairs = (),
) -> Pool:
    vectors = Z if rows is None else Z[rows]
    p_known = np.full(len(vectors), 0.01)
    seen = None if looks is None else np.array(looks, dtype=np.uint64)
    return Pool.of(vectors, p_known, Ties(sources, hashes, seen, must_link, cannot_link))


def test_equal_vectors_and_equal_content_are_one_picture() -> None:
    pool = pool_of(rows=[0, 1, 0, 2, 3], hashes=["a", "b", "c", "d", "b"])
    same = pool.picture[:, None] == pool.picture
    assert np.argwhere(np.triu(same, k=1)).tolist() == [[0, 2], [1, 4]]
    assert pool.n_pictures(np.arange(5)) == 3


def test_vectors_are_compared_across_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "CHUNK", 2)
    assert pool_of(rows=[0, 1, 2, 3, 4, 0]).n_pictures(np.arange(6)) == 5


def test_near_are_those_that_exact_cosines_say_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of vectors that lie so that rounding to float32 would decide otherwise too."""
    monkeypatch.setattr(pool_module, "CHUNK", 7)
    rng = np.random.default_rng(0)
    apart = np.array([0.0, 1e-5, 2e-5, 1e-4, 1e-3, 0.1, 1.0])
    Z = unit_rows(np.concatenate([np.stack([np.cos(apart), np.sin(apart)], axis=1), rng.standard_normal((20, 2))]))
    cosines = (Z[:, None] * Z[None]).sum(axis=2)
    for least in (-1.1, 0.0, np.cos(0.1) - 1e-10, np.cos(0.1) + 1e-10, 1.0 - 1e-10, 1.0 - 1e-9, 1.1):
        assert near_vectors(Z, least).tolist() == np.argwhere(np.triu(cosines >= least, 1)).tolist()


def test_ten_copies_weigh_as_much_as_one() -> None:
    items = Items.of(SPACE, pool_of(rows=[0] * 10 + [1], must_link=[(0, 10)]))
    assert items.counts[-1] == pytest.approx(2.0)
    assert items.means[-1] == pytest.approx((Z[0] + Z[1]) / 2.0)


def test_pictures_with_one_vector_are_several_pictures_and_weigh_as_one() -> None:
    pool = pool_of(rows=[0] * 4 + [1], looks=[*LOOKS, 1], must_link=[(0, 4)])
    assert pool.n_pictures(np.arange(5)) == 5
    items = Items.of(SPACE, pool)
    assert items.counts[-1] == pytest.approx(2.0)
    assert items.means[-1] == pytest.approx((Z[0] + Z[1]) / 2.0)


@pytest.mark.parametrize("must_link", [[], [(0, 4)]])
def test_a_person_may_keep_pictures_with_one_vector_apart(must_link: list[tuple[int, int]]) -> None:
    pool = pool_of(rows=[0] * 4 + [1], looks=[*LOOKS, 1], must_link=must_link, cannot_link=[(4 if must_link else 0, 1)])
    assert pool.together[0] != pool.together[1]
    assert Items.of(SPACE, pool).apart[SPACE.n_classes :].any()


def test_known_classes_stay_apart_and_links_hold() -> None:
    items = Items.of(SPACE, pool_of(must_link=[(0, 1)], cannot_link=[(1, 2)]))
    k = SPACE.n_classes
    assert items.item[0] == items.item[1]
    assert items.apart[:k, :k].all()
    assert items.apart[items.item[0], items.item[2]]
    assert items.apart[items.item[2], items.item[0]]
    assert items.apart[k:, k:].sum() == 2


def test_without_sources_a_copy_is_no_second_source() -> None:
    pool = pool_of(rows=[0, 0, 1])
    assert len(np.unique(pool.sources)) == 2


def test_links_of_a_part_are_those_with_both_ends_in_it() -> None:
    part = pool_of(cannot_link=[(0, 5), (4, 7)]).of_rows(np.array([4, 5, 7]))
    assert part.cannot_link.tolist() == [[0, 2]]
    assert np.allclose(part.Z, Z[[4, 5, 7]])


@pytest.mark.parametrize(
    ("links", "told"),
    [
        ({"must_link": [(0, 1), (1, 2)], "cannot_link": [(2, 0)]}, "must not be in one cluster"),
        ({"cannot_link": [(3, 3)]}, "must not be in one cluster"),
        ({"must_link": [(0, 99)]}, "from 0 to 11"),
        ({"cannot_link": [(-1, 0)]}, "from 0 to 11"),
    ],
)
def test_links_that_cannot_hold_are_refused(links: dict[str, Pairs], told: str) -> None:
    with pytest.raises(InputError, match=told):
        pool_of(**links)


def test_lists_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match="sources must name one for each of the 12 images"):
        pool_of(sources=["a"])
    with pytest.raises(InputError, match="hashes"):
        pool_of(hashes=["a"] * 13)


def test_frames_of_a_burst_are_several_pictures_and_count_once() -> None:
    frames = unit_rows(Z[0] + 0.3 * np.random.default_rng(2).normal(size=(5, 16)) / 4.0)
    vectors = np.concatenate([frames, Z[1:3]])
    pool = Pool.of(vectors, np.full(7, 0.01), Ties(), one_source=0.9)
    every = np.arange(7)
    assert (pool.n_pictures(every), pool.n_bursts(every), len(np.unique(pool.sources))) == (7, 3, 3)
    assert Items.of(SPACE, pool).counts[SPACE.n_classes :] == pytest.approx([1.0, 1.0, 1.0])
    assert Pool.of(vectors, np.full(7, 0.01), Ties()).n_bursts(every) == 7


def test_a_person_may_keep_frames_of_a_burst_apart() -> None:
    frames = unit_rows(Z[0] + 0.15 * np.random.default_rng(2).normal(size=(3, 16)) / 4.0)
    pool = Pool.of(frames, np.full(3, 0.01), Ties(cannot_link=[(0, 2)]), one_source=0.95)
    assert pool.together[0] != pool.together[2]


def test_what_the_encoder_cannot_tell_apart_is_no_burst() -> None:
    vectors, looks = Z[[0] * 4], np.array(LOOKS, dtype=np.uint64)
    assert Pool.of(vectors, np.full(4, 0.01), Ties(looks=looks), one_source=0.9).n_bursts(np.arange(4)) == 4
