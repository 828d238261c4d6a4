"""From what a user names (a folder, a table, a zip, a list, one file) to image records. No image is opened."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import TextIO

from inkling.errors import InputError
from inkling.images.annotations import read_annotations
from inkling.images.archives import PARQUET, TAR, ZIP, record_of, reference
from inkling.images.boxes import BoxReading, boxed_record, record_of_path
from inkling.images.layout import (
    IMAGE_SUFFIXES,
    NOT_UTF8,
    Labelled,
    Listing,
    choose_split,
    classes_without_images,
    in_split,
    is_utf8,
    label_files,
    without_wrapper,
)
from inkling.images.listing import list_folder, list_url, list_zip
from inkling.images.metadata import Described, described_files
from inkling.images.places import WEB, Place, Url, is_url, place_of, unreachable
from inkling.images.shards import is_shard, named_by_pattern, read_shards
from inkling.images.tables import TABLE_SUFFIXES, Row, read_list, read_table
from inkling.labels import Kind
from inkling.types import ImageRecord
from inkling.wording import excerpt

STDIN = "-"
REPEATED = "repeated path"
OTHER_SPLIT = "other split"
STRAY = "outside of the splits"
ON_A_DRIVE = "path on a Windows drive"
NOT_DESCRIBED = "not in the metadata"

JSON = ".json"

_DATABASE = b"SQLite format 3\0"
_IN_ARCHIVE = re.compile(r"\.(zip|tar|parquet)[/\\]", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_ON_WINDOWS = os.name == "nt"


@dataclass(frozen=True)
class Found:
    """Images of a source.

    Attributes
    ----------
    records
        In an order that depends on names alone (folders, zips) or on the rows (tables, lists).
    ignored
        How many other entries there were, by kind, such as ``{"hidden": 2, ".txt": 1}``.
    classes_without_images
        Class folders that hold no image file.
    label_kind
        What the labels are of; records have names of classes.
    one_by_one
        Whether the user named each image, in a table or a list: one that is missing there is missed.
    folder
        That all image files below are taken from; None for other sources.
    """

    records: tuple[ImageRecord, ...]
    ignored: Mapping[str, int]
    classes_without_images: tuple[str, ...] = ()
    label_kind: Kind = Kind.TEXT
    one_by_one: bool = False
    folder: Path | None = None


def find_images(
    source: str | Path,
    *,
    split: str | None = None,
    stdin: TextIO | None = None,
    boxes: BoxReading | None = None,
) -> Found:
    """Images that a source names, with their classes where it tells them.

    Parameters
    ----------
    source
        - a folder: the class of an image is the folder directly below the root; with folders ``train``, ``test`` (or
          ``val``) between, the one directly below those. Images directly in the root have no class;
        - a zip file, read likewise, without unpacking it;
        - tar shards as WebDataset has them: one, a folder of them, or a pattern such as ``shard-{000..003}.tar``; the
          class stands in the ``.cls``, ``.json`` or ``.txt`` beside each picture, else folders tell it;
        - Parquet files that hold the pictures themselves, as data sets of Hugging Face do: one, a folder or a pattern;
        - a CSV, Parquet or JSON-lines file with columns ``path`` (or ``file_name``) and, optionally, ``label``,
          ``split``, ``group`` and ``x``, ``y``, ``width``, ``height`` of a box; paths are relative to the table's
          folder. A file that is missing turns up as a skipped image later;
        - a JSON file of annotations in COCO's format, of MegaDetector or exported by Label Studio: each box is an
          image, and so is a picture as a whole that has a choice;
        - a folder with such a table named ``metadata``, as data sets of Hugging Face have;
        - a single image file, or a box in it: ``photo.jpg#xywh=10,20,30,40``;
        - ``-``: standard input, with one path per line, or as a CSV with a first line such as ``path,label``;
        - any of these but standard input behind a URL that fsspec reads, such as ``s3://bucket/photos``.
    split
        ``train``, ``test`` or ``val``: keep this part of a source that is divided so. None keeps all.
    stdin
        Read instead of the process's standard input.
    boxes
        How boxes are read.

    Raises
    ------
    InputError
        If the source does not exist or cannot be reached, holds no images, lacks the split, or gives one path two
        labels.
    MissingExtraError
        If what reads such a source is not installed.
    """
    if not str(source).strip():
        raise InputError("The name of the images is empty.", remedy="Name a folder, a file, or '.' for this folder.")
    reading = boxes or BoxReading()
    if str(source) == STDIN:
        rows = _listed(sys.stdin if stdin is None else stdin, reading)
        found = _from_rows(rows, place_of(reading.root or ""), split=split)
    elif (shards := named_by_pattern(str(source))) is not None:
        found = _from_pattern(str(source), shards, split)
    else:
        place = place_of(source)
        found = _from_url(place, split, reading) if isinstance(place, Url) else _from_path(place, split, reading)
    if not found.records:
        raise _no_images(source, found.ignored)
    return found


def _from_path(path: Path, split: str | None, reading: BoxReading) -> Found:
    if not is_utf8(str(path)):
        raise InputError(f"The name {str(path)!r} is not UTF-8; no table or report could hold it.", remedy="Rename it.")
    if path.is_dir():
        return _from_folder(path, list_folder(path), split, reading)
    if not path.exists():
        record = record_of(str(path))
        if not Path(record.archive or record.file or record.path).exists():
            raise _missing(Path(record.file or path))
        return Found((record,), {})
    found = _from_file(path, split, reading)
    if found is not None:
        return found
    if _is_memory(path):
        raise InputError(
            f"'{path}' is a memory; images were expected.", remedy="Name the memory first, and after it the images."
        )
    raise _no_source(path)


def _from_url(url: Url, split: str | None, reading: BoxReading) -> Found:
    url.check()
    record = record_of(str(url))
    if record.archive is not None or record.box is not None:
        return Found((record,), {})
    try:
        if url.is_dir():
            return _from_folder(url, list_url(url), split, reading)
        found = _from_file(url, split, reading)
    except OSError as error:
        raise unreachable(url, error) from error
    if found is None:
        raise _no_source(url)
    return found


def _from_file(path: Place, split: str | None, reading: BoxReading) -> Found | None:
    """Images of a file by the ending of its name; None for another."""
    suffix = path.suffix.lower()
    folder = place_of(reading.root) if reading.root else path.parent
    if suffix == ZIP:
        return _from_zip(path, split)
    if suffix in (TAR, PARQUET) and is_shard(path):
        return _from_shards([path], [PurePosixPath(path.name)], split)
    if suffix in TABLE_SUFFIXES:
        table = read_table(path, reading)
        found = _from_rows(table.rows, folder, split=split)
        return replace(found, label_kind=table.label_kind)
    if suffix == JSON:
        annotated = read_annotations(path, reading)
        found = _from_rows(annotated.rows, folder, split=None)
        return replace(found, ignored=Counter(found.ignored) + Counter(annotated.ignored))
    return Found((ImageRecord(str(path)),), {}) if suffix in IMAGE_SUFFIXES else None


def _from_pattern(pattern: str, places: Sequence[Place], split: str | None) -> Found:
    gone = [place for place in places if isinstance(place, Path) and not place.exists()]
    if gone:
        raise InputError(
            f"'{gone[0]}' does not exist, which '{excerpt(pattern)}' names"
            + (f", and {len(gone) - 1} more." if gone[1:] else "."),
            remedy="Check the numbers in the braces.",
        )
    others = [place for place in places if place.suffix.lower() not in (TAR, PARQUET)]
    if others:
        raise InputError(
            f"'{excerpt(pattern)}' names '{others[0]}'; a pattern names tar shards or Parquet files.",
            remedy="Name the folder of pictures, or leave out the quotation marks.",
        )
    return _from_shards(places, [PurePosixPath(place.name) for place in places], split)


def _from_shards(places: Sequence[Place], names: Sequence[PurePosixPath], split: str | None) -> Found:
    packed = read_shards(places, names, split=split)
    return Found(packed.records, packed.ignored, label_kind=packed.label_kind)


def _is_memory(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_DATABASE)) == _DATABASE
    except OSError:
        return False


def _from_folder(root: Place, listing: Listing, split: str | None, reading: BoxReading) -> Found:
    described = described_files(root, listing.others, reading)
    if described is not None:
        return _from_metadata(root, listing, described, split)
    if not listing.files and (shards := [name for name in listing.others if is_shard(root / name)]):
        found = _from_shards([root / name for name in shards], shards, split)
        rest = Counter(listing.ignored) - Counter(name.suffix.lower() for name in shards)
        return replace(found, ignored=rest + Counter(found.ignored))
    labelled = label_files(listing.files, split=split)
    return Found(
        tuple(ImageRecord(str(root / one.file), one.label) for one in labelled),
        _with_left_out(listing.ignored, listing.files, labelled),
        classes_without_images(listing.folders, listing.files, split=split),
        folder=root if isinstance(root, Path) else None,
    )


def _from_metadata(root: Place, listing: Listing, described: Described, split: str | None) -> Found:
    """The images that tables within a folder describe; a class that they lack is that of the image's folder."""
    of_folders = {str(one.file): one.label for one in label_files(listing.files, split=None)}
    rows = [row if row.label is not None else replace(row, label=of_folders.get(row.path)) for row in described.rows]
    found = _from_rows(rows, root, split=split)
    named = {PurePosixPath(row.path) for row in rows}
    ignored = Counter({**listing.ignored, NOT_DESCRIBED: sum(file not in named for file in listing.files)})
    ignored[described.suffix] -= described.n_tables
    return replace(found, ignored=+(ignored + Counter(found.ignored)), label_kind=described.label_kind)


def _from_zip(path: Place, split: str | None) -> Found:
    listing = list_zip(path)
    root = without_wrapper(listing.files)
    files = [file.relative_to(root) for file in listing.files]
    folders = [folder.relative_to(root) for folder in listing.folders if folder.is_relative_to(root)]
    labelled = label_files(files, split=split)
    records = tuple(
        ImageRecord(f"{path}/{root / one.file}", one.label, reference(path), listing.files[root / one.file])
        for one in labelled
    )
    return Found(
        records,
        _with_left_out(listing.ignored, files, labelled),
        classes_without_images(folders, files, split=split),
    )


def _with_left_out(
    ignored: Mapping[str, int], files: Collection[PurePosixPath], kept: Sequence[Labelled]
) -> Mapping[str, int]:
    left_out = set(files) - {one.file for one in kept}
    stray = sum(not in_split(file) for file in left_out)
    return +Counter({**ignored, STRAY: stray, OTHER_SPLIT: len(left_out) - stray})


def _from_rows(rows: Sequence[Row], folder: Place, *, split: str | None) -> Found:
    kept, on_drives = _here(_of_split(rows, split), folder)
    ignored = Counter({OTHER_SPLIT: len(rows) - len(kept) - on_drives, ON_A_DRIVE: on_drives})
    for url in {place.protocol: place for row in kept if isinstance(place := place_of(row.path), Url)}.values():
        if url.protocol not in WEB:  # what is on the web is missed when its turn comes
            url.check()
    records: dict[Place, ImageRecord] = {}
    conflicts: list[str] = []
    for row in kept:
        record = _record(row, folder)
        if not is_utf8(record.path):
            ignored[NOT_UTF8] += 1
            continue
        place = place_of(record.path)
        key = place.absolute() if isinstance(place, Path) else place
        first = records.setdefault(key, record)
        if first is not record:
            ignored[REPEATED] += 1
            if first.label != record.label:
                conflicts.append(excerpt(f"{record.path} ({first.label}, {record.label})"))
    if conflicts:
        raise _two_labels(conflicts)
    return Found(tuple(records.values()), +ignored, one_by_one=True)


def _record(row: Row, folder: Place) -> ImageRecord:
    file = str(place_of(row.path) if is_url(row.path) else folder / row.path)
    record = _named(file, row.label) if row.box is None else boxed_record(file, row.label, row.box)
    return replace(record, group=row.group)


def _named(file: str, label: str | None) -> ImageRecord:
    return record_of(file, label) if _IN_ARCHIVE.search(file) else record_of_path(file, label)


def _here(rows: Sequence[Row], folder: Place) -> tuple[list[Row], int]:
    """Rows whose paths can be files of this system, and the number of the others.

    Tables that were written on Windows part folders by backslashes, which elsewhere are letters like others.

    Raises
    ------
    InputError
        If all paths are on drives, which only Windows has.
    """
    if _ON_WINDOWS:
        return list(rows), 0
    here = [row for row in rows if not _DRIVE.match(row.path)]
    if rows and not here:
        raise InputError(
            f"The table names files on a drive of Windows, the first '{excerpt(rows[0].path)}'; here are no drives.",
            remedy="Write paths relative to the table's folder.",
        )
    return [_with_slashes(row, folder) for row in here], len(rows) - len(here)


def _with_slashes(row: Row, folder: Place) -> Row:
    if "\\" not in row.path or (isinstance(folder, Path) and os.path.lexists(folder / row.path)):
        return row
    return replace(row, path=row.path.replace("\\", "/"))


def _listed(lines: TextIO, reading: BoxReading) -> list[Row]:
    try:
        return read_list(lines, reading)
    except UnicodeDecodeError as error:
        raise InputError(
            f"Standard input is not text in {lines.encoding}.", remedy="Pass one path per line, in UTF-8."
        ) from error


def _of_split(rows: Sequence[Row], split: str | None) -> Sequence[Row]:
    names = {row.split.lower() for row in rows if row.split is not None}
    if split is None or not names:
        return rows
    chosen = choose_split(names, split)
    return [row for row in rows if row.split is not None and row.split.lower() == chosen]


def _missing(path: Path) -> InputError:
    near = get_close_matches(path.name, _siblings(path.parent), n=1)
    hint = f"Did you mean '{path.parent / near[0]}'?" if near else "Check the spelling and the current folder."
    return InputError(f"'{path}' does not exist.", remedy=hint)


def _siblings(folder: Path) -> Iterable[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError:
        return []


def _no_source(place: Place) -> InputError:
    return InputError(
        f"'{place}' is neither an image nor a source of images.",
        remedy="Name a folder, a .zip, a .tar, a .csv or .parquet with a column 'path', a .parquet of pictures, a "
        f".json of annotations, or an image file ({' '.join(sorted(IMAGE_SUFFIXES))}).",
    )


def _no_images(source: str | Path, ignored: Mapping[str, int]) -> InputError:
    by_count = sorted(ignored.items(), key=lambda item: -item[1])
    others = ", ".join(f"{count} {kind}" for kind, count in by_count)
    return InputError(
        f"No images found in '{source}'" + (f"; ignored: {others}." if others else "; it is empty."),
        remedy=f"Files read as images end in {' '.join(sorted(IMAGE_SUFFIXES))}.",
    )


def _two_labels(conflicts: Sequence[str]) -> InputError:
    shown = "; ".join(conflicts[:3]) + ("; ..." if len(conflicts) > 3 else "")
    return InputError(
        f"{len(conflicts)} rows give a path a second, different label: {shown}.",
        remedy="Keep one row for each image.",
    )
