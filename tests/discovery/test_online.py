"""Images joined one after the other, against the same written out for one image at a time."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.discovery.evidence import Joining
from inkling.discovery.online import NONE, Online
from inkling.discovery.space import Space
from inkling.types import FloatArray, IntArray
from tests.discovery.samples import Sample, draw_sample


@pytest.fixture
def sample() -> Sample:
    return draw_sample(n_new=4, per_known=15, per_new=15, noise=0.9)


@pytest.fixture
def space(sample: Sample) -> Space:
    return Space.of(sample.known_X, sample.known_y)


def online(space: Space) -> Online:
    return Online(space, space.centres, space.counts.astype(np.float64))


def nothing(n: int) -> IntArray:
    return np.full(n, NONE)


def one_at_a_time(space: Space, Z: FloatArray) -> list[int]:
    """Clusters as lists of images, their means taken anew for each image."""
    clusters: list[list[FloatArray]] = []
    labels = []
    for z in Z:
        means = np.concatenate([space.centres, *(np.mean(each, axis=0)[None] for each in clusters)])
        counts = np.concatenate([space.counts, [len(each) for each in clusters]])
        odds = Joining.of(space, (means**2).sum(axis=1), counts).odds(float(z @ z), means @ z)
        best = int(odds.argmax()) if odds.max() > 0 else len(counts)
        if best == len(counts):
            clusters.append([])
        if best >= space.n_classes:
            clusters[best - space.n_classes].append(z)
        labels.append(best)
    return labels


@pytest.mark.parametrize("part", [1, 7, 1000])
def test_many_at_once_are_as_one_after_the_other(sample: Sample, space: Space, part: int) -> None:
    Z, it = space(sample.X), online(space)
    found = [it.take(Z[at : at + part], *2 * [nothing(len(Z[at : at + part]))]) for at in range(0, len(Z), part)]
    labels = np.concatenate(found).tolist()
    assert labels == one_at_a_time(space, Z)
    assert max(labels) > space.n_classes + 1


def test_what_is_the_same_to_the_encoder_comes_together_and_weighs_once(sample: Sample, space: Space) -> None:
    Z = space(sample.X)
    new = np.flatnonzero(sample.y == sample.n_known)
    twice = np.concatenate([new, new])
    same_as = np.concatenate([nothing(len(new)), np.arange(len(new))])
    with_copies, without = online(space), online(space)
    labels = with_copies.take(Z[twice], nothing(len(twice)), same_as)
    assert (
        labels[: len(new)].tolist()
        == labels[len(new) :].tolist()
        == without.take(Z[new], *2 * [nothing(len(new))]).tolist()
    )
    later = Z[sample.y == sample.n_known + 1]
    left, right = (it.take(later, *2 * [nothing(len(later))]) for it in (with_copies, without))
    assert left.tolist() == right.tolist()


def test_a_cluster_that_is_given_is_kept_and_not_moved(sample: Sample, space: Space) -> None:
    Z, it = space(sample.X[:4]), online(space)
    assert it.take(Z, np.array([0, 3, 1, 0]), nothing(4)).tolist() == [0, 3, 1, 0]
