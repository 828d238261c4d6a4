"""What Label Studio calls a picture, and where that is on this machine."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

_LOCAL = re.compile(r"(?:https?://[^/?#]+)?/data/local-files/?\?", re.IGNORECASE)
_UPLOADED = re.compile(r"(?:https?://[^/?#]+)?/data/(?P<below>upload/.+)", re.IGNORECASE)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?!\\)")


def local_path(value: str) -> str | None:
    """Path of a picture, relative to the folder that Label Studio's files are in; None where it is elsewhere.

    Local files are in the folder that Label Studio has as ``LOCAL_FILES_DOCUMENT_ROOT``, uploaded ones in ``upload``
    of its media folder.

    Examples
    --------
    >>> local_path("/data/local-files/?d=cats/a%20b.jpg"), local_path("/data/upload/1/c.jpg"), local_path("s3://b/c")
    ('cats/a b.jpg', 'upload/1/c.jpg', None)
    """
    if _LOCAL.match(value):
        return next(iter(parse_qs(urlsplit(value).query).get("d", [])), None)
    if found := _UPLOADED.fullmatch(value):
        return unquote(found["below"])
    return None if _ADDRESS.match(value) else value
