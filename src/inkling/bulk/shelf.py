"""Where the files of a run are put: a folder, or a URL of any file system that fsspec knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from inkling.errors import InputError
from inkling.images.places import Url, place_of, unreachable
from inkling.outputs import appearing_whole
from inkling.wording import excerpt


class Shelf(Protocol):
    """Keeps files by their names. It travels to other processes, which must reach the same files."""

    def names(self) -> list[str]:
        """Files and folders that are there, sorted; hidden ones aside."""

    def get(self, name: str) -> bytes:
        """Bytes of a file; `FileNotFoundError` where there is none."""

    def put(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, in the place of an older one."""

    def within(self, name: str) -> Shelf:
        """A folder within this one."""

    def withdraw(self, name: str) -> None:
        """Take a file away, and then the folders that were made for it and hold nothing."""


def shelf_of(where: str | Path) -> Shelf:
    """The shelf that a user names.

    Raises
    ------
    InklingError
        If it cannot be written to.
    """
    place = place_of(where)
    return UrlShelf(place) if isinstance(place, Url) else FolderShelf(place)


class FolderShelf:
    """A folder, made where it is missing.

    Parameters
    ----------
    folder
        Its parent must be there.
    above
        The one that it is within, if it is.
    """

    def __init__(self, folder: Path, *, above: FolderShelf | None = None) -> None:
        self._folder, self._above = folder.absolute(), above
        if self._folder.exists() and not self._folder.is_dir():
            raise InputError(f"'{folder}' is a file; a folder was expected.", remedy="Name a folder for the parts.")
        self._made = not self._folder.exists()
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(
                f"The folder '{folder}' cannot be made: {excerpt(error)}.", remedy="Make its parent, or name another."
            ) from error

    def __str__(self) -> str:
        return str(self._folder)

    def names(self) -> list[str]:
        """What the folder holds."""
        return sorted(one.name for one in self._folder.iterdir() if not one.name.startswith("."))

    def get(self, name: str) -> bytes:
        """Read a file."""
        return (self._folder / name).read_bytes()

    def put(self, name: str, content: bytes) -> None:
        """Built beside its name and moved there."""
        with appearing_whole(self._folder / name) as draft:
            draft.write_bytes(content)

    def within(self, name: str) -> FolderShelf:
        """Made where it is missing."""
        return FolderShelf(self._folder / name, above=self)

    def withdraw(self, name: str) -> None:
        """Remove a file and what was made for it."""
        (self._folder / name).unlink(missing_ok=True)
        self._leave()

    def _leave(self) -> None:
        if self._made:
            with suppress(OSError):  # it holds something
                self._folder.rmdir()
        if self._above is not None:
            self._above._leave()


class UrlShelf:
    """A folder of an object store or another file system, where an object appears whole or not at all.

    Parameters
    ----------
    url
        Such as ``s3://bucket/run``; credentials come from the environment.

    Raises
    ------
    InklingError
        If such a store can't be reached from here at all.
    """

    def __init__(self, url: Url) -> None:
        url.check()
        self._url = url

    def __str__(self) -> str:
        return str(self._url)

    def names(self) -> list[str]:
        """Objects directly below the URL, and what stands for folders."""
        with self._told():
            return sorted({one.parts[0] for one in self._url.files()})

    def get(self, name: str) -> bytes:
        """Read an object."""
        with self._told():
            return (self._url / name).read_bytes()

    def put(self, name: str, content: bytes) -> None:
        """Write an object in one request."""
        with self._told():
            (self._url / name).write_bytes(content)

    def within(self, name: str) -> UrlShelf:
        """What is below that name."""
        return UrlShelf(self._url / name)

    def withdraw(self, name: str) -> None:
        """Remove an object; stores have no folders."""
        with self._told(), suppress(FileNotFoundError):
            (self._url / name).remove()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the store refuses, in words; that there is no such object is not among it."""
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise unreachable(self._url, error) from error
