"""Pictures large enough to label by; those that came over HTTP are held as long as the service runs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from inkling.errors import InklingError, UnreadableImageError
from inkling.images.archives import record_of
from inkling.images.decode import decode, load, thumbnail
from inkling.types import ImageRecord

SIDE = 1024
MOST_BYTES = 256 * 2**20
"""Of all that is held; what came first goes first."""


class Larger:
    """Holds pictures encoded anew, of at most `SIDE` pixels a side.

    Parameters
    ----------
    most_bytes
        Of all together.
    """

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def keep(self, content_hash: str, record: ImageRecord) -> None:
        """Hold a picture that was sent."""
        if record.data is None or content_hash in self._held:
            return
        try:
            jpeg = thumbnail(decode(record.data, shorter_side=SIDE // 2), side=SIDE)
        except UnreadableImageError:
            return  # what was embedded a moment ago can be read; if not, the small picture does
        with self._lock:
            self._held[content_hash] = jpeg
            self._bytes += len(jpeg)
            while self._bytes > self._most:
                self._bytes -= len(self._held.popitem(last=False)[1])

    def of(self, content_hash: str, path: str) -> bytes | None:
        """The picture of an image: as it was sent, or from its file where that is there and has not changed."""
        held = self._held.get(content_hash)
        return held if held is not None else _from_file(content_hash, path)


def _from_file(content_hash: str, path: str) -> bytes | None:
    if not Path(path).is_absolute():
        return None  # what was sent has a bare name, which is that of no file here
    try:
        found = load(record_of(path, None), shorter_side=SIDE // 2)
    except (InklingError, OSError):
        return None
    return thumbnail(found.image, side=SIDE) if found.content_hash == content_hash else None
