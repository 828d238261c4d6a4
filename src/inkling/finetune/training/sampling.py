"""Which images make each batch: classes in equal parts, every image once before any repeats.

Rules
-----
Classes come in rounds: a round draws every class once, in random order. A batch goes on where the last one stopped, so
a batch size that the number of classes does not divide, or that is below it, favours no class in the long run. Within
a batch, classes that it has drawn least come first, so their numbers differ by one at most, and a batch no larger than
the number of classes repeats none.

Each class has a queue of its images: shuffled, or easy first, and refilled when it is empty. So no image repeats before
all of its class were drawn. An epoch draws as many images as there are: where classes differ in size, images of small
ones come more than once in it, those of large ones wait for the next.

The sequence follows from labels, sizes and seed alone. Processes share each batch in contiguous parts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from inkling.errors import InputError
from inkling.types import FloatArray, IntArray


class BalancedBatches:
    """An endless sequence of batches.

    Parameters
    ----------
    labels
        Class index of each image, (n,).
    batch_size
        Images of a batch; None: one group of every class.
    images_per_class
        Images of a class that are drawn together, as one group.
    margins
        How easy each image is, (n,): higher ones come first. None shuffles.
    seed
        Of the order.

    Raises
    ------
    InputError
        If the batch cannot be made of such groups.
    """

    def __init__(
        self,
        labels: IntArray,
        *,
        batch_size: int | None = None,
        images_per_class: int | None = None,
        margins: FloatArray | None = None,
        seed: int,
    ) -> None:
        self._group = images_per_class or 1
        self._members = {int(label): np.flatnonzero(labels == label) for label in np.unique(labels)}
        self.batch_size = batch_size or len(self._members) * self._group
        if self.batch_size % self._group:
            raise InputError(
                f"A batch of {self.batch_size} cannot be made of groups of {self._group} images of a class.",
                remedy=f"Choose a batch size that {self._group} divides.",
            )
        self._margins = margins
        self._seed = seed
        self.epoch_length = -(-len(labels) // self.batch_size)

    def __iter__(self) -> Iterator[IntArray]:
        """Rows of each batch, (batch_size,)."""
        rng = np.random.default_rng(self._seed)
        queues: dict[int, deque[int]] = {label: deque() for label in self._members}
        to_come: list[int] = []
        while True:
            drawn = dict.fromkeys(self._members, 0)
            rows: list[int] = []
            while len(rows) < self.batch_size:
                to_come = to_come or rng.permutation(list(self._members)).tolist()
                label = min(to_come, key=drawn.__getitem__)
                to_come.remove(label)
                drawn[label] += 1
                rows += [self._next(label, queues[label], rng) for _ in range(self._group)]
            yield np.array(rows)

    def _next(self, label: int, queue: deque[int], rng: np.random.Generator) -> int:
        if not queue:
            queue.extend(self._pass_over(self._members[label], rng).tolist())
        return queue.popleft()

    def _pass_over(self, members: IntArray, rng: np.random.Generator) -> IntArray:
        """Order of the images of a class; equally easy ones are shuffled."""
        shuffled = rng.permutation(members)
        if self._margins is None:
            return shuffled
        return np.asarray(shuffled[np.argsort(-self._margins[shuffled], kind="stable")])


def shard(rows: IntArray, rank: int, n_processes: int) -> IntArray:
    """The part of a batch that one of several processes takes."""
    return np.asarray(np.array_split(rows, n_processes)[rank])


def zero_shot_margins(logits: FloatArray, labels: IntArray) -> FloatArray:
    """Logit of the true class minus the highest other one, (n,), of zero-shot logits (n, n_classes)."""
    others = np.array(logits, dtype=np.float64)
    own = others[np.arange(len(labels)), labels].copy()
    others[np.arange(len(labels)), labels] = -np.inf
    return np.asarray(own - others.max(axis=1))
