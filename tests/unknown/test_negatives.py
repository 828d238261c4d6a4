"""Names far from all known classes."""

from __future__ import annotations

import numpy as np

from inkling.unknown import Negatives, mine_negatives
from tests.heads.samples import unit


def test_near_names_are_left_out() -> None:
    rng = np.random.default_rng(0)
    known = np.eye(20)[:3]
    near = unit(known[rng.integers(3, size=40)] + 0.1 * rng.normal(size=(40, 20)))
    far = unit(np.hstack([np.zeros((10, 3)), rng.normal(size=(10, 17))]))
    rows = mine_negatives(np.concatenate([near, far]), known, share=0.2)
    assert rows.tolist() == list(range(40, 50))


def test_classes_without_a_text_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    vocabulary, known = unit(rng.normal(size=(40, 8))), unit(rng.normal(size=(3, 8)))
    with_gap = np.vstack([known, np.full((1, 8), np.nan)])
    assert (mine_negatives(vocabulary, with_gap) == mine_negatives(vocabulary, known)).all()


def test_the_least_share_is_one_name() -> None:
    assert len(mine_negatives(np.eye(4), np.eye(4)[:1], share=0.01)) == 1


def test_some_names_keep_their_vectors() -> None:
    left = Negatives(("ant", "bee", "cat"), np.eye(3)).only({"cat", "ant", "dog"})
    assert left.names == ("ant", "cat")
    assert left.vectors.tolist() == [[1, 0, 0], [0, 0, 1]]
