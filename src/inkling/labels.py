"""Labels as people, tables and libraries write them, to the names of classes: one rule for every entrance.

A class has a name, which is text in one spelling: Unicode form NFC, without blanks around it. A label is what a caller
hands over: text, a whole number or a truth value, of Python or of any library. Whole numbers are read by value, so 3,
3.0 and a tensor of 3 are one label; bytes are read as UTF-8. None, NaN, NA, NaT and blank text mean that there is no
label. Everything else is refused.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.errors import ConflictError, InputError
from inkling.wording import excerpt, quoted, visible

Label = str | int | bool
"""A label as it is handed over and given back."""

_EXPECTED = "Labels are text, whole numbers or truth values, one for each image."
_SHOWN = 60
"""Characters of a label that a message shows."""
LONGEST_NAME = 200
"""Characters that the name of a class has at most."""
_RESERVED = {
    "unknown": (
        "that is what images of no known class are called",
        "Leave these images out: images of no class are recognized without examples. If they do make a class of their "
        "own, call it otherwise, such as 'other'.",
    ),
    "nowhere": ("that word stands for no class at all in 'inkling move --to'", "Choose another name."),
}
"""Words of the command line and of its outputs that no class can have: why, and what to do."""
EXTEND = "Choose another name; 'inkling fit --update' adds images to a known class."
"""What to do about the name of a known class where a new one was to be added."""


class Kind(Enum):
    """What labels are of; the value is what a memory keeps."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"

    def label(self, name: str) -> Label:
        """The label of a class name: a number or truth value where labels are of that kind and the name tells one.

        A class that a person named later, among classes given by number, keeps its name.

        Examples
        --------
        >>> Kind.NUMBER.label("7"), Kind.NUMBER.label("007"), Kind.TEXT.label("7")
        (7, '007', '7')
        """
        if self is Kind.NUMBER and name.removeprefix("-").isdecimal() and str(int(name)) == name:
            return int(name)
        if self is Kind.TRUTH and name in ("False", "True"):
            return name == "True"
        return name

    def sorted(self, names: Iterable[str]) -> list[str]:
        """Names in the order of their labels: numbers by value and before text, text as text.

        Examples
        --------
        >>> Kind.NUMBER.sorted(["10", "9", "cat"]), Kind.TEXT.sorted(["10", "9", "cat"])
        (['9', '10', 'cat'], ['10', '9', 'cat'])
        """
        return sorted(names, key=self.order)

    def order(self, name: str) -> tuple[bool, Label]:
        """What `sorted` sorts by."""
        label = self.label(name)
        return isinstance(label, str), label

    def array(self, names: Sequence[str]) -> NDArray[Any]:
        """Labels of the names as an array, of numbers or truth values where all of them are."""
        labels = [self.label(name) for name in names]
        return np.array(labels, dtype=object if any(isinstance(label, str) for label in labels) else None)


@dataclass(frozen=True)
class Labels:
    """Labels read.

    Attributes
    ----------
    names
        Name of each image's class; None where there is no label.
    kind
        What the labels are of.
    """

    names: tuple[str | None, ...]
    kind: Kind


def class_name(label: Any) -> str | None:
    """Name of the class that a label stands for; None where the label is missing.

    Raises
    ------
    InputError
        If it is no label.

    Examples
    --------
    >>> class_name(" cafe\\u0301 "), class_name(np.int64(3)), class_name(float("nan"))
    ('caf\\xe9', '3', None)
    """
    value = _value(label)
    return None if value is None else str(value)


def require_class_name(label: Any) -> str:
    """As `class_name`, of a class that must have one.

    Raises
    ------
    InputError
        If the name is blank, or no label.
    """
    name = class_name(label)
    if name is None:
        raise InputError("The name of a class is empty.", remedy="Give it a name.")
    return name


def name_key(name: str) -> str:
    """What two names share that differ by case, blanks, Unicode form or invisible characters alone.

    Examples
    --------
    >>> name_key("Fire  Truck") == name_key("firetruck")
    True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(one for one in folded if not one.isspace() and unicodedata.category(one) != "Cf")


def check_names(new: Iterable[str], known: Iterable[str] = (), *, remedy: str = EXTEND) -> None:
    """Make sure that names can become those of new classes.

    Parameters
    ----------
    new
        The names, each once.
    known
        Names of classes that there are already.
    remedy
        What to do where a name is that of a known class.

    Raises
    ------
    InputError
        If one is empty, too long, a word of the command line or has characters that steer a terminal; or if it differs
        from a known or another new one by case, blanks or Unicode form at most.

    Examples
    --------
    >>> check_names(["van", "car"], ["bus"])
    >>> try:
    ...     check_names(["van"], ["Van"])
    ... except InputError as error:
    ...     print(error.message)
    The name 'van' differs from that of the class 'Van' by case, spaces or Unicode form alone.
    """
    taken = {name_key(name): name for name in known}
    met: dict[str, str] = {}
    for name in new:
        key = name_key(name)
        _check_name(name, key)
        if key in taken:
            raise _known_already(name, taken[key], remedy)
        if key in met:
            raise _alike(met[key], name)
        met[key] = name


def _check_name(name: str, key: str) -> None:
    if not key:
        raise InputError("A class needs a name.", remedy="Give it one of at least one letter.")
    if visible(name) != name:
        raise InputError(
            f"The class name {quoted(visible(name))} has a control character or a line break.",
            remedy="Take it out of the name, wherever that stands: of a folder, in a table, or as it was typed.",
        )
    if len(name) > LONGEST_NAME:
        raise InputError(
            f"The class name '{excerpt(name, most=_SHOWN)}' has {len(name)} characters; {LONGEST_NAME} are the most.",
            remedy="Give it a shorter name; what describes the class at length is a prompt.",
        )
    if key in _RESERVED:
        why, remedy = _RESERVED[key]
        raise InputError(f"A class can't be called '{name}': {why}.", remedy=remedy)


def _known_already(name: str, other: str, remedy: str) -> ConflictError:
    if name == other:
        return ConflictError(f"There is a class {quoted(name)} already.", remedy=remedy)
    return ConflictError(
        f"The name {quoted(name)} differs from that of the class {quoted(other)} by case, spaces or Unicode form "
        "alone.",
        remedy=f"Write {quoted(other)} if that class is meant, or choose a name that nobody can mistake for it.",
    )


def _alike(one: str, other: str) -> InputError:
    return InputError(
        f"The names {quoted(one)} and {quoted(other)} differ by case, spaces or Unicode form alone.",
        remedy="If they are one class, give its images one label: put them into one folder, or spell the label alike "
        "in the table. If they are two, give one a name that nobody can mistake for the other.",
    )


def read_labels(labels: Any) -> Labels:
    """Labels of several images: a list, array, tensor, series or column, in the order of the images.

    Raises
    ------
    InputError
        If they are not one a row, are of different kinds, or something is no label.

    Examples
    --------
    >>> read_labels(np.array([[2], [10]]))
    Labels(names=('2', '10'), kind=<Kind.NUMBER: 'number'>)
    """
    values = [_value(label) for label in _listed(labels)]
    kinds = {_kind(value): value for value in values if value is not None}
    if len(kinds) > 1:
        shown = ", ".join(f"{value!r} ({kind.value})" for kind, value in kinds.items())
        raise InputError(f"Labels of several types can't be distinguished: {shown}.", remedy="Make all of them text.")
    return Labels(tuple(None if value is None else str(value) for value in values), next(iter(kinds), Kind.TEXT))


def _value(label: Any) -> Label | None:
    """A label as Python has it, in one spelling; None where it is missing."""
    if getattr(label, "ndim", None) == 0 and hasattr(label, "item"):
        label = label.item()
    match label:
        case str() | bytes():
            return _text(label)
        case bool():
            return label
        case Integral():
            return int(label)
        case _ if _is_missing(label):
            return None
        case Real() | Decimal() if float(label).is_integer():
            return int(float(label))
    raise InputError(f"{_shown(label)} is no label.", remedy=_EXPECTED)


def _text(label: str | bytes) -> str | None:
    try:
        text = str(label, "utf-8") if isinstance(label, bytes) else str(label)
        text.encode()
    except UnicodeError as error:
        raise InputError(f"The label {_shown(label)} is not text in UTF-8.", remedy="Name the class anew.") from error
    if "\0" in text:
        raise InputError(f"The label {_shown(label)} has a zero character.", remedy="Name the class anew.")
    return unicodedata.normalize("NFC", text.strip()) or None


def _is_missing(label: Any) -> bool:
    if label is None or ((pandas := sys.modules.get("pandas")) is not None and label is pandas.NA):
        return True
    try:
        return bool(label != label)
    except (TypeError, ValueError, RuntimeError):  # arrays compare item by item
        return False


def _kind(value: Label) -> Kind:
    return Kind.TRUTH if isinstance(value, bool) else Kind.NUMBER if isinstance(value, int) else Kind.TEXT


def _listed(labels: Any) -> list[Any]:
    """The labels one by one; a column is read as its only cells."""
    if isinstance(labels, str | bytes | Mapping | Set) or getattr(getattr(labels, "dtype", None), "kind", None) == "M":
        raise InputError(f"Labels can't be read from {_shown(labels)}.", remedy=_EXPECTED)
    if hasattr(labels, "tolist"):
        labels = labels.tolist()
    elif hasattr(labels, "to_pylist"):
        labels = labels.to_pylist()
    elif hasattr(labels, "__array__"):
        labels = np.asarray(labels).tolist()
    if not isinstance(labels, Iterable):
        raise InputError(f"Labels can't be read from {_shown(labels)}.", remedy=_EXPECTED)
    return [label[0] if isinstance(label, list | tuple) and len(label) == 1 else label for label in labels]


def _shown(label: Any) -> str:
    return excerpt(repr(label) if isinstance(label, str | bytes) else label, most=_SHOWN)
