"""JSON as people's tools write it, read as a whole: what is wrong with a file is said in one sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from inkling.errors import InputError
from inkling.images.places import Place
from inkling.wording import excerpt

EXPECTED = (
    "Name annotations in COCO's format (with 'images', 'annotations' and 'categories') or the output of MegaDetector "
    "(with 'images', each with 'file' and 'detections'), or an export of Label Studio in JSON (tasks with 'data')."
)


def read_json(path: Place) -> Any:
    """What a JSON file holds.

    Raises
    ------
    InputError
        If the file is not JSON.
    """
    return parsed_json(_text(path), source=f"'{path}'")


def require_object(document: Any, *, path: Place) -> Mapping[str, Any]:
    """The object that a JSON file holds.

    Raises
    ------
    InputError
        If it holds something else.
    """
    if isinstance(document, list):
        raise InputError(
            f"'{path}' is a list of {len(document)} entries, which names no files; results in COCO's format are such.",
            remedy=EXPECTED,
        )
    if not isinstance(document, dict):
        raise InputError(f"'{path}' holds {excerpt(document)}; an object was expected.", remedy=EXPECTED)
    return document


def parsed_json(text: str, *, source: str) -> Any:
    """What a text in JSON holds.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not JSON: {excerpt(error)}.", remedy="Write the file again.") from error


def list_in(document: Mapping[str, Any], key: str, *, path: Place) -> list[Mapping[str, Any]]:
    """The objects of a list; none where the key is missing.

    Raises
    ------
    InputError
        If it is no list of objects.
    """
    found = document.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InputError(f"'{key}' of '{path}' is not a list of objects.", remedy=EXPECTED)
    return found


def four_numbers(value: object) -> tuple[float, float, float, float] | None:
    """Left and upper edge, width and height; None where it is something else."""
    if not isinstance(value, list) or len(value) != len("xywh"):
        return None
    x, y, width, height = map(number, value)
    if x is None or y is None or width is None or height is None:
        return None
    return x, y, width, height


def number(value: object) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        read = float(value)
    except OverflowError:
        return None
    return read if math.isfinite(read) else None


def text_of(value: object) -> str | None:
    """Text or a whole number as text; None for anything else, and for nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        return str(value).strip() or None
    except ValueError:  # a number of thousands of digits
        return None


def _text(path: Place) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"'{path}' cannot be read: {excerpt(error)}.", remedy="Check its name and permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"'{path}' is not text in UTF-8 (byte {error.start}).", remedy="Write it again.") from error
