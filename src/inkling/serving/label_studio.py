"""The JSON of Label Studio's machine-learning backends: what it asks, and what it gets."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from inkling.errors import InputError, UnreadableImageError
from inkling.images.files import Files
from inkling.images.label_studio import local_path
from inkling.serving.answered import Answer
from inkling.serving.problems import Problem
from inkling.serving.rooted import RootedFiles
from inkling.serving.uploads import Upload
from inkling.types import ImageRecord, SkippedImage
from inkling.wording import excerpt

MOST_TASKS = 1000
LONGEST_CONFIG = 1_000_000
UNKNOWN = "unknown"
_EXAMPLE = (
    '<View><Image name="image" value="$image"/><Choices name="kind" toName="image">'
    '<Choice value="cat"/><Choice value="unknown"/></Choices></View>'
)
_DATA_URI = re.compile(r"data:[^,]{0,200};base64,")
_WANTED = 'It needs <Image name="image" value="$image"/> and <Choices name="choice" toName="image">.'
_INSTEAD = "Send pictures as data URIs, or start the service with --label-studio-root."


class Setup(BaseModel):
    """What Label Studio sends when a backend is connected; whatever else it sends has no meaning here."""

    interface: StrictStr = Field(alias="schema", max_length=LONGEST_CONFIG)

    model_config = ConfigDict(json_schema_extra={"examples": [{"schema": _EXAMPLE}]})


class Task(BaseModel):
    """A task: a picture is in one of its data."""

    data: dict[str, Any]


class Tasks(BaseModel):
    """Tasks to predict, and the labelling interface of their project."""

    tasks: list[Task] = Field(max_length=MOST_TASKS)
    label_config: StrictStr = Field(max_length=LONGEST_CONFIG)

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"tasks": [{"data": {"image": "/data/local-files/?d=cats/1.jpg"}}], "label_config": _EXAMPLE}]
        }
    )


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
    Problem
        If it is no XML, or has none.
    """
    if "<!DOCTYPE" in text:  # without one there are no entities to unfold
        raise _no_interface("The labelling interface has a document type; elements were expected.")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise _no_interface(f"The labelling interface is no XML: {excerpt(error)}.") from error
    images = {one.get("name", ""): one.get("value", "") for one in root.iter("Image")}
    for one in root.iter("Choices"):
        name, image = one.get("name", ""), one.get("toName", "")
        if name and images.get(image, "").startswith("$"):
            values = (choice.get("value", "") for choice in one.iter("Choice"))
            return Interface(name, image, images[image][1:], frozenset(values))
    raise _no_interface("The labelling interface has no choice about an image.")


def picture_of(task: Task, key: str, *, files: RootedFiles | None, most_bytes: int) -> Upload | SkippedImage:
    """The picture of a task, or why there is none. Reads it from the disk where it is a local file.

    Parameters
    ----------
    key
        Where tasks have it.
    files
        Those that may be read.
    most_bytes
        Of one file.
    """
    value = task.data.get(key)
    try:
        if not isinstance(value, str) or not value:
            raise InputError(f"The task has no '{key}'.")
        if found := _DATA_URI.match(value):
            return Upload(key, None, b64decode(value[found.end() :], validate=True))
        place = None if files is None else local_path(value)
        if place is None or files is None:
            raise InputError(f"The picture is elsewhere, and nothing is fetched. {_INSTEAD}")
        return Upload(key, None, _content(files.path(place), most_bytes))
    except (InputError, UnreadableImageError) as error:
        return SkippedImage(key, error.message)
    except OSError as error:
        return SkippedImage(key, f"The file cannot be read: {excerpt(error)}.")
    except (binascii.Error, ValueError):
        return SkippedImage(key, "The picture is no base64.")


def prediction(answer: Answer | SkippedImage, interface: Interface) -> dict[str, Any]:
    """What Label Studio takes for one task.

    An unknown picture is of the choice ``unknown`` if there is one. What cannot be chosen is no result; the score is 0
    then, so that a project in the order of scores has it first.
    """
    if isinstance(answer, SkippedImage):
        return {"result": [], "score": 0.0, "error": answer.reason}
    verdict = answer.verdict
    label = UNKNOWN if verdict.unknown else verdict.label
    version = str(answer.known.version)
    if label not in interface.values:
        return {"result": [], "score": 0.0, "model_version": version}
    score = 1 - (verdict.p_known or 0.0) if verdict.unknown else verdict.probability
    chosen = {
        "from_name": interface.choices,
        "to_name": interface.image,
        "type": "choices",
        "value": {"choices": [label]},
        "score": score,
    }
    return {"result": [chosen], "score": score, "model_version": version}


def _content(path: Path, most_bytes: int) -> bytes:
    if path.is_file() and path.stat().st_size > most_bytes:
        raise UnreadableImageError(f"the file has more than {most_bytes // 2**20} MiB")
    with Files() as files:
        return files.read(ImageRecord(str(path)))


def _no_interface(detail: str) -> Problem:
    return Problem(422, "interface", detail, remedy=_WANTED)
