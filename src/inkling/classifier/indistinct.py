"""Classes whose texts carry no information: names that are codes, and several classes with one and the same text."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from inkling.discovery.vocabulary import common_nouns
from inkling.errors import InputError
from inkling.heads.checks import name_some
from inkling.types import ClassEntry

SAME_TEXT = 1.0 - 1e-5
"""Cosine from which two text vectors are of one text: what a text tower cuts off leaves rounding alone."""

_LETTERS = re.compile(r"[^\W\d_]+")
_VOWELS = frozenset("aeiouy")
_COUNTED = frozenset({"category", "class", "cluster", "group", "image", "img", "item", "label", "object", "type"})
"""Words that stand before a number and say nothing of what it numbers."""


def is_code(name: str) -> bool:
    """Whether a name is a number or a code, of which a text tells nothing: ``7``, ``007``, ``DSC``, ``n01440764``.

    A name is words if it has a run of three letters or more with a vowel, other than words such as ``class`` that only
    number things; if it has letters of another alphabet; or if it is an English noun of two letters or more, such as
    ``tv``.

    Examples
    --------
    >>> [name for name in ("0", "DSC", "class_3", "ox", "boeing 747", "3d printer") if is_code(name)]
    ['0', 'DSC', 'class_3']
    """
    for run in _LETTERS.findall(name.lower()):
        if not run.isascii() or (len(run) > 2 and set(run) & _VOWELS and run not in _COUNTED):
            return False
    if len(name.strip()) < 2:
        return True
    return not common_nouns().meanings(" ".join(name.lower().replace("_", " ").split()))


def without_same_texts(entries: Sequence[ClassEntry]) -> tuple[ClassEntry, ...]:
    """The classes, without text vectors where several have one and the same; their prompts stay."""
    named = [row for row, entry in enumerate(entries) if entry.text_vector is not None]
    if not named:
        return tuple(entries)
    vectors = np.stack([np.asarray(entries[row].text_vector, dtype=np.float64) for row in named])
    same = (vectors @ vectors.T > SAME_TEXT).sum(axis=1) > 1
    left_out = {row for row, is_same in zip(named, same, strict=True) if is_same}
    return tuple(replace(entry, text_vector=None) if row in left_out else entry for row, entry in enumerate(entries))


def unlike_known(
    entries: Sequence[ClassEntry], known: Sequence[ClassEntry], *, with_images: Collection[str]
) -> tuple[ClassEntry, ...]:
    """New classes, without text vectors where a known class has one and the same; that class keeps its own.

    Parameters
    ----------
    with_images
        Names of the new classes that have images.

    Raises
    ------
    InputError
        If a class without images has the text of a known one: nothing else tells it.
    """
    told = [entry for entry in known if entry.text_vector is not None]
    if not told:
        return tuple(entries)
    vectors = np.stack([np.asarray(entry.text_vector, dtype=np.float64) for entry in told])

    def apart(entry: ClassEntry) -> ClassEntry:
        if entry.text_vector is None or not (same := vectors @ entry.text_vector > SAME_TEXT).any():
            return entry
        if entry.name not in with_images:
            raise InputError(
                f"The text of '{entry.name}' is that of the class '{told[int(same.argmax())].name}'.",
                remedy="Give it other prompts, or images.",
            )
        return replace(entry, text_vector=None)

    return tuple(map(apart, entries))


def texts_left_out(entries: Sequence[ClassEntry]) -> str | None:
    """Which classes have a text that tells nothing, in one sentence; None where all texts count that there are."""
    silent = [entry.name for entry in entries if entry.text_vector is None and entry.prompts]
    codes = [name for name in silent if is_code(name)]
    alike = [name for name in silent if name not in codes]
    told = [
        f"{len(names)} {'class' if len(names) == 1 else 'classes'} whose {what} ({name_some(names)})"
        for names, what in ((codes, "name is a code"), (alike, "text is that of another"))
        if names
    ]
    return f"texts are left out for {' and for '.join(told)}" if told else None
