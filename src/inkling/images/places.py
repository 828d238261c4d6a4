"""Where a file is: on this machine, or behind the URL of an object store or another file system that fsspec reads.

Credentials come from where the store's own tools have them: the environment, their files, or fsspec's configuration.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from inkling.errors import InklingError, InputError, MissingExtraError, require
from inkling.wording import excerpt

EXTRA = "scale"
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
WEB = ("http", "https")
"""Kinds of URLs that no picture is read from."""
_LOCAL = ("file", "local")
_OF_EXTRA = ("s3", "s3a")
"""Kinds of stores whose package the extra brings."""
_PASSWORD = re.compile(r"[^:/@]*:[^/@]*@")
_CREDENTIALS = (
    "Credentials come from the environment, such as AWS_PROFILE or AWS_ACCESS_KEY_ID, from the files of the store's "
    "own tools, or from fsspec's configuration."
)


class StoreError(OSError):
    """What a store said when it neither found nor forbade what was asked for."""


def is_url(name: str) -> bool:
    """Whether a name is a URL, such as ``s3://bucket/photos``."""
    return _URL.match(name) is not None


def place_of(name: str | Path) -> Place:
    """Where a name leads. ``file://`` leads to this machine.

    Examples
    --------
    >>> place_of("photos/a.jpg"), place_of("file:///data/a.jpg"), place_of("s3://bucket/a.jpg").name
    (PosixPath('photos/a.jpg'), PosixPath('/data/a.jpg'), 'a.jpg')
    """
    if isinstance(name, Path) or not (found := _URL.match(name)):
        return Path(name)
    return Path(name[found.end() :]) if found[1].lower() in _LOCAL else Url(name)


@dataclass(frozen=True)
class Url:
    """A file or folder behind a URL, with those members of `pathlib.Path` that are needed.

    They raise `FileNotFoundError`, `PermissionError` or another `OSError` as those of a path do, and an `InklingError`
    where no such store can be read at all.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def protocol(self) -> str:
        """The kind of the store, such as ``s3``."""
        return self.text.partition("://")[0].lower()

    @property
    def name(self) -> str:
        """Name of the file, without what is above it."""
        return self._inner.name

    @property
    def suffix(self) -> str:
        """Ending of the name."""
        return self._inner.suffix

    @property
    def parent(self) -> Url:
        """What is above it."""
        head, _, path = self.text.partition("://")
        return Url(f"{head}://{path.rstrip('/').rpartition('/')[0]}")

    @property
    def _inner(self) -> PurePosixPath:
        return PurePosixPath(self.text.partition("://")[2])

    def __truediv__(self, below: str | PurePosixPath) -> Url:
        head, _, path = self.text.partition("://")
        root = "/" if path.startswith("/") else ""
        return Url(f"{head}://{root}{posixpath.normpath(f'{path}/{below}').lstrip('/')}")

    def is_dir(self) -> bool:
        """Whether it is a folder, or there is something below it; an error where there is nothing at all."""
        with _told(), self._opened() as (system, path):
            return bool(system.info(path)["type"] == "directory")

    def open(self, mode: str = "rb") -> IO[bytes]:
        """The file, to be read at any place in it."""
        with _told(), self._opened() as (system, path):
            stream: IO[bytes] = system.open(path, mode)
            return stream

    def read_bytes(self) -> bytes:
        """All of the file."""
        return self.read_range(0, None)

    def read_range(self, begin: int, end: int | None) -> bytes:
        """A stretch of the file; it is shorter where the file ends before."""
        if end is not None and end <= begin:
            return b""
        with _told(), self._opened() as (system, path):
            data: bytes = system.cat_file(path, start=begin or None, end=end)
            return data

    def write_bytes(self, content: bytes) -> None:
        """Write the file, in the place of an older one."""
        with _told(), self._opened() as (system, path):
            system.makedirs(path.rpartition("/")[0], exist_ok=True)
            system.pipe_file(path, content)

    def remove(self) -> None:
        """Remove the file."""
        with _told(), self._opened() as (system, path):
            system.rm_file(path)

    def size(self) -> int:
        """Bytes of the file."""
        with _told(), self._opened() as (system, path):
            about = system.info(path)
            if about.get("type") == "directory":
                raise IsADirectoryError
            return int(about["size"] or 0)

    def files(self) -> list[PurePosixPath]:
        """Names of all files below, relative to it, in sorted order."""
        with _told(), self._opened() as (system, path):
            system.invalidate_cache()
            above = path.rstrip("/") + "/"
            names = [name.removeprefix(above) for name in system.find(path) if name.startswith(above)]
        return sorted(PurePosixPath(name) for name in names if name and not name.endswith("/"))

    def matching(self) -> list[Url]:
        """The files that it names as a pattern with ``*``, ``?`` or ``[...]``."""
        with _told(), self._opened() as (system, path):
            system.invalidate_cache()
            return [Url(system.unstrip_protocol(name)) for name in sorted(system.glob(path))]

    def check(self) -> None:
        """Make sure that such a store can be read here at all.

        Raises
        ------
        InklingError
            If a package is missing, or the URL is of the web, of an unknown kind or holds a password.
        """
        with self._opened():
            pass

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, str]]:
        if self.protocol in WEB:
            raise on_the_web(self.text)
        if "::" in self.text:
            raise InputError(
                f"'{excerpt(self.text)}' joins several URLs.", remedy="Name one, such as s3://bucket/a.zip."
            )
        if _PASSWORD.match(self.text.partition("://")[2]):
            raise InputError(f"'{excerpt(self.text)}' has a password in it.", remedy=_CREDENTIALS)
        fsspec = require("fsspec", extra=EXTRA, purpose=f"Reaching '{self}'")
        try:
            system, path = fsspec.core.url_to_fs(self.text)
        except ImportError as error:
            raise self._without_package(error) from error
        except ValueError as error:
            raise InputError(
                f"'{excerpt(self.text)}' cannot be read: {excerpt(error)}.",
                remedy="Name a folder, a file, or a URL such as s3://bucket/photos.",
            ) from error
        yield system, path

    def _without_package(self, error: ImportError) -> MissingExtraError:
        missing = getattr(error.__cause__ or error, "name", None)
        needs = f"the package '{missing}', which is not installed" if missing else excerpt(error)
        wanted = f"'inkling-vision[{EXTRA}]'" if self.protocol in _OF_EXTRA else missing or "what it names"
        return MissingExtraError(f"Reading '{self}' needs {needs}.", remedy=f"Install it with: pip install {wanted}")


Place = Path | Url


def on_the_web(address: str) -> InputError:
    """Why no picture is read from there."""
    return InputError(
        f"Images are read from files, not from the network: '{excerpt(address)}'.",
        remedy="Download it, and hand over the path of the file or its bytes; object stores are read, as s3://bucket/name.",
    )


def unreachable(place: Place, error: OSError) -> InputError:
    """Why a source cannot be read, in words."""
    if isinstance(error, FileNotFoundError):
        return InputError(f"'{place}' does not exist.", remedy="Check the spelling: the bucket, and what is in it.")
    if isinstance(error, PermissionError):
        return InputError(f"Access to '{place}' is denied: {excerpt(error)}.", remedy=_CREDENTIALS)
    return InputError(
        f"'{place}' cannot be read: {excerpt(error)}.",
        remedy=f"Check the connection and the endpoint (AWS_ENDPOINT_URL for S3). {_CREDENTIALS}",
    )


@contextmanager
def _told() -> Iterator[None]:
    """What stores raise, as errors of the system."""
    try:
        yield
    except (InklingError, FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except Exception as error:  # each store has errors of its own
        raise StoreError(excerpt(error)) from error
