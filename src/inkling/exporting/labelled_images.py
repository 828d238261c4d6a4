"""The labelled images of a memory as a data set that other tools, and `inkling fit`, read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from inkling.embeddings.embed import Progress
from inkling.errors import InputError, UnreadableImageError
from inkling.exporting.target import appearing_at, check_target
from inkling.filing.layout import Labelled, check_boxes, class_folders, file_name, table_of
from inkling.filing.names import name_on_disk, names_of_file
from inkling.images.archives import record_of
from inkling.images.boxes import source_of
from inkling.images.decode import as_file, read
from inkling.images.files import Files
from inkling.images.formats import suffix_of
from inkling.images.layout import kind_to_ignore
from inkling.images.tables import PATH
from inkling.labels import Kind
from inkling.memory.exemplars import labelled_images
from inkling.types import Exemplar, ImageRecord, SkippedImage

FOLDERS, CSV, IMAGEFOLDER = "folders", "csv", "imagefolder"
LAYOUTS = (FOLDERS, CSV, IMAGEFOLDER)
TABLES = {CSV: "labels.csv", IMAGEFOLDER: "metadata.jsonl"}
"""The table of each layout that has one."""


@dataclass(frozen=True)
class ExportedImages:
    """A data set of a memory's labelled images.

    Attributes
    ----------
    folder
        Where it is.
    source
        What `inkling fit` reads it by: the folder, or the table in it.
    memory_version
        The version whose images these are.
    counts
        Images of each class.
    without_images
        Classes of which there is none: they are known by text alone, or all their images were left out.
    n_pictures
        Files of pictures; in a table several boxes may be of one.
    margins
        Margins of the boxes in the table, which no table can hold: `fit` must be given them.
    skipped
        Images that were left out, and why.

    Examples
    --------
    >>> done = export_images("vehicles.ink", "labelled")
    >>> done.counts, done.skipped
    ({'castle': 8, 'cat': 8, 'tree': 8}, ())
    """

    folder: Path
    source: Path
    memory_version: int
    counts: Mapping[str, int]
    without_images: tuple[str, ...]
    n_pictures: int
    margins: tuple[float, ...]
    skipped: tuple[SkippedImage, ...]


def export_images(
    memory: str | Path,
    output: str | Path,
    *,
    layout: str = FOLDERS,
    thumbnails: bool = False,
    progress: Progress | None = None,
) -> ExportedImages:
    """Write the labelled images of a memory as a data set, whole or not at all.

    Pictures are copied from where they were when they were learned from. An image whose file is not there any more, or
    has changed since, is left out and named.

    Parameters
    ----------
    memory
        Where it is.
    output
        A folder that isn't there yet.
    layout
        ``folders`` of classes; ``csv``, a table ``labels.csv`` beside the pictures, which holds boxes too; or
        ``imagefolder``, as data sets of Hugging Face are: ``metadata.jsonl`` beside the pictures. But for ``csv`` each
        box becomes a picture of its own.
    thumbnails
        Write the small pictures that the memory keeps, in place of the files.
    progress
        Called with the progress.

    Raises
    ------
    InputError
        If the folder is there, can't be written, folders can't be called as the classes are, or no picture is left.
        Then nothing was written.
    MemoryFileError
        If the memory can't be read.

    Examples
    --------
    >>> done = export_images("vehicles.ink", "labelled-set", layout="imagefolder", thumbnails=True)
    >>> done.n_pictures, sorted(path.name for path in done.folder.glob("*.jsonl"))
    (24, ['metadata.jsonl'])
    """
    if layout not in LAYOUTS:
        raise InputError(f"'{layout}' is no layout of labelled images.", remedy=f"Use one of {', '.join(LAYOUTS)}.")
    if Path(output).is_dir() and any(Path(output).iterdir()):
        raise InputError(f"'{output}' is there already.", remedy="Name a folder that isn't there yet.")
    target = check_target(output, overwrite=False)
    known = labelled_images(memory, thumbnails=thumbnails)
    if layout == FOLDERS:
        _require_folders([one.class_name for one in known.exemplars])
    with appearing_at(target, overwrite=False) as draft:
        written = _Writing(draft, layout, thumbnails=thumbnails).of(known.exemplars, progress)
        if not written.rows:
            error = InputError("No picture of the memory can be written.", remedy=_remedy(thumbnails))
            error.skipped = written.skipped
            raise error
        if layout == FOLDERS:
            _require_folders([one.label or "" for one in written.rows])
        else:
            (draft / TABLES[layout]).write_bytes(_table(written, layout, known.label_kind))
    counts = Counter(str(row.label) for row in written.rows)
    return ExportedImages(
        folder=Path(output),
        source=Path(output, *([TABLES[CSV]] if layout == CSV else [])),
        memory_version=known.version,
        counts=dict(sorted(counts.items())),
        without_images=tuple(name for name in known.classes if name not in counts),
        n_pictures=len(set(written.files)),
        margins=tuple(sorted({row.record.box.margin for row in written.rows if row.record.box is not None})),
        skipped=tuple(written.skipped),
    )


class _Writing:
    """One export: which images have which files."""

    def __init__(self, folder: Path, layout: str, *, thumbnails: bool) -> None:
        self._folder, self._layout, self._thumbnails = folder, layout, thumbnails
        self._taken: dict[str, set[str]] = {}
        self._made: dict[tuple[str, str, str], str] = {}
        self.rows: list[Labelled] = []
        self.files: list[str] = []
        self.skipped: list[SkippedImage] = []

    def of(self, exemplars: Sequence[Exemplar], progress: Progress | None) -> _Writing:
        with Files() as files:
            for number, exemplar in enumerate(exemplars):
                if progress is not None:
                    progress(number, len(exemplars))
                try:
                    self._write(exemplar, files)
                except UnreadableImageError as error:
                    self.skipped.append(SkippedImage(exemplar.path, error.message))
        if progress is not None:
            progress(len(exemplars), len(exemplars))
        return self

    def _write(self, exemplar: Exemplar, files: Files) -> None:
        record = record_of(exemplar.path, exemplar.class_name)
        if self._thumbnails:
            record, data = _small(exemplar, record)
        else:
            _require_same(exemplar, record, files)
            if self._layout != CSV and record.box is not None:
                data = as_file(record, files)[1]
                record = ImageRecord(f"{Path(file_name(record)).stem}.png", record.label)
            else:
                data = files.read(record)
        # Boxes of one picture share its file; but nothing can have two labels in a table.
        alone = "" if record.box is not None else exemplar.class_name
        key = (record.path if record.box is None else str(record.file), source_of(exemplar.content_hash), alone)
        if self._layout != CSV or key not in self._made:
            self._made[key] = self._file(record, data)
        self.rows.append(Labelled(record, exemplar.class_name, None, None))
        self.files.append(self._made[key])

    def _file(self, record: ImageRecord, data: bytes) -> str:
        folder = str(record.label) if self._layout == FOLDERS else ""
        if folder not in self._taken:
            (self._folder / folder).mkdir(exist_ok=True)
            self._taken[folder] = set()
        taken = self._taken[folder]
        name = next(name for name in _names(record, data) if name_on_disk(name) not in taken)
        taken.add(name_on_disk(name))
        (self._folder / folder / name).write_bytes(data)
        return f"{folder}/{name}" if folder else name


def _names(record: ImageRecord, data: bytes) -> Iterator[str]:
    """Names for a picture's file, which say by their ending that it is one."""
    own = file_name(record)
    visible = own.lstrip(".") or "picture"
    return names_of_file(visible if kind_to_ignore(visible) is None else f"{visible}{suffix_of(data)}")


def _small(exemplar: Exemplar, record: ImageRecord) -> tuple[ImageRecord, bytes]:
    if exemplar.thumbnail is None:
        raise UnreadableImageError("the memory keeps no small picture of it")
    return ImageRecord(f"{PurePosixPath(file_name(record)).stem}.jpg", record.label), exemplar.thumbnail


def _require_same(exemplar: Exemplar, record: ImageRecord, files: Files) -> None:
    if read(record, files).content_hash != exemplar.content_hash:
        raise UnreadableImageError("the file is another one than that which was learned from")


def _require_folders(labels: Sequence[str]) -> None:
    images = [Labelled(ImageRecord(f"{at}.png"), label, None, None) for at, label in enumerate(labels)]
    if labels and class_folders(images) is None:
        raise InputError(
            "Folders can't be called as these classes are and still be read as classes: a name has a character that no "
            "folder may have, or is that of a split, such as 'train'.",
            remedy="Write a table: --format csv or imagefolder, in Python layout='imagefolder'.",
        )


def _table(written: _Writing, layout: str, kind: Kind) -> bytes:
    if layout == CSV:
        check_boxes(written.rows)
        return table_of(written.rows, written.files, path=PATH)
    names = [str(row.label) for row in written.rows]
    labels = [kind.label(name) for name in names]
    given = labels if len({type(label) for label in labels}) == 1 else names
    lines = [
        json.dumps({"file_name": file, "label": label}, ensure_ascii=False)
        for file, label in zip(written.files, given, strict=True)
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _remedy(thumbnails: bool) -> str:
    if thumbnails:
        return "Nothing was written. It was fitted on vectors, which show nothing."
    return (
        "Nothing was written. Run it in the folder where the memory was fitted, or write the small pictures that the "
        "memory keeps: --thumbnails, in Python thumbnails=True."
    )
