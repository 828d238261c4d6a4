"""Images without labels that a classifier may learn from too: which of them count, and how many do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inkling.classifier.inputs import samples_to_judge, vectors_among
from inkling.embeddings.checks import vector_hashes
from inkling.embeddings.samples import Samples
from inkling.encoders.identity import check_encoder
from inkling.errors import InputError
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.images.handed_over import read_images
from inkling.types import EncoderIdentity, FloatArray, ImageRecord, SkippedImage
from inkling.wording import counted

MAX_UNLABELLED = 10_000
"""Images at most, spread over those there are: a memory keeps their vectors."""


@dataclass(frozen=True, eq=False)
class Unlabelled:
    """Different images without labels, none of them among the labelled ones.

    Attributes
    ----------
    X
        Embedding and, after it, feature, (n, d + f).
    n_copies
        Images left out because they are copies of labelled ones, or of each other.
    n_beyond
        Images left out because there are enough.
    skipped
        Images that could not be read, and why.
    """

    X: FloatArray
    n_copies: int
    n_beyond: int
    skipped: tuple[SkippedImage, ...]

    @classmethod
    def beside(cls, samples: Samples, unlabelled: Samples) -> Unlabelled:
        """What of the unlabelled samples counts beside the labelled ones; labels that they have are not read.

        Raises
        ------
        InputError
            If nothing is left.
        EncoderMismatchError
            If another encoder made them.
        """
        check_encoder(samples.identity, unlabelled.identity, made="The labelled vectors were made")
        known = set(samples.content_hashes)
        rows = [row for content, row in unlabelled.first_rows.items() if content not in known]
        if not rows:
            raise InputError(
                _nothing_left(unlabelled), remedy="Name images other than those that are learned from with labels."
            )
        kept = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MAX_UNLABELLED)).astype(np.int64))
        return cls(
            X=unlabelled.X[np.asarray(rows)[kept]],
            n_copies=len(unlabelled) - len(rows),
            n_beyond=len(rows) - len(kept),
            skipped=unlabelled.skipped,
        )

    @property
    def report(self) -> dict[str, Any]:
        """How many images there are and how many were left out, as JSON can hold it."""
        return {
            "images": len(self.X),
            "copies_left_out": self.n_copies,
            "beyond_limit": self.n_beyond,
        }


def unlabelled_vectors(X: Any, identity: EncoderIdentity) -> Samples:
    """Samples of vectors (n, d) that a caller hands over without labels.

    Raises
    ------
    InputError
        If they are not vectors like those with labels.
    """
    rows = vectors_among(X)
    if rows is None and not (isinstance(X, np.ndarray) and X.ndim == 2):
        raise InputError(
            "The labelled images are vectors, so unlabelled must be vectors (n, d) too.",
            remedy="Embed the images with the encoder that made the vectors.",
        )
    samples = samples_to_judge(X if rows is None else rows, identity)
    return replace(samples, content_hashes=vector_hashes(samples.X))


def unlabelled_records(unlabelled: Any) -> Sequence[ImageRecord]:
    """Images without labels, as the caller names them.

    Raises
    ------
    InputError
        If these are vectors: nobody can tell which encoder made them; or there is no image.
    """
    if vectors_among(unlabelled) is not None:
        raise InputError(
            "The labelled images are pictures, so unlabelled must be pictures too, or a file of embeddings.",
            remedy="Name the pictures themselves; inkling.embeddings.precomputed.read_precomputed reads a file.",
        )
    return read_images(unlabelled).records


def _nothing_left(unlabelled: Samples) -> str:
    if len(unlabelled):
        return f"All of the {counted(len(unlabelled), 'unlabelled image')} are copies of labelled ones."
    if unlabelled.skipped:
        first = unlabelled.skipped[0]
        return f"No unlabelled image can be used; the first, '{first.path}': {first.reason}."
    return "There is no unlabelled image."


def with_unlabelled(vectors: LabelledVectors, head: str, unlabelled: FloatArray | None) -> LabelledVectors:
    """Labelled vectors with unlabelled ones (n, d + f) beside them.

    Raises
    ------
    InputError
        If the head learns from labelled images alone.
    """
    if unlabelled is None:
        return vectors
    if head != "auto":
        raise InputError(
            f"The head '{head}' learns from labelled images alone.",
            remedy="Leave --unlabelled out (in Python unlabelled), or take the head auto.",
        )
    return replace(vectors, unlabelled=unlabelled)


def unlabelled_finding(report: Mapping[str, Any]) -> str:
    """How many images were offered and left out, in one sentence."""
    told = [counted(report["images"], "image")]
    if report["copies_left_out"]:
        told.append(f"{report['copies_left_out']} left out as copies of these or of labelled ones")
    if report["beyond_limit"]:
        told.append(f"{report['beyond_limit']} left out, since {MAX_UNLABELLED} are enough")
    return ", ".join(told)
