"""Label Studio: where its pictures are on this machine, and the labels in its exports in JSON."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from inkling.images.boxes import BoxReading
from inkling.images.documents import four_numbers, number, text_of
from inkling.images.layout import IMAGE_SUFFIXES
from inkling.images.tables import Row
from inkling.labels import class_name
from inkling.types import Box
from inkling.wording import excerpt

ELSEWHERE = "tasks whose picture is at an address, which is not fetched"
NO_PICTURE = "tasks that name no picture file"
NAMED = 3
"""Tasks that are named of those that were left out for one reason."""
SEVERAL_CHOICES = "tasks under several choices"
WITHOUT_CHOICE = "tasks without a choice or a box"
ROTATED = "rotated boxes"
MALFORMED = "annotations whose box is not four numbers"

_LOCAL = re.compile(r"(?:https?://[^/?#]+)?/data/local-files/?\?", re.IGNORECASE)
_UPLOADED = re.compile(r"(?:https?://[^/?#]+)?/data/(?P<below>upload/.+)", re.IGNORECASE)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?!\\)")
_CHOICES, _BOXES = "choices", "rectanglelabels"
_SIDES = ("x", "y", "width", "height")
_PERCENT = 100


def local_path(value: str) -> str | None:
    """Path of a picture, relative to the folder that Label Studio's files are in; None where it is elsewhere.

    Local files are in the folder that Label Studio has as ``LOCAL_FILES_DOCUMENT_ROOT``, uploaded ones in ``upload``
    of its media folder.

    Examples
    --------
    >>> local_path("/data/local-files/?d=cats/a%20b.jpg"), local_path("/data/upload/1/c.jpg"), local_path("s3://b/c")
    ('cats/a b.jpg', 'upload/1/c.jpg', None)
    """
    try:
        if _LOCAL.match(value):
            return next(iter(parse_qs(urlsplit(value).query).get("d", [])), None)
    except ValueError:  # more fields than are read, or an address in brackets that is none
        return None
    if found := _UPLOADED.fullmatch(value):
        return unquote(found["below"])
    return None if _ADDRESS.match(value) else value


def local_address(place: str) -> str:
    """By what Label Studio names a picture at a path of `local_path`.

    Examples
    --------
    >>> local_address("cats/a b.jpg"), local_address("upload/1/c.jpg")
    ('/data/local-files/?d=cats/a%20b.jpg', '/data/upload/1/c.jpg')
    """
    return f"/data/{quote(place)}" if place.startswith("upload/") else f"/data/local-files/?d={quote(place)}"


def are_tasks(document: object) -> bool:
    """Whether a JSON document is an export of Label Studio: a list of tasks with their data."""
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(one, dict) and isinstance(one.get("data"), dict) for one in document)
    )


def read_tasks(tasks: Sequence[Mapping[str, Any]], reading: BoxReading) -> tuple[tuple[Row, ...], Counter[str]]:
    """Pictures of tasks with the choice, and the boxes, of their annotations; and what was left out.

    Where no task has an annotation, all are images without a label.
    """
    ignored: Counter[str] = Counter()
    rows: list[Row] = []
    unlabelled: list[Row] = []
    left_out: dict[str, list[str]] = {}
    for task in tasks:
        file = _file(task["data"])
        if file is None:
            left_out.setdefault(_why_not(task["data"]), []).append(excerpt(task.get("id", "?")))
            continue
        found, several = _rows(file, _results(task), reading, ignored)
        rows += found
        if not found and not several:
            unlabelled.append(Row(file))
    ignored.update({f"{why} ({_listed(ids)})": len(ids) for why, ids in left_out.items()})
    if not rows:
        return tuple(unlabelled), +ignored
    ignored[WITHOUT_CHOICE] += len(unlabelled)
    return tuple(rows), +ignored


def _file(data: Mapping[str, Any]) -> str | None:
    """The first of a task's data that is a picture on this machine."""
    paths = (local_path(value) for value in data.values() if isinstance(value, str))
    return next((one for one in paths if one and PurePosixPath(one).suffix.lower() in IMAGE_SUFFIXES), None)


def _why_not(data: Mapping[str, Any]) -> str:
    texts = [value for value in data.values() if isinstance(value, str)]
    return ELSEWHERE if any(_ADDRESS.match(one) and local_path(one) is None for one in texts) else NO_PICTURE


def _listed(ids: Sequence[str]) -> str:
    more = len(ids) - NAMED
    return f"{'task' if len(ids) == 1 else 'tasks'} {', '.join(ids[:NAMED])}{f' and {more} more' if more > 0 else ''}"


def _results(task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Results of a task that people gave; annotations that they skipped say nothing."""
    annotations = task.get("annotations")
    found: list[Mapping[str, Any]] = []
    for one in annotations if isinstance(annotations, list) else []:
        results = one.get("result") if isinstance(one, dict) and not one.get("was_cancelled") else None
        found += [each for each in results if isinstance(each, dict)] if isinstance(results, list) else []
    return found


def _rows(
    file: str, results: Sequence[Mapping[str, Any]], reading: BoxReading, ignored: Counter[str]
) -> tuple[list[Row], bool]:
    """Rows of one picture, and whether it is of several classes as a whole."""
    chosen = {label for one in results if one.get("type") == _CHOICES for label in _labels(one, _CHOICES)}
    several = len(chosen) > 1
    ignored[SEVERAL_CHOICES] += several
    rows = [Row(file, label) for label in chosen] if not several else []
    for one in results:
        if one.get("type") == _BOXES and (box := _box(one, reading, ignored)) is not None:
            rows += [Row(file, label, box=box) for label in _labels(one, _BOXES)[:1]]
    return rows, several


def _labels(result: Mapping[str, Any], kind: str) -> list[str]:
    value = result.get("value")
    given = value.get(kind) if isinstance(value, dict) else None
    names = [class_name(text_of(one)) for one in given] if isinstance(given, list) else []
    return [name for name in names if name is not None]


def _box(result: Mapping[str, Any], reading: BoxReading, ignored: Counter[str]) -> Box | None:
    """A box in shares: Label Studio has percentages."""
    given = result.get("value")
    value = given if isinstance(given, dict) else {}
    sides = four_numbers([value.get(side) for side in _SIDES])
    if sides is None:
        ignored[MALFORMED] += 1
        return None
    if number(value.get("rotation")):
        ignored[ROTATED] += 1
        return None
    x, y, width, height = (side / _PERCENT for side in sides)
    return Box(x, y, width, height, True, reading.margin, text_of(result.get("id")))
