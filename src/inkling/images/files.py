"""The bytes behind image records, read once, with zip files kept open for the length of a run."""

from __future__ import annotations

import stat
import threading
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import IO

from inkling.errors import UnreadableImageError
from inkling.types import ImageRecord
from inkling.wording import excerpt

MISSING_FILE = "the file does not exist"
"""Why an image that is not there can't be read."""
MAX_FILE_BYTES = 512 * 1024 * 1024
"""A larger file is refused before it is read; a deflate bomb in a zip declares its size too."""


_PIECE, _SMALL_PIECE = 1 << 20, 1 << 12


class Files:
    """Reads the files of image records. Safe to use from several threads.

    Opening a zip parses the whole list of its members, so each zip is opened once and stays open until
    `close`.
    """

    def __init__(self) -> None:
        self._archives: dict[Path, zipfile.ZipFile] = {}
        self._open_files = ExitStack()
        self._lock = threading.Lock()

    def __enter__(self) -> Files:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the zip files."""
        self._open_files.close()
        self._archives.clear()

    def read(self, record: ImageRecord) -> bytes:
        """Bytes of the record's file as stored, or as they were handed over.

        Raises
        ------
        UnreadableImageError
            If the file is missing, forbidden, a folder, encrypted, damaged in its zip, or larger than
            `MAX_FILE_BYTES`.
        """
        if record.data is not None:
            return record.data
        if record.archive is not None and record.member is not None:
            archive, member = record.archive, record.member
            return _explained(lambda: self._read_member(archive, member))
        return _explained(lambda: _read_file(Path(record.file or record.path)))

    def read_head(self, record: ImageRecord, size: int) -> bytes:
        """The first bytes of the same, at most `size`; raises the same."""
        if record.data is not None:
            return record.data[:size]
        if record.archive is not None and record.member is not None:
            archive, member = record.archive, record.member
            return _explained(lambda: self._read_member(archive, member, head=size))
        return _explained(lambda: _read_file(Path(record.file or record.path), head=size))

    def _read_member(self, path: Path, member: str, *, head: int | None = None) -> bytes:
        # Opening a member is not thread-safe in the standard library; reading from several opened ones is.
        with self._lock:
            archive = self._archives.get(path) or self._open(path)
            info = archive.getinfo(member)
            _check_bytes(info.file_size)
            if info.compress_type == zipfile.ZIP_BZIP2:  # 40 bytes of it may hold a megabyte
                raise UnreadableImageError("it is packed by bzip2; zip it with deflate, the usual method")
            stream = archive.open(info)
        with stream:
            return _read_pieces(stream, info) if head is None else stream.read(head)

    def _open(self, path: Path) -> zipfile.ZipFile:
        archive = self._open_files.enter_context(zipfile.ZipFile(path))
        self._archives[path] = archive
        return archive


def _read_file(path: Path, *, head: int | None = None) -> bytes:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError
    if not stat.S_ISREG(status.st_mode):  # a pipe may never end
        raise UnreadableImageError("this is no regular file")
    _check_bytes(status.st_size)
    with path.open("rb") as file:
        return file.read(status.st_size if head is None else min(head, status.st_size))


def _read_pieces(stream: IO[bytes], info: zipfile.ZipInfo) -> bytes:
    """A member up to the size that the zip declares, which its check sum then must fit.

    Read as a whole, the standard library would unpack it to its end, however far that is, before it looks at the size.
    """
    # Other decompressors than deflate unpack all that they are given: little at a time.
    known = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    content = BytesIO()
    while piece := stream.read(_PIECE if known else _SMALL_PIECE):
        content.write(piece)
    return content.getvalue()


def _check_bytes(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise UnreadableImageError(
            f"a file of {size / 1e6:.0f} MB is too large (at most {MAX_FILE_BYTES / 1e6:.0f} MB are read)"
        )


def _explained(read: Callable[[], bytes]) -> bytes:
    """Run a read; the causes that a user meets get words, the rest keep the system's."""
    try:
        return read()
    except UnreadableImageError:
        raise
    except FileNotFoundError as error:
        raise UnreadableImageError(MISSING_FILE) from error
    except IsADirectoryError as error:
        raise UnreadableImageError("this is a folder, not an image file") from error
    except PermissionError as error:
        raise UnreadableImageError("no permission to read the file") from error
    except KeyError as error:
        raise UnreadableImageError("the zip file has no such member") from error
    except Exception as error:  # zlib, lzma, zipfile and the system each have their own
        raise UnreadableImageError(f"the file cannot be read ({excerpt(error)})") from error
