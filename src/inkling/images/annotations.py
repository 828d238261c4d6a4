"""Labels and boxes from JSON files: COCO, MegaDetector, Label Studio. No image is opened.

COCO: Lin et al. 2014, "Microsoft COCO: Common Objects in Context", and its variant for camera traps, where annotations
without a box stand for whole pictures. MegaDetector: its batch output format, with boxes in shares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inkling.errors import InputError
from inkling.images.boxes import BoxReading
from inkling.images.documents import EXPECTED, four_numbers, list_in, number, read_json, require_object, text_of
from inkling.images.label_studio import are_tasks, read_tasks
from inkling.images.places import Place
from inkling.images.tables import Row
from inkling.labels import class_name
from inkling.types import Box
from inkling.wording import quoted

CROWD = "crowd annotations"
MALFORMED = "annotations whose box is not four numbers"
OF_NO_IMAGE = "annotations of an unknown image"
REPEATED_ID = "annotations with an id that another one has"
WITHOUT_BOX = "images without a box"
WITHOUT_FILE = "images without an id or a file name"
UNCERTAIN = "boxes below the confidence"
FAILED = "images that the detector could not read"
SEVERAL_CLASSES = "images under several categories"


@dataclass(frozen=True)
class Annotated:
    """Rows of a file of annotations, and how many entries were left out, by kind."""

    rows: tuple[Row, ...]
    ignored: Mapping[str, int]


def read_annotations(path: Place, reading: BoxReading) -> Annotated:
    """Boxes that a JSON file names, with their categories as labels, those of one picture side by side.

    Raises
    ------
    InputError
        If it is of none of these formats, or its ids are ambiguous.
    """
    content = read_json(path)
    if are_tasks(content):
        return Annotated(*read_tasks(content, reading))
    document = require_object(content, path=path)
    images = list_in(document, "images", path=path)
    if not images:
        keys = ", ".join(map(quoted, list(document)[:5])) or "none"
        raise InputError(f"'{path}' names no images; its keys are: {keys}.", remedy=EXPECTED)
    if any("file_name" in one for one in images):
        return _coco(document, images, path, reading)
    if any("file" in one for one in images):
        return _detections(document, images, path, reading)
    raise InputError(f"The images of '{path}' have neither 'file_name' nor 'file'.", remedy=EXPECTED)


def _coco(
    document: Mapping[str, Any], images: Sequence[Mapping[str, Any]], path: Place, reading: BoxReading
) -> Annotated:
    ignored: Counter[str] = Counter()
    files = _files(images, path, ignored)
    annotations = list_in(document, "annotations", path=path)
    if not annotations:
        return Annotated(tuple(Row(str(one["file_name"])) for one in files.values()), +ignored)
    names = _category_names(document, path)
    of_images: dict[str, list[Row]] = {image: [] for image in files}
    for one in _once(annotations, ignored):
        image = text_of(one.get("image_id"))
        if image is None or image not in files:
            ignored[OF_NO_IMAGE] += 1
        elif one.get("iscrowd"):
            ignored[CROWD] += 1
        elif (row := _coco_row(one, files[image], names, reading)) is None:
            ignored[MALFORMED] += 1
        else:
            of_images[image].append(row)
    ignored[WITHOUT_BOX] += sum(not rows for rows in of_images.values())
    return Annotated(tuple(row for rows in of_images.values() for row in _of_one_class(rows, ignored)), +ignored)


def _files(images: Sequence[Mapping[str, Any]], path: Place, ignored: Counter[str]) -> dict[str, Mapping[str, Any]]:
    """Images by their ids."""
    files: dict[str, Mapping[str, Any]] = {}
    for one in images:
        key, name = text_of(one.get("id")), text_of(one.get("file_name"))
        if key is None or name is None:
            ignored[WITHOUT_FILE] += 1
        elif (first := files.setdefault(key, one)) is not one and text_of(first["file_name"]) != name:
            raise InputError(
                f"Two images of '{path}' have the id {quoted(key)}: {quoted(first['file_name'])} and {quoted(name)}.",
                remedy="Give each image an id of its own: annotations name images by it.",
            )
    return files


def _once(annotations: Sequence[Mapping[str, Any]], ignored: Counter[str]) -> list[Mapping[str, Any]]:
    """Of annotations that share an id, the first: results of the two could not be distinguished."""
    seen: set[str] = set()
    kept = []
    for one in annotations:
        key = text_of(one.get("id"))
        if key is not None and key in seen:
            ignored[REPEATED_ID] += 1
            continue
        kept.append(one)
        if key is not None:
            seen.add(key)
    return kept


def _coco_row(
    annotation: Mapping[str, Any], image: Mapping[str, Any], names: Mapping[str, str | None], reading: BoxReading
) -> Row | None:
    """None where the box is not four numbers. Without one the annotation is of the whole picture."""
    label = names.get(text_of(annotation.get("category_id")) or "")
    file = str(image["file_name"])
    if annotation.get("bbox") is None:
        return Row(file, label)
    sides = four_numbers(annotation["bbox"])
    if sides is None:
        return None
    width, height = number(image.get("width")), number(image.get("height"))
    size = (int(width), int(height)) if width and height else None
    key = text_of(annotation.get("id"))
    return Row(file, label, box=Box(*sides, False, reading.margin, key, size))


def _of_one_class(rows: Sequence[Row], ignored: Counter[str]) -> Sequence[Row]:
    """Rows of one picture, without its annotations as a whole where they differ: it is of no one class."""
    whole = {row.label for row in rows if row.box is None}
    if len(whole) < len("ab"):
        return rows
    ignored[SEVERAL_CLASSES] += 1
    return [row for row in rows if row.box is not None]


def _category_names(document: Mapping[str, Any], path: Place) -> dict[str, str | None]:
    names: dict[str, str | None] = {}
    for one in list_in(document, "categories", path=path):
        key, name = text_of(one.get("id")), class_name(text_of(one.get("name")))
        if key is None:
            continue
        if names.setdefault(key, name) != name:
            raise InputError(
                f"Two categories of '{path}' have the id {quoted(key)}: {quoted(names[key])} and {quoted(name)}.",
                remedy="Give each category an id of its own.",
            )
    return names


def _detections(
    document: Mapping[str, Any], images: Sequence[Mapping[str, Any]], path: Place, reading: BoxReading
) -> Annotated:
    ignored: Counter[str] = Counter()
    categories = document.get("detection_categories")
    names = categories if isinstance(categories, dict) else {}
    rows: list[Row] = []
    for image in images:
        file = text_of(image.get("file"))
        if file is None:
            ignored[WITHOUT_FILE] += 1
        elif image.get("failure") or image.get("detections") is None:
            ignored[FAILED] += 1
        else:
            found = [_detected(one, file, names, reading) for one in list_in(image, "detections", path=path)]
            ignored.update(one for one in found if isinstance(one, str))
            boxes = [one for one in found if isinstance(one, Row)]
            ignored[WITHOUT_BOX] += not boxes
            rows += boxes
    return Annotated(tuple(rows), +ignored)


def _detected(detection: Mapping[str, Any], file: str, names: Mapping[str, Any], reading: BoxReading) -> Row | str:
    """A box, or why it is left out."""
    confidence, sides = number(detection.get("conf")), four_numbers(detection.get("bbox"))
    if confidence is None or sides is None:
        return MALFORMED
    if confidence < reading.confidence:
        return UNCERTAIN
    label = class_name(text_of(names.get(text_of(detection.get("category")) or "")))
    return Row(file, label, box=Box(*sides, True, reading.margin))
