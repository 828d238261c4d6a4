"""Files that hold many pictures: their kinds, and one picture in them by its path."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from inkling.images.boxes import record_of_path
from inkling.images.places import Place, place_of
from inkling.types import ImageRecord

ZIP, TAR, PARQUET = ".zip", ".tar", ".parquet"
ARCHIVE_SUFFIXES = (ZIP, TAR, PARQUET)


def record_of(path: str, label: str | None = None) -> ImageRecord:
    """An image by its path: a file, a box in it, or the member of the archive that the path leads through.

    Examples
    --------
    >>> record = record_of("s3://bucket/shard-000.tar/bus/1.jpg", "bus")
    >>> record.archive, record.member
    ('s3://bucket/shard-000.tar', 'bus/1.jpg')
    """
    record = record_of_path(path, label)
    if record.box is not None:
        return record
    place = place_of(path)
    if isinstance(place, Path):
        archive = None if place.is_file() else next((one for one in place.parents if one.is_file()), None)
        return record if archive is None else ImageRecord(path, label, archive, place.relative_to(archive).as_posix())
    head, _, inner = path.partition("://")
    above = reversed(PurePosixPath(inner).parents)
    outer = next((str(one) for one in above if one.suffix.lower() in ARCHIVE_SUFFIXES), None)
    return record if outer is None else ImageRecord(path, label, f"{head}://{outer}", inner[len(outer) + 1 :])


def reference(archive: Place) -> Path | str:
    """How a record names an archive."""
    return archive if isinstance(archive, Path) else str(archive)


def is_local_file(record: ImageRecord) -> bool:
    """Whether a record is a file of this machine, which a person or another program may open."""
    if record.image is not None or record.data is not None or record.archive is not None:
        return False
    return isinstance(place_of(record.file or record.path), Path)
