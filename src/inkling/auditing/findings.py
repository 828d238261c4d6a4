"""What an audit says: findings, each with its evidence and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
    "ambiguous": "two classes fit alike",
    "outlier": "far from all images of its class, and no other class fits",
    "few_images": "a class with too few images",
    "imbalance": "a class with many times fewer images than others",
    "indistinct_classes": "two classes that the encoder can't tell apart",
    "same_text": "classes of which the text side reads one and the same text",
    "name_mismatch": "a class whose images do not match its text",
    "rotated": "stored turned; upright here, maybe not in other tools",
}
"""Kinds of findings, and what they mean, in the order in which they are listed."""
