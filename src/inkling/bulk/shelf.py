"""Where the files of a run are put: a folder, or a URL of any file system that fsspec knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from inkling.errors import InputError, require
from inkling.outputs import appearing_whole
from inkling.redaction import redacted
from inkling.wording import excerpt


class Shelf(Protocol):
    """Keeps files by their names. It travels to other processes, which must reach the same files."""

    def names(self) -> list[str]:
        """Files that are there, sorted; hidden ones aside."""

    def get(self, name: str) -> bytes:
        """Bytes of a file; `FileNotFoundError` where there is none."""

    def put(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, in the place of an older one."""


def shelf_of(where: str | Path) -> Shelf:
    """The shelf that a user names.

    Raises
    ------
    InputError
        If it cannot be written to.
    MissingExtraError
        If it is a URL and fsspec is not installed.
    """
    return UrlShelf(str(where)) if "://" in str(where) else FolderShelf(Path(where))


class FolderShelf:
    """A folder, made where it is missing.

    Parameters
    ----------
    folder
        Its parent must be there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        if self._folder.exists() and not self._folder.is_dir():
            raise InputError(f"'{folder}' is a file; a folder was expected.", remedy="Name a folder for the parts.")
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(
                f"The folder '{folder}' cannot be made: {excerpt(error)}.", remedy="Make its parent, or name another."
            ) from error

    def __str__(self) -> str:
        return str(self._folder)

    def names(self) -> list[str]:
        """Files of the folder."""
        return sorted(one.name for one in self._folder.iterdir() if one.is_file() and not one.name.startswith("."))

    def get(self, name: str) -> bytes:
        """Read a file."""
        return (self._folder / name).read_bytes()

    def put(self, name: str, content: bytes) -> None:
        """Built beside its name and moved there."""
        with appearing_whole(self._folder / name) as draft:
            draft.write_bytes(content)


class UrlShelf:
    """A folder of an object store or another file system, where an object appears whole or not at all.

    Parameters
    ----------
    url
        Such as ``s3://bucket/run``; credentials come from the environment.
    """

    def __init__(self, url: str) -> None:
        require("fsspec", extra="scale", purpose=f"Writing to '{redacted(url)}'")
        self._url = url.rstrip("/")

    def __str__(self) -> str:
        return redacted(self._url)

    def names(self) -> list[str]:
        """Objects directly below the URL."""
        files, root = self._opened()
        try:
            found = files.ls(root, detail=True, refresh=True)
        except FileNotFoundError:
            return []
        except Exception as error:  # each store has its own
            raise self._refused("read", error) from error
        return sorted(one["name"].rpartition("/")[2] for one in found if one["type"] == "file")

    def get(self, name: str) -> bytes:
        """Read an object."""
        files, root = self._opened()
        try:
            return bytes(files.cat_file(f"{root}/{name}"))
        except FileNotFoundError:
            raise
        except Exception as error:
            raise self._refused("read", error) from error

    def put(self, name: str, content: bytes) -> None:
        """Write an object in one request."""
        files, root = self._opened()
        try:
            files.makedirs(root, exist_ok=True)
            files.pipe_file(f"{root}/{name}", content)
        except Exception as error:
            raise self._refused("written", error) from error

    def _opened(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        try:
            files, root = url_to_fs(self._url)
        except Exception as error:
            raise self._refused("opened", error) from error
        return files, root

    def _refused(self, how: str, error: Exception) -> InputError:
        return InputError(
            f"{self} cannot be {how}: {excerpt(error)}.",
            remedy="Check its name, your rights there, and the credentials in the environment.",
        )
