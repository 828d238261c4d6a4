"""Pictures as they come over HTTP: in a form, as base64 in JSON, or as the body itself. Addresses are refused."""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from inkling.serving.limits import Limits
from inkling.serving.problems import Problem
from inkling.types import ImageRecord
from inkling.wording import excerpt, visible

LONGEST_NAME = 255
MOST_FIELDS = 200
FILE = "file"
"""Name that the pictures of a form have, by custom; files by any other name are read too."""
_ADDRESS = re.compile(r"\s*(?!data:)[A-Za-z][A-Za-z0-9+.-]*:")
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,")
_FORM = "Let the HTTP client make the form, as curl does with -F file=@cat.jpg."
_CONTENT = "Send pictures as multipart/form-data, as base64 in application/json, or one picture as image/*."


@dataclass(frozen=True, eq=False)
class Upload:
    """A picture that was sent.

    Attributes
    ----------
    name
        Name of its file, without folders.
    folder
        The folder in the name that was sent, if there is one.
    """

    name: str
    folder: str | None
    _content: bytes | UploadFile = field(repr=False)

    def record(self) -> ImageRecord:
        """The picture as an image record. Reads it from where it is spooled."""
        if isinstance(self._content, bytes):
            return ImageRecord(self.name, data=self._content)
        self._content.file.seek(0)
        return ImageRecord(self.name, data=self._content.file.read())


@dataclass(frozen=True, eq=False)
class Sent:
    """What a request brought.

    Attributes
    ----------
    uploads
        Its pictures.
    fields
        Whatever else it says: texts of a form, members of a JSON object.
    """

    uploads: tuple[Upload, ...]
    fields: dict[str, Any]

    def texts(self, name: str) -> list[str]:
        """Values of a field that may be given several times.

        Raises
        ------
        Problem
            If it is no text.
        """
        value = self.fields.get(name)
        values = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(one, str) for one in values):
            raise Problem(422, "invalid", f"'{name}' must be text.")
        return [one for one in values if one.strip()]

    def text(self, name: str) -> str | None:
        """The value of a field.

        Raises
        ------
        Problem
            If it is no text, or is given several times.
        """
        values = self.texts(name)
        if len(values) > 1:
            raise Problem(422, "invalid", f"'{name}' is given {len(values)} times; once was expected.")
        return values[0] if values else None

    def number(self, name: str, *, default: int, most: int, least: int = 0) -> int:
        """A whole number within bounds.

        Raises
        ------
        Problem
            If it is none, or outside.
        """
        value = self.fields.get(name, default)
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value.strip()):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Problem(422, "invalid", f"'{name}' must be a whole number from {least} to {most}.")
        return value


async def read_sent(request: Request, limits: Limits) -> Sent:
    """Pictures and fields of a request; fields may stand in the query too.

    Raises
    ------
    Problem
        If it cannot be read, or brings too much.
    """
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    query: dict[str, Any] = {name: request.query_params.getlist(name) for name in request.query_params}
    query = {name: values[0] if len(values) == 1 else values for name, values in query.items()}
    if kind == "multipart/form-data":
        sent = await _of_form(request, limits)
    elif kind == "application/json":
        sent = _of_json(await request.body(), limits)
    elif kind.startswith("image/") or kind == "application/octet-stream":
        sent = Sent((Upload("picture", None, await request.body()),), {})
    else:
        given = f"'{excerpt(kind)}'" if kind else "of no type"
        raise Problem(415, "content-type", f"The body is {given}.", remedy=_CONTENT)
    return Sent(sent.uploads, {**query, **sent.fields})


async def _of_form(request: Request, limits: Limits) -> Sent:
    try:
        async with aclosing(request.stream()) as stream:
            form = await MultiPartParser(
                request.headers, stream, max_files=limits.images, max_fields=MOST_FIELDS
            ).parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise _too_many(limits) from error
        why = excerpt(error.message.rstrip("."))
        raise Problem(400, "malformed", f"The form cannot be read: {why}.", remedy=_FORM) from error
    except (KeyError, ValueError) as error:
        why = "it is damaged or has no boundary"
        raise Problem(400, "malformed", f"The form cannot be read: {why}.", remedy=_FORM) from error
    uploads: list[Upload] = []
    fields: dict[str, Any] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            uploads.append(Upload(*named(value.filename, len(uploads)), value))
        elif name == FILE:
            raise Problem(422, "invalid", f"The field '{FILE}' must be a file.", remedy="With curl: -F file=@cat.jpg")
        else:
            fields.setdefault(name, []).append(value)
    return Sent(tuple(uploads), {name: values[0] if len(values) == 1 else values for name, values in fields.items()})


def _of_json(body: bytes, limits: Limits) -> Sent:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else excerpt(error)
        raise Problem(400, "malformed", f"The body is no JSON: {why}.", remedy=_CONTENT) from error
    if not isinstance(content, dict):
        raise Problem(422, "invalid", "The body must be a JSON object.", remedy=_CONTENT)
    images = content.pop("images", [])
    if not isinstance(images, list):
        raise Problem(422, "invalid", "'images' must be a list.")
    if len(images) > limits.images:
        raise _too_many(limits)
    return Sent(tuple(_of_base64(image, number) for number, image in enumerate(images)), content)


def _of_base64(image: Any, number: int) -> Upload:
    """A picture as text, or as an object with ``data`` and maybe ``name``."""
    name, data = (image.get("name"), image.get("data")) if isinstance(image, dict) else (None, image)
    if not isinstance(data, str) or not isinstance(name, str | None):
        remedy = 'Write {"name": "cat.jpg", "data": "...base64..."}.'
        raise Problem(422, "invalid", f"Image {number} is no picture in base64.", remedy=remedy)
    if _ADDRESS.match(data):
        raise Problem(
            422, "address", f"Image {number} is an address; nothing is fetched.", remedy="Send the picture itself."
        )
    try:
        return Upload(*named(name, number), b64decode(_DATA_URL.sub("", data, count=1), validate=True))
    except (binascii.Error, ValueError) as error:
        raise Problem(422, "invalid", f"Image {number} is no base64: {excerpt(error)}.") from error


def named(given: str | None, number: int) -> tuple[str, str | None]:
    """Name of a file that was sent, without what steers a terminal, and the folder that it names."""
    path = PurePosixPath((given or "").replace("\\", "/"))
    name, folder = (visible(part).strip()[-LONGEST_NAME:] for part in (path.name, path.parent.name))
    return name or f"picture {number + 1}", folder or None


def require_pictures(uploads: Sequence[Upload]) -> Sequence[Upload]:
    """Refuse a request without a picture.

    Raises
    ------
    Problem
        If there is none.
    """
    if not uploads:
        raise Problem(422, "no-picture", "The request has no picture.", remedy=_CONTENT)
    return uploads


def _too_many(limits: Limits) -> Problem:
    return Problem(
        413,
        "too-many",
        f"The request has more than {limits.images} pictures.",
        remedy=f"Send them in several requests of {limits.images} at most.",
        more={"most": limits.images},
    )
