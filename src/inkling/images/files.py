"""The bytes behind image records, wherever they lie, with what is opened kept open for the length of a run."""

from __future__ import annotations

import stat
import threading
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from types import TracebackType
from typing import IO

from inkling.errors import InklingError, UnreadableImageError
from inkling.images import archives
from inkling.images.parquet_pictures import ParquetPictures
from inkling.images.places import Place, StoreError, Url, place_of
from inkling.images.tars import list_tar
from inkling.types import ImageRecord, Span
from inkling.wording import excerpt

MISSING_FILE = "the file does not exist"
"""Why an image that is not there can't be read."""
MAX_FILE_BYTES = 512 * 1024 * 1024
"""A larger file is refused before it is read; a deflate bomb in a zip declares its size too."""


_PIECE, _SMALL_PIECE = 1 << 20, 1 << 12


class Files:
    """Reads the files of image records, on this machine and behind URLs. Safe to use from several threads.

    Opening a zip parses the whole list of its members, so each zip is opened once and stays open until
    `close`. Of a tar, only the bytes of the picture are read, from where its record says that they are.
    """

    def __init__(self) -> None:
        self._zips: dict[Place, zipfile.ZipFile] = {}
        self._tars: dict[Place, dict[str, Span]] = {}
        self._parquet = ParquetPictures()
        self._open_files = ExitStack()
        self._lock = threading.Lock()

    def __enter__(self) -> Files:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the archives."""
        self._open_files.close()
        self._zips.clear()
        self._tars.clear()
        self._parquet.close()

    def read(self, record: ImageRecord) -> bytes:
        """Bytes of the record's file as stored, or as they were handed over.

        Raises
        ------
        UnreadableImageError
            If the file is missing, forbidden, a folder, encrypted, damaged in its archive, or larger than
            `MAX_FILE_BYTES`.
        """
        return record.data if record.data is not None else _explained(lambda: self._read(record))

    def read_head(self, record: ImageRecord, size: int) -> bytes:
        """The first bytes of the same, at most `size`; raises the same."""
        return record.data[:size] if record.data is not None else _explained(lambda: self._read(record, head=size))

    def _read(self, record: ImageRecord, *, head: int | None = None) -> bytes:
        if record.archive is None or record.member is None:
            return _read_file(place_of(record.file or record.path), head=head)
        place = place_of(record.archive)
        match place.suffix.lower():
            case archives.TAR:
                return _read_span(place, record.span or self._span(place, record.member), head=head)
            case archives.PARQUET:
                data = self._parquet.read(place, record.member)
                _check_bytes(len(data))
                return data[:head]
        return self._read_member(place, record.member, head=head)

    def _span(self, place: Place, member: str) -> Span:
        """Where a picture lies in a tar, which is looked through once."""
        with self._lock:
            if place not in self._tars:
                self._tars[place] = {one.member: one.span for one in list_tar(place).pictures if one.span is not None}
            return self._tars[place][member]

    def _read_member(self, place: Place, member: str, *, head: int | None = None) -> bytes:
        # Opening a member is not thread-safe in the standard library; reading from several opened ones is.
        with self._lock:
            archive = self._zips.get(place) or self._open(place)
            info = archive.getinfo(member)
            _check_bytes(info.file_size)
            if info.compress_type == zipfile.ZIP_BZIP2:  # 40 bytes of it may hold a megabyte
                raise UnreadableImageError("it is packed by bzip2; zip it with deflate, the usual method")
            stream = archive.open(info)
        with stream:
            return _read_pieces(stream, info) if head is None else stream.read(head)

    def _open(self, place: Place) -> zipfile.ZipFile:
        file = self._open_files.enter_context(place.open()) if isinstance(place, Url) else place
        archive = self._open_files.enter_context(zipfile.ZipFile(file))
        self._zips[place] = archive
        return archive


def _read_file(place: Place, *, head: int | None = None) -> bytes:
    if isinstance(place, Url):
        return _read_object(place, head)
    status = place.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError
    if not stat.S_ISREG(status.st_mode):  # a pipe may never end
        raise UnreadableImageError("this is no regular file")
    _check_bytes(status.st_size)
    with place.open("rb") as file:
        return file.read(status.st_size if head is None else min(head, status.st_size))


def _read_object(url: Url, head: int | None) -> bytes:
    """By one request: to ask for its size first would take a second."""
    try:
        data = url.read_range(0, MAX_FILE_BYTES + 1 if head is None else head)
    except StoreError:
        if url.size():
            raise
        return b""  # of which stores give no stretch
    if len(data) > MAX_FILE_BYTES:
        _check_bytes(url.size())
    return data


def _read_span(place: Place, span: Span, *, head: int | None = None) -> bytes:
    _check_bytes(span.size)
    size = span.size if head is None else min(head, span.size)
    if isinstance(place, Url):
        data = place.read_range(span.begin, span.begin + size)
    else:
        with place.open("rb") as file:
            file.seek(span.begin)
            data = file.read(size)
    if len(data) < size:
        raise UnreadableImageError(f"'{place.name}' ends before it")
    return data


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
    except InklingError as error:  # of the archive, or of the store
        raise UnreadableImageError(error.message) from error
    except FileNotFoundError as error:
        raise UnreadableImageError(MISSING_FILE) from error
    except IsADirectoryError as error:
        raise UnreadableImageError("this is a folder, not an image file") from error
    except PermissionError as error:
        raise UnreadableImageError("no permission to read the file") from error
    except KeyError as error:
        raise UnreadableImageError("the archive has no such member") from error
    except Exception as error:  # zlib, lzma, zipfile and the system each have their own
        raise UnreadableImageError(f"the file cannot be read ({excerpt(error)})") from error
