"""What is asked about a picture, and what comes back: values between the service and whoever tells them."""

from __future__ import annotations

from dataclasses import dataclass

from inkling.classifier.few_shot import FewShotClassifier
from inkling.embeddings.at_once import ReadyPicture
from inkling.memory.nearest import NearestExemplars
from inkling.types import Vectors, Verdict


@dataclass(frozen=True, eq=False)
class Wanted:
    """A picture, and how much is to be said about it.

    Attributes
    ----------
    top, names
        As for `FewShotClassifier.verdicts`.
    """

    picture: ReadyPicture
    top: int
    names: int


@dataclass(frozen=True, eq=False)
class Answer:
    """A verdict with what it was made from.

    Attributes
    ----------
    content_hash
        Which picture it is about.
    vector
        Of the picture, (d + f,).
    known
        What the verdict was made by.
    """

    verdict: Verdict
    content_hash: str
    vector: Vectors
    known: Known


@dataclass(frozen=True, eq=False)
class Known:
    """What a version of the memory knows."""

    classifier: FewShotClassifier
    version: int
    neighbours: NearestExemplars
