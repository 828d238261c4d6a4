"""The exemplars that are nearest to an image, as evidence for a verdict."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from inkling.embeddings.samples import Samples
from inkling.types import Vectors


@dataclass(frozen=True)
class Neighbour:
    """An exemplar near an image.

    Attributes
    ----------
    similarity
        Cosine of the two embeddings.
    """

    content_hash: str
    path: str
    class_name: str
    similarity: float


class Neighbours:
    """The exemplars of a memory, read when somebody first asks.

    Parameters
    ----------
    samples
        The exemplars.
    """

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._lock = threading.Lock()

    def of(self, vector: Vectors, *, count: int) -> list[Neighbour]:
        """The nearest images to a vector (d + f,), each picture once."""
        with self._lock:
            embeddings = self._samples.embeddings
        if not len(embeddings):
            return []
        cosines = embeddings @ vector[: self._samples.identity.dimension]
        found: dict[str, Neighbour] = {}
        for row in np.argsort(-cosines, kind="stable").tolist():
            if len(found) == count:
                break
            content = self._samples.content_hashes[row]
            if content not in found:
                label = str(self._samples.labels[row])
                found[content] = Neighbour(content, self._samples.paths[row], label, float(cosines[row]))
        return list(found.values())
