"""Discovery in one pass over images as they come: the same evidence, taken one image at a time.

An image joins the cluster, known or new, that most likely has its centre, or opens a new one. Periodically the
clusters are consolidated, and small old ones expire. While the images kept are few, that sorts them anew as a batch
would; once they are many, a cluster that two centres fit better is split, and clusters that one fits better are merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inkling.discovery.absorbed import Absorbed, to_absorb, with_absorbed
from inkling.discovery.batch import GATE, MIN_IMAGES, check_vectors, found_in
from inkling.discovery.buffer import Buffer
from inkling.discovery.clusters import AT_ONCE, cluster, merged, renumbered, shifted
from inkling.discovery.criteria import Rules
from inkling.discovery.online import NONE, Online
from inkling.discovery.p_values import PValues, check_p_values
from inkling.discovery.pool import (
    SAME_PICTURE,
    UNHASHED,
    LooksArray,
    Pairs,
    Pool,
    as_pairs,
    check_links,
    components,
    look_alike,
    numbered,
)
from inkling.discovery.results import Found
from inkling.discovery.space import Space
from inkling.errors import InputError
from inkling.types import BoolArray, FloatArray, HeadState, IntArray

NAME = "discovery"
PATIENCE = 5000
"""Observations after which a cluster too small for a proposal is forgotten, unless one of its images is younger."""
CONSOLIDATE_EVERY = PATIENCE // 2
"""Observations from one consolidation to the next: each image is sorted among others before it may expire."""
CHUNK = 256
"""Images taken in together; what comes of it is what comes of one after the other."""
RECENT = "recent"
"""In the state: hashes of the images that came last."""
NO_PAIRS = np.zeros((0, 2), dtype=np.int64)


class Stream:
    """Clusters of candidates, kept up to date with each image.

    Parameters
    ----------
    known_X, known_y
        Vectors of the known classes' images, (m, d), and their class indices, (m,).
    min_images
        Pictures that a proposal needs.
    seed
        Draws the images that clusters are compared in.

    Attributes
    ----------
    seen
        Images observed. Each has a number: how many were observed before it.
    """

    def __init__(self, known_X: FloatArray, known_y: IntArray, *, min_images: int = MIN_IMAGES, seed: int = 0) -> None:
        self.seen = 0
        self._rules = Rules(min_images, seed)
        self._space = Space.of(known_X, known_y)
        self._kept, self._absorbed = Buffer.none(self._space.centres.shape[1]), Absorbed.none()
        self._contents: set[str] = set()
        self._p_values = PValues.of(np.zeros(0))
        self._recent: dict[str, None] = {}
        self._must_link: IntArray = NO_PAIRS
        self._cannot_link: IntArray = NO_PAIRS
        self._since_consolidation = 0
        self._Z: FloatArray = self._space(self._kept.X)
        self._online = Online(self._space, self._space.centres, self._space.counts.astype(np.float64))

    @property
    def kept(self) -> IntArray:
        """Numbers of the images kept, (m,), ascending."""
        return np.sort(np.concatenate([self._kept.number, self._absorbed.number]))

    @property
    def contents(self) -> list[str]:
        """Their hashes, m; empty where there is none."""
        order = np.argsort(np.concatenate([self._kept.number, self._absorbed.number]))
        return list(np.concatenate([self._kept.hashes, self._absorbed.hashes])[order].tolist())

    @property
    def absorbed(self) -> IntArray:
        """Numbers of those without a vector, (m,), ascending: another of their cluster stands for each."""
        return self._absorbed.number

    def observe(
        self,
        X: FloatArray,
        p_known: FloatArray,
        *,
        sources: Sequence[object] | None = None,
        hashes: Sequence[str] | None = None,
        looks: LooksArray | None = None,
    ) -> IntArray:
        """Take in images X (n, d) in order, with their conformal p-values (n,); their numbers, (n,).

        An image whose content is kept already is not taken in again, and the p-value of one that came among the last
        `PATIENCE` is not counted again, whether it was kept or not.

        Raises
        ------
        InputError
            If the arrays do not fit together.
        """
        X = check_vectors(X, self._space)
        p_known = check_p_values(p_known, len(X))
        numbers = self.seen + np.arange(len(X))
        for values, name in ((sources, "sources"), (hashes, "hashes")):
            numbered(values, len(X), name)
        images = Buffer(
            np.asarray(X, dtype=np.float32),
            p_known,
            numbers,
            numbers,
            numbers,
            np.full(len(X), NONE),
            np.array([f"image {number}" for number in numbers] if sources is None else [str(it) for it in sources]),
            np.array([""] * len(X) if hashes is None else list(hashes), dtype=np.str_),
            np.full(len(X), UNHASHED, dtype=np.uint64) if looks is None else looks,
        )
        self._p_values = self._p_values.with_more(p_known[self._not_seen(images.hashes.tolist())])
        start = 0
        while start < len(X):
            n = min(CHUNK, max(CONSOLIDATE_EVERY - self._since_consolidation, 1), len(X) - start)
            self._take(images.only(self._fresh(images, start, start + n)))
            start, self.seen, self._since_consolidation = start + n, self.seen + n, self._since_consolidation + n
            if self._since_consolidation >= CONSOLIDATE_EVERY:
                self.consolidate()
        return numbers

    def link(self, *, must_link: Pairs = (), cannot_link: Pairs = ()) -> None:
        """Add constraints on pairs of numbers, and sort the images anew.

        Raises
        ------
        InputError
            If a number was not observed or has no vector, or links contradict each other.
        """
        must = np.concatenate([self._must_link, as_pairs(must_link, self.seen, "must_link")])
        cannot = np.concatenate([self._cannot_link, as_pairs(cannot_link, self.seen, "cannot_link")])
        without = np.intersect1d(np.concatenate([must, cannot]), self.absorbed)
        if len(without):
            raise InputError(
                f"Images {without.tolist()} are kept without their vectors.", remedy="Call recall with these first."
            )
        check_links(self._kept.pool(self._Z, self._space.one_source, must, cannot))
        self._must_link, self._cannot_link = must, cannot
        self.rebuild()

    def relink(self, *, must_link: Pairs, cannot_link: Pairs) -> None:
        """Let only these constraints hold; two near-duplicates are never kept apart."""
        kept = self._kept
        picture = dict(zip(kept.number.tolist(), kept.picture.tolist(), strict=True))
        apart = [(a, b) for a, b in cannot_link if picture.get(a, a) != picture.get(b, b)]
        self._must_link = as_pairs(must_link, self.seen, "must_link")
        self._cannot_link = as_pairs(apart, self.seen, "cannot_link")

    def recall(self, numbers: IntArray, X: FloatArray) -> None:
        """Give images (m,) of `absorbed`, ascending, their vectors X (m, d) again, to link them with others."""
        back = np.isin(self._absorbed.number, numbers)
        images = self._absorbed.only(back)
        rows = Buffer(
            np.asarray(X, dtype=np.float32),
            images.p_known,
            images.number,
            images.picture,
            images.number,
            self._kept.label[images.rows_of_hosts(self._kept)],
            images.sources,
            images.hashes,
            np.full(len(images), UNHASHED, dtype=np.uint64),
        )
        self._kept, self._Z = self._kept.and_these(rows), np.concatenate([self._Z, self._space(rows.X)])
        self._keep(np.argsort(self._kept.number, kind="stable"))
        self._absorbed = self._absorbed.only(~back)
        self._index()

    def forget(self, numbers: IntArray) -> None:
        """Let go of images, such as those of a proposal that was accepted or discarded."""
        before = self._kept
        self._keep(~np.isin(before.number, numbers))
        self._absorbed = self._absorbed.only(~np.isin(self._absorbed.number, numbers)).moved(before, self._kept)
        self._label(self._kept.label)

    def rebuild(self) -> None:
        """Sort the kept images anew, all at once: the order in which they came no longer matters."""
        self._label(cluster(self._space, self._pool()))

    def found(self) -> Found:
        """Proposals and the verdict on drift. Rows are numbers of images; `known_class` is that of each image kept."""
        self.consolidate()
        pool, rows = with_absorbed(self._kept, self._pool(), self._absorbed)
        every, label = np.arange(len(rows)), self._kept.label[rows]
        return found_in(self._space, pool, every, label, self._p_values, self._rules).renamed(self.kept)

    def consolidate(self) -> None:
        """Forget small old clusters, cluster the others anew, and let go of the vectors that large ones don't need."""
        self._expire()
        pool = self._pool()
        at_once = len(self._kept) <= AT_ONCE
        self._label(cluster(self._space, pool) if at_once else merged(self._space, pool, self._split(pool)))
        self._absorb(pool)
        self._since_consolidation = 0

    def state(self) -> HeadState:
        """What sets the stream up again, beside the known classes: JSON and arrays."""
        params = {
            "seen": self.seen,
            "since_consolidation": self._since_consolidation,
            "smallest_p": self._p_values.smallest,
            "n_classes": self._space.n_classes,
            "min_images": self._rules.min_images,
            "seed": self._rules.seed,
        }
        links = {"must_link": self._must_link, "cannot_link": self._cannot_link}
        others = {"p_counts": self._p_values.counts, RECENT: np.array(list(self._recent), dtype=np.str_)}
        return HeadState(NAME, params, {**self._kept.arrays(), **self._absorbed.state(), **links, **others})

    @classmethod
    def from_state(cls, state: HeadState, known_X: FloatArray, known_y: IntArray) -> Stream:
        """Go on where `state` was taken. With other known classes than then, the kept images are sorted anew."""
        params, arrays = state.params, dict(state.arrays)
        stream = cls(known_X, known_y, min_images=params["min_images"], seed=params["seed"])
        stream.seen, stream._since_consolidation = params["seen"], params["since_consolidation"]
        stream._p_values = PValues(arrays.pop("p_counts"), params["smallest_p"])
        stream._recent = dict.fromkeys(arrays.pop(RECENT, np.zeros(0, dtype="U1")).tolist())
        stream._must_link, stream._cannot_link = arrays.pop("must_link"), arrays.pop("cannot_link")
        stream._absorbed = Absorbed.from_state(arrays)
        stream._kept = Buffer(**{"alike": arrays["picture"], **arrays})  # earlier releases kept no such column
        stream._Z = stream._space(stream._kept.X)
        stream._index()
        if params["n_classes"] != stream._space.n_classes:
            stream.rebuild()
        return stream

    def _not_seen(self, hashes: Sequence[str]) -> BoolArray:
        """Which images did not come lately, (n,); they are remembered."""
        new = np.ones(len(hashes), dtype=bool)
        for row, content in enumerate(hashes):
            new[row] = not content or content not in self._recent
            if content:
                self._recent.pop(content, None)
                self._recent[content] = None
        for content in list(self._recent)[:-PATIENCE]:
            del self._recent[content]
        return new

    def _fresh(self, images: Buffer, start: int, end: int) -> IntArray:
        """Rows, of those from `start` to `end`, of candidates whose content is not kept yet."""
        known, rows = set[str](), []
        for row in (start + np.flatnonzero(images.p_known[start:end] <= GATE)).tolist():
            content = str(images.hashes[row])
            if not content or (content not in known and content not in self._contents):
                known.add(content)
                rows.append(row)
        return np.array(rows, dtype=np.intp)

    def _take(self, images: Buffer) -> None:
        """Keep images, each in the cluster of what looks the same to the encoder or in that which fits it best."""
        if not len(images):
            return
        m, Z = len(self._kept), self._space(images.X)
        near, among = self._Z @ Z.T >= SAME_PICTURE, np.triu(Z @ Z.T >= SAME_PICTURE, 1)
        labels = self._online.take(Z, _first(near, self._kept.label), _first(among, np.arange(len(images))))
        kept = self._kept.and_these(images.labelled(labels))
        pairs = np.argwhere(np.concatenate([near, among]))
        pairs[:, 1] += m
        copies = pairs[look_alike(*kept.looks[pairs.T])]
        self._kept = replace(kept, picture=_joined(kept.picture, copies), alike=_joined(kept.alike, pairs))
        self._Z = np.concatenate([self._Z, Z])
        self._contents.update(images.hashes.tolist())

    def _expire(self) -> None:
        """Forget what had no news for long, unless it may be proposed; what stays is to be labelled.

        Old are images of known classes each by itself, and clusters when no image of theirs is younger.
        """
        label, k = self._kept.label, self._space.n_classes
        everyone = np.concatenate([label, label[self._absorbed.rows_of_hosts(self._kept)]])
        size = np.bincount(everyone, minlength=k)
        newest = np.zeros(len(size), dtype=np.int64)
        np.maximum.at(newest, everyone, np.concatenate([self._kept.number, self._absorbed.number]))
        latest = np.where(label < k, self._kept.number, newest[label])
        may_be = (label >= k) & (size[label] >= self._rules.min_images)
        self._keep(may_be | (latest >= self.seen - PATIENCE))
        self._absorbed = self._absorbed.of_hosts(self._kept)

    def _absorb(self, pool: Pool) -> None:
        """Let go of the vectors that large clusters can do without."""
        linked = np.concatenate([self._must_link, self._cannot_link]).ravel()
        more = to_absorb(self._kept, pool, first=self._space.n_classes, held=linked)
        if len(more):
            self._absorbed = self._absorbed.with_more(more)
            self._keep(~np.isin(self._kept.number, more.number))
            self._index()

    def _keep(self, rows: BoolArray | IntArray) -> None:
        self._kept, self._Z = self._kept.only(rows), self._Z[rows]

    def _split(self, pool: Pool) -> IntArray:
        """Each cluster sorted anew by itself, known classes beside it, (m,)."""
        label, k = self._kept.label.copy(), self._space.n_classes
        free = k
        for number in np.unique(label[label >= k]):
            rows = np.flatnonzero(self._kept.label == number)
            parts = cluster(self._space, pool.of_rows(rows))
            label[rows] = shifted(parts, k, free)
            free = max(free, int(label[rows].max()) + 1)
        return label

    def _pool(self) -> Pool:
        return self._kept.pool(self._Z, self._space.one_source, self._must_link, self._cannot_link)

    def _label(self, label: IntArray) -> None:
        self._kept = self._kept.labelled(renumbered(label, self._space.n_classes))
        self._index()

    def _index(self) -> None:
        """The mean and the pictures of each cluster, from the labels; and what is kept."""
        self._contents = {*self._kept.hashes.tolist(), *self._absorbed.hashes.tolist()}
        self._online = Online(self._space, *with_clusters(self._space, self._Z, self._kept))


def _first(near: BoolArray, of: IntArray) -> IntArray:
    """For each column of `near` (m, n), what `of` (m,) is in its first row that holds; `NONE` where none does."""
    if not len(near):
        return np.full(near.shape[1], NONE)
    return np.where(near.any(axis=0), of[near.argmax(axis=0)], NONE)


def _joined(groups: IntArray, pairs: IntArray) -> IntArray:
    """Groups (m,) where pairs of rows (k, 2) are one, named by the least of what they were."""
    if not len(pairs):
        return groups
    together = components(len(groups), groups, pairs)
    least = np.full(int(together.max()) + 1, np.iinfo(groups.dtype).max)
    np.minimum.at(least, together, groups)
    return np.asarray(least[together])


def with_clusters(space: Space, Z: FloatArray, kept: Buffer) -> tuple[FloatArray, FloatArray]:
    """Means and counts of the known classes, and of the clusters after them; those alike count once."""
    k, label = space.n_classes, kept.label
    first = np.unique(kept.alike, return_index=True)[1]
    first = first[label[first] >= k]
    n_new = max(int(label.max(initial=k - 1)) + 1 - k, 0)
    counts = np.bincount(label[first] - k, minlength=n_new).astype(np.float64)
    sums = np.zeros((n_new, Z.shape[1]))
    np.add.at(sums, label[first] - k, Z[first])
    means = np.concatenate([space.centres, sums / np.maximum(counts, 1.0)[:, None]])
    return means, np.concatenate([space.counts, counts])
