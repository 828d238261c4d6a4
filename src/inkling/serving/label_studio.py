"""The JSON of Label Studio's machine-learning backends: what it asks, and what it gets."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from inkling.errors import InputError, UnreadableImageError
from inkling.images.files import Files
from inkling.images.label_studio import local_path
from inkling.serving.answered import Answer
from inkling.serving.choices import Interface, choice_of
from inkling.serving.rooted import RootedFiles
from inkling.serving.uploads import Upload
from inkling.types import ImageRecord, SkippedImage
from inkling.wording import excerpt

MOST_TASKS = 1000
LONGEST_CONFIG = 1_000_000
_EXAMPLE = (
    '<View><Image name="image" value="$image"/><Choices name="kind" toName="image">'
    '<Choice value="cat"/><Choice value="unknown"/></Choices></View>'
)
_DATA_URI = re.compile(r"data:[^,]{0,200};base64,")
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


class Event(BaseModel):
    """What happened in a project, as a webhook of Label Studio tells it; only annotations have a meaning here."""

    action: StrictStr = Field(max_length=100)
    annotation: dict[str, Any] | None = None
    task: dict[str, Any] | None = None
    project: Any = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "action": "ANNOTATION_CREATED",
                    "task": {"id": 1, "data": {"image": "/data/local-files/?d=cats/1.jpg"}},
                    "annotation": {
                        "result": [
                            {"from_name": "kind", "to_name": "image", "type": "choices", "value": {"choices": ["cat"]}}
                        ]
                    },
                    "project": {"id": 1, "label_config": _EXAMPLE},
                }
            ]
        }
    )


def picture_of(
    data: Mapping[str, Any], key: str, *, files: RootedFiles | None, most_bytes: int
) -> Upload | SkippedImage:
    """The picture among the data of a task, or why there is none. Reads it from the disk where it is a local file.

    It is called by its place in the folder of the files, or, where it stands in the data, by the key.

    Parameters
    ----------
    key
        Where tasks have it.
    files
        Those that may be read.
    most_bytes
        Of one file.
    """
    value = data.get(key)
    try:
        if not isinstance(value, str) or not value:
            raise InputError(f"The task has no '{key}'.")
        if found := _DATA_URI.match(value):
            return Upload(key, None, b64decode(value[found.end() :], validate=True))
        place = None if files is None else local_path(value)
        if place is None or files is None:
            raise InputError(f"The picture is elsewhere, and nothing is fetched. {_INSTEAD}")
        return Upload(place, None, _content(files.path(place), most_bytes))
    except (InputError, UnreadableImageError) as error:
        return SkippedImage(key, error.message)
    except OSError as error:
        return SkippedImage(key, f"The file cannot be read: {excerpt(error)}.")
    except (binascii.Error, ValueError):
        return SkippedImage(key, "The picture is no base64.")


def prediction(answer: Answer | SkippedImage, interface: Interface) -> dict[str, Any]:
    """What Label Studio takes for one task; see `choice_of`."""
    if isinstance(answer, SkippedImage):
        return {"result": [], "score": 0.0, "error": answer.reason}
    return choice_of(answer.verdict, interface)


def _content(path: Path, most_bytes: int) -> bytes:
    if path.is_file() and path.stat().st_size > most_bytes:
        raise UnreadableImageError(f"the file has more than {most_bytes // 2**20} MiB")
    with Files() as files:
        return files.read(ImageRecord(str(path)))
