"""Names for images of no known class: which words lie nearest, and a description of a cluster where none stands out.

Some texts lie near to every image (Radovanović et al. 2010, hubness); what counts is how much nearer a text is to the
cluster than to images in general. Where no name has more than half of the say, the narrowest meaning that has is given
instead, such as "furniture" where bench, chair and sofa share it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from inkling.discovery.vocabulary import Vocabulary
from inkling.heads.support import has_text, unit_rows
from inkling.types import FloatArray

MEDOIDS = 5
"""Central images that have a say beside the centre: of a cluster with a few strays, the centre alone is off."""
RANKED = 10
FIRST = 5
MAJORITY = 0.5
MIN_DEPTH = 6
"""A hypernym must stand so far below the widest meaning of all: "artifact" says nothing."""


@dataclass(frozen=True)
class RankedName:
    """One name, with what speaks for it.

    Attributes
    ----------
    name
        The name.
    similarity
        How much nearer its text is to the cluster than to the background, in cosine.
    probability
        Its share among all names, softmax of the similarities.
    votes
        Share of the images that have it among their first five names.
    """

    name: str
    similarity: float
    probability: float
    votes: float


@dataclass(frozen=True)
class Naming:
    """What a cluster may be called.

    Attributes
    ----------
    suggestion
        The best name, the narrowest hypernym that several good ones share, or "unnamed-N".
    ranked
        The likeliest names, best first.
    """

    suggestion: str
    ranked: tuple[RankedName, ...]


@dataclass(frozen=True, eq=False)
class Namer:
    """Names with their text vectors, ready for any cluster.

    Attributes
    ----------
    names
        Names that may be given.
    text
        Unit text vectors, (n_names, d).
    usual
        Mean cosine of each text to the background images, (n_names,).
    vocabulary
        Where hypernyms are looked up.
    logit_scale
        Factor on cosines before the softmax.
    """

    names: tuple[str, ...]
    text: FloatArray
    usual: FloatArray
    vocabulary: Vocabulary
    logit_scale: float

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        text_vectors: FloatArray,
        background: FloatArray,
        *,
        vocabulary: Vocabulary,
        taken: Collection[str] = (),
        logit_scale: float = 100.0,
    ) -> Namer:
        """Make names ready.

        Parameters
        ----------
        names, text_vectors
            Names and their text vectors, (n_names, d); a name without one, NaN or zeros, is left out.
        background
            Vectors of images in general, (m, d): the known classes' images and the unlabelled ones.
        vocabulary
            Where synonyms and hypernyms are looked up.
        taken
            Names of the known classes. These and their synonyms are not given again.
        logit_scale
            Factor on cosines before the softmax; 100 for CLIP.
        """
        meant = {at for name in taken for at in vocabulary.meanings(name)[:1]}
        free = np.array([name not in taken and meant.isdisjoint(vocabulary.meanings(name)[:1]) for name in names], bool)
        kept = free & has_text(text_vectors)
        text = unit_rows(np.asarray(text_vectors, dtype=np.float64)[kept])
        usual = text @ unit_rows(np.asarray(background, dtype=np.float64)).mean(axis=0)
        return cls(tuple(np.array(names, dtype=object)[kept]), text, usual, vocabulary, logit_scale)

    def __call__(self, X: FloatArray, *, number: int) -> Naming:
        """Names for a cluster of images X (n, d); `number` is its own, for want of a name."""
        if not self.names:
            return Naming(f"unnamed-{number}", ())
        similarities = unit_rows(np.asarray(X, dtype=np.float64)) @ self.text.T - self.usual
        similarity = self._of_cluster(X, similarities)
        logits = self.logit_scale * (similarity - similarity.max())
        probability = np.exp(logits) / np.exp(logits).sum()
        first = np.argsort(-similarities, axis=1, kind="stable")[:, :FIRST]
        votes = np.bincount(first.ravel(), minlength=len(self.names)) / len(X)
        order = np.argsort(-similarity, kind="stable")[:RANKED]
        ranked = tuple(
            RankedName(self.names[at], float(similarity[at]), float(probability[at]), float(votes[at])) for at in order
        )
        return Naming(self._suggestion(probability) or f"unnamed-{number}", ranked)

    def of_each(self, X: FloatArray, *, count: int) -> list[tuple[str, ...]]:
        """The `count` likeliest names of each image X (n, d) by itself, best first."""
        similarities = unit_rows(np.asarray(X, dtype=np.float64)) @ self.text.T - self.usual
        best = np.argsort(-similarities, axis=1, kind="stable")[:, :count]
        return [tuple(self.names[at] for at in row) for row in best]

    def _of_cluster(self, X: FloatArray, similarities: FloatArray) -> FloatArray:
        """Similarity of each name to centre and medoids, (n_names,)."""
        unit = unit_rows(np.asarray(X, dtype=np.float64))
        centre = unit.mean(axis=0)
        medoids = np.argsort(-(unit @ centre), kind="stable")[:MEDOIDS]
        to_centre = unit_rows(centre[None])[0] @ self.text.T - self.usual
        return np.asarray((to_centre + similarities[medoids].mean(axis=0)) / 2.0)

    def _suggestion(self, probability: FloatArray) -> str | None:
        """The narrowest meaning that has the majority; None where it would be too wide to say anything."""
        best = int(probability.argmax())
        if probability[best] > MAJORITY:
            return self.names[best]
        say: dict[int, float] = {}
        for at in np.flatnonzero(probability > np.finfo(np.float32).eps):
            for meaning in self._line_of(self.names[at]):
                say[meaning] = say.get(meaning, 0.0) + float(probability[at])
        depth = {at: len(list(self.vocabulary.ancestors(at))) for at, share in say.items() if share > MAJORITY}
        narrowest = max(depth, key=lambda at: depth[at], default=None)
        return self.vocabulary.names[narrowest] if narrowest is not None and depth[narrowest] >= MIN_DEPTH else None

    def _line_of(self, name: str) -> list[int]:
        """The meaning of a name and all wider ones."""
        meanings = self.vocabulary.meanings(name)[:1]
        return [it for at in meanings for it in (at, *self.vocabulary.ancestors(at))]
