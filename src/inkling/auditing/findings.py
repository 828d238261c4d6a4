"""What an audit says: findings, each with its evidence and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

MOST_NAMED = 3
"""Files beside the one in question that a sentence names."""
_OF_SEVERAL_LABELS = ("label_conflict", "leak")


@dataclass(frozen=True)
class Finding:
    """Something worth a look.

    Attributes
    ----------
    kind
        One of `KINDS`.
    files
        The images concerned, the one in question first; none where a class, or all of the data, as a whole is.
    evidence
        What speaks for it, in a sentence.
    score
        How sure it is, from 0 to 1; findings of one kind are listed by it.
    suggestion
        What to do, in a sentence.
    classes
        The classes concerned, that of the first image first.
    relabel
        The label that the first image would better have; None where none is known.
    labels
        The label of each file of one picture, None for one without; empty where `classes` says it.

    Examples
    --------
    >>> Finding("mislabelled", ("car/1.jpg",), "It looks like boat.", 0.9, "Look at it.", ("car", "boat"), "boat").kind
    'mislabelled'
    """

    kind: str
    files: tuple[str, ...]
    evidence: str
    score: float
    suggestion: str
    classes: tuple[str, ...] = ()
    relabel: str | None = None
    labels: tuple[str | None, ...] = ()

    def evidence_at(self, place: int = 0, *, name: Callable[[str], str] = str) -> str:
        """The evidence beside one of the files, with the others that it is about.

        Parameters
        ----------
        place
            Of the file.
        name
            How files are called.

        Examples
        --------
        >>> Finding("leak", ("a.png", "b.png"), "Same.", 1.0, "Drop.", ("car",), None, ("car", "car")).evidence_at()
        'Same. Other file: b.png (car).'
        """
        n_others = len(self.files) - 1
        if n_others < 1:
            return self.evidence
        first = [at for at in range(min(MOST_NAMED, n_others) + 1) if at != place][:MOST_NAMED]
        told = ", ".join(f"{name(self.files[at])}{self._label_at(at)}" for at in first)
        more = f" and {n_others - len(first):,} more" if n_others > len(first) else ""
        return f"{self.evidence} Other {'file' if n_others == 1 else 'files'}: {told}{more}."

    def _label_at(self, place: int) -> str:
        """The label of a file in brackets, where it says more than the finding does."""
        label = self.labels[place] if self.labels and self.kind in _OF_SEVERAL_LABELS else None
        return "" if label is None else f" ({label})"


KINDS: Mapping[str, str] = {
    "mislabelled": "the label is likely wrong",
    "label_conflict": "one picture under several labels",
    "leak": "among the images that it is tested on, too",
    "unreadable": "can't be used",
    "exact_duplicate": "the same file more than once",
    "near_duplicate": "files of one picture, equal up to size, compression and small edits",
    "one_source": "images of one burst or video, which count as several",
    "uniform": "nearly one colour, nothing in it",
    "dark": "next to black",
    "bright": "next to white",
    "blurred": "nothing in it is sharp",
    "tiny": "far fewer pixels than the encoder reads",
    "extreme_aspect": "many times longer than wide, or wider than long",
    "border": "a frame of one colour around the picture",
    "colour_mode": "grey, where next to all others have colours",
    "screenshot": "taken of a screen, not of the thing",
    "several": "the box of another class covers half of it",
    "ambiguous": "two classes fit alike",
    "outlier": "far from all images of its class, and no other class fits",
    "few_images": "a class with too few images",
    "imbalance": "a class with many times fewer images than others",
    "indistinct_classes": "two classes that the encoder can't tell apart",
    "two_clusters": "a class that is two clusters, maybe two things under one name",
    "same_text": "classes of which the text side reads one and the same text",
    "name_mismatch": "a class whose images do not match its text",
    "rotated": "stored turned; upright here, maybe not in other tools",
}
"""Kinds of findings, and what they mean, in the order in which they are listed."""
