"""Choices of Label Studio: where a labelling interface asks for one, and a verdict as such a choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from inkling.errors import InputError
from inkling.types import Verdict
from inkling.wording import excerpt

UNKNOWN = "unknown"
"""The choice for pictures of no known class, where there is one."""
CHOICES = "choices"
_WANTED = 'It needs <Image name="image" value="$image"/> and <Choices name="choice" toName="image">.'


class InterfaceError(InputError):
    """A labelling interface does not ask for the class of a picture."""


@dataclass(frozen=True)
class Interface:
    """Where a labelling interface asks for the class of a picture.

    Attributes
    ----------
    choices, image
        Names of the two elements.
    key
        Where tasks have the picture.
    values
        What can be chosen.
    """

    choices: str
    image: str
    key: str
    values: frozenset[str]


def read_interface(text: str) -> Interface:
    """The first choice about a picture in a labelling interface.

    Raises
    ------
    InterfaceError
        If it is no XML, or has none.
    """
    if "<!DOCTYPE" in text:  # without one there are no entities to unfold
        raise InterfaceError("The labelling interface has a document type; elements were expected.", remedy=_WANTED)
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise InterfaceError(f"The labelling interface is no XML: {excerpt(error)}.", remedy=_WANTED) from error
    images = {one.get("name", ""): one.get("value", "") for one in root.iter("Image")}
    for one in root.iter("Choices"):
        name, image = one.get("name", ""), one.get("toName", "")
        if name and images.get(image, "").startswith("$"):
            values = (choice.get("value", "") for choice in one.iter("Choice"))
            return Interface(name, image, images[image][1:], frozenset(values))
    raise InterfaceError("The labelling interface has no choice about an image.", remedy=_WANTED)


def choice_of(verdict: Verdict, interface: Interface) -> dict[str, Any]:
    """A verdict as Label Studio has predictions.

    An unknown picture is of the choice ``unknown`` if there is one. What cannot be chosen is no result; the score is 0
    then, so that a project in the order of scores has it first.
    """
    label = UNKNOWN if verdict.unknown else verdict.label
    version = {} if verdict.memory_version is None else {"model_version": str(verdict.memory_version)}
    if label not in interface.values:
        return {"result": [], "score": 0.0, **version}
    score = 1 - (verdict.p_known or 0.0) if verdict.unknown else verdict.probability
    chosen = {
        "from_name": interface.choices,
        "to_name": interface.image,
        "type": CHOICES,
        "value": {CHOICES: [label]},
        "score": score,
    }
    return {"result": [chosen], "score": score, **version}


def chosen_by(annotation: Mapping[str, Any], interface: Interface) -> list[str]:
    """What somebody chose in an annotation; nothing where the task was skipped."""
    results = annotation.get("result")
    if annotation.get("was_cancelled") or not isinstance(results, list):
        return []
    found: list[str] = []
    for one in results:
        value = one.get("value") if isinstance(one, dict) and one.get("from_name") == interface.choices else None
        names = value.get(CHOICES) if isinstance(value, dict) else None
        found += [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    return list(dict.fromkeys(found))
