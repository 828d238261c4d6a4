"""Corrections applied to a copy of the images: nothing is moved, deleted or written over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from inkling.errors import InputError, UnreadableImageError
from inkling.filing.cabinet import Cabinet, Undone, check_apart, undo
from inkling.filing.fix_list import DROP, RELABEL, Fix, check_kept, read_fix_list
from inkling.filing.layout import TABLE, Labelled, check_boxes, class_folders, table_of
from inkling.filing.manifest import AUDIT, undo_command
from inkling.filing.matching import Matched, matched
from inkling.images.archives import ZIP
from inkling.images.boxes import BoxReading
from inkling.images.layout import has_splits, in_split, without_wrapper
from inkling.images.places import place_of
from inkling.images.sources import Found, find_images
from inkling.labels import check_names
from inkling.types import ImageRecord, SkippedImage
from inkling.wording import excerpt

Progress = Callable[[int, int], None]
"""Called with how many pictures of how many are through."""
_SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Corrected:
    """A corrected copy.

    Attributes
    ----------
    folder
        Where it is.
    manifest
        File in it that says what was made; `undo_fixes` takes it back.
    counts
        Images of each class; those without a class don't count.
    n_pictures
        Pictures that were copied.
    relabelled
        Path of each image with another label now, with the label.
    dropped
        Paths of the images that were left out.
    new_classes
        Labels that no image had before.
    emptied
        Labels that no image has any more.
    gone
        Rows of the list that name none of the images, as they name it.
    moved_from
        Folder that the list names in place of the images' own; None where it names theirs.
    skipped
        Pictures that could not be copied, and why.
    described
        Whether ``metadata.csv`` has the labels, in place of folders.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("fixes.csv").write_text("path,action,label\\nphotos/train/cat/cat-0000.png,relabel,tree\\n")
    >>> done = apply_fixes("photos/train", "fixes.csv", "corrected")
    >>> done.counts["tree"], done.relabelled
    (9, {'photos/train/cat/cat-0000.png': 'tree'})
    """

    folder: Path
    manifest: Path
    counts: Mapping[str, int]
    n_pictures: int
    relabelled: Mapping[str, str]
    dropped: tuple[str, ...]
    new_classes: tuple[str, ...]
    emptied: tuple[str, ...]
    gone: tuple[str, ...]
    moved_from: str | None
    skipped: tuple[SkippedImage, ...]
    described: bool


def apply_fixes(
    images: str | Path,
    fixes: str | Path,
    output: str | Path,
    *,
    boxes: BoxReading | None = None,
    progress: Progress | None = None,
) -> Corrected:
    """Copy images into a new folder, with the corrections of a list: the whole set, what is right included.

    Folders are those of the corrected classes, below folders of train and test where the images have such. Images with
    boxes, and classes whose names no folder can have, are described by a table ``metadata.csv`` beside the pictures.

    Parameters
    ----------
    images
        What was audited, in files or a zip.
    fixes
        A list as `inkling audit --fix-list` or its report writes it, edited or not.
    output
        A folder that doesn't exist yet, or is empty.
    boxes
        How boxes are read.
    progress
        Called with the progress.

    Raises
    ------
    InputError
        If the list can't be read, is of other images, contradicts itself or leaves no image; if the output isn't empty,
        lies among the images or can't be written. Where the disk was full, what was made stands in the manifest.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("fixes.csv").write_text("path,action\\nphotos/train/cat/cat-0000.png,drop\\n")
    >>> done = apply_fixes("photos/train", "fixes.csv", "corrected")
    >>> done.n_pictures, done.dropped
    (23, ('photos/train/cat/cat-0000.png',))
    >>> undo_fixes(done.manifest).n_removed
    23
    """
    folder, rows = Path(output), read_fix_list(fixes)
    found = find_images(images, boxes=boxes)
    records, root = found.records, _root(images, found)
    _check_output(folder, root)
    found_rows = matched(rows, [record.path for record in records], root=root)
    check_kept((fix, records[at].label) for at, fix in found_rows.fixes.items())
    below = _below(found)
    kept = _labelled(_splits(images, found, below, boxes), found, below, found_rows.fixes)
    new = _new_classes(found_rows.fixes, records)
    # Images that stay where they are keep their names.
    kept.sort(key=lambda image: image.label != image.record.label)
    folders = class_folders(kept)
    check_boxes(kept)
    with _told_with_manifest(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with Cabinet.opened(folder, _about(images, fixes, found_rows, records), by=AUDIT, link=False) as cabinet:
            filed, skipped, n = _file(cabinet, kept, folders, progress)
            manifest = cabinet.manifest
    return Corrected(
        folder=folder,
        manifest=manifest,
        counts=Counter(image.label for image in filed if image.label is not None),
        n_pictures=n,
        relabelled={one.record.path: one.label for one in filed if one.label and one.label != one.record.label},
        dropped=tuple(dict.fromkeys(records[at].path for at, fix in found_rows.fixes.items() if fix.action == DROP)),
        new_classes=new,
        emptied=_emptied(records, filed),
        gone=tuple(fix.path for fix in found_rows.gone),
        moved_from=found_rows.moved_from,
        skipped=skipped,
        described=folders is None,
    )


def _emptied(records: Sequence[ImageRecord], filed: Sequence[Labelled]) -> tuple[str, ...]:
    """Labels of the images that none of those which were filed has."""
    left = {image.label for image in filed}
    return tuple(sorted({one.label for one in records if one.label is not None and one.label not in left}))


def undo_fixes(manifest: str | Path) -> Undone:
    """Take back what a manifest says, but for what was changed since.

    Parameters
    ----------
    manifest
        File in the folder of the corrected copy.

    Raises
    ------
    InputError
        If it is no manifest; then nothing was removed.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("fixes.csv").write_text("path,action\\nphotos/train/cat/cat-0000.png,drop\\n")
    >>> undo_fixes(apply_fixes("photos/train", "fixes.csv", "corrected").manifest).kept
    {}
    """
    return undo(Path(manifest))


def _root(images: str | Path, found: Found) -> Path | None:
    """Folder or zip that all images lie in; None for tables."""
    if found.folder is not None:
        return found.folder
    path = place_of(images)
    return path if isinstance(path, Path) and (path.is_dir() or path.suffix.lower() == ZIP) else None


def _check_output(folder: Path, root: Path | None) -> None:
    check_apart(folder, root, done="corrected")
    if folder.is_dir() and (there := sorted(folder.iterdir())):
        earlier = next((one for one in there if one.name.startswith(f"inkling-{AUDIT}-")), None)
        undoing = "" if earlier is None else f" 'inkling audit --undo {earlier}' takes an earlier copy back."
        raise InputError(
            f"The output '{folder}' is not empty; a corrected copy begins in an empty one.",
            remedy=f"Name a folder that doesn't exist yet.{undoing}",
        )


def _labelled(
    splits: Sequence[str | None], found: Found, below: Sequence[PurePosixPath | None], fixes: Mapping[int, Fix]
) -> list[Labelled]:
    """The images that stay, each with its label and its part of the data set.

    Raises
    ------
    InputError
        If none stays.
    """
    kept = []
    for number, record in enumerate(found.records):
        fix = fixes.get(number)
        if fix is None or fix.action != DROP:
            label = fix.label if fix is not None and fix.action == RELABEL else record.label
            kept.append(Labelled(record, label, splits[number], below[number]))
    if not kept:
        raise InputError("The list drops every image.", remedy="Nothing was written; is it the right list?")
    return kept


def _below(found: Found) -> list[PurePosixPath | None]:
    """Paths of the images from the folder, or the zip, of all of them."""
    members = [PurePosixPath(one.path).relative_to(str(one.archive)) for one in found.records if _in_zip(one)]
    if len(members) == len(found.records):
        wrapper = without_wrapper(members)
        return [member.relative_to(wrapper) for member in members]
    return [None if found.folder is None else _within(one, found.folder) for one in found.records]


def _in_zip(record: ImageRecord) -> bool:
    """Whether its path leads through the folders of a data set; shards tell classes otherwise, and may be many."""
    return record.archive is not None and place_of(record.archive).suffix.lower() == ZIP


def _within(record: ImageRecord, folder: Path) -> PurePosixPath | None:
    path = Path(record.file or record.path)
    return PurePosixPath(path.relative_to(folder).as_posix()) if path.is_relative_to(folder) else None


def _splits(
    images: str | Path, found: Found, below: Sequence[PurePosixPath | None], boxes: BoxReading | None
) -> list[str | None]:
    """The part of the data set that each image is of."""
    files = [file for file in below if file is not None]
    if len(files) == len(below):
        divided = has_splits(files)
        return [file.parts[0] if divided and in_split(file) else None for file in files]
    parts: dict[str, str] = {}
    for split in _SPLITS:
        try:
            some = find_images(images, split=split, boxes=boxes).records
        except InputError:  # there is no such part
            continue
        if len(some) == len(found.records) and split == _SPLITS[0]:
            return [None] * len(below)
        for record in some:
            parts.setdefault(record.path, split)
    return [parts.get(record.path) for record in found.records]


def _new_classes(fixes: Mapping[int, Fix], records: Sequence[ImageRecord]) -> tuple[str, ...]:
    """Labels of the list that no image has.

    Raises
    ------
    InputError
        If one can be mistaken for that of a class.
    """
    known = {record.label for record in records if record.label is not None}
    new = dict.fromkeys(fix.label for fix in fixes.values() if fix.label is not None and fix.label not in known)
    check_names(list(new), known, remedy="Write the label as the class is called.")
    return tuple(new)


def _file(
    cabinet: Cabinet, images: Sequence[Labelled], folders: Sequence[str] | None, progress: Progress | None
) -> tuple[list[Labelled], tuple[SkippedImage, ...], int]:
    """Copy the pictures, each once; returns the images whose picture could be copied, the others, and how many."""
    filed: list[Labelled] = []
    skipped: list[SkippedImage] = []
    made: dict[str, str] = {}
    for number, image in enumerate(images):
        if progress is not None:
            progress(number, len(images))
        record, folder = image.record, folders[number] if folders is not None else ""
        picture = record.file or record.path
        try:
            if picture not in made:
                made[picture] = cabinet.file(record, folder, label=image.label, twice=True) or ""
            filed.append(image)
        except UnreadableImageError as error:
            skipped.append(SkippedImage(record.path, error.message))
    if folders is None:
        cabinet.write(TABLE, table_of(filed, [made[one.record.file or one.record.path] for one in filed]))
    if progress is not None:
        progress(len(images), len(images))
    return filed, tuple(skipped), len(made)


def _about(images: str | Path, fixes: str | Path, rows: Matched, records: Sequence[ImageRecord]) -> dict[str, Any]:
    """The corrections in the manifest."""
    acted = [(records[at], fix) for at, fix in rows.fixes.items()]
    return {
        "images": str(images),
        "fix_list": str(fixes),
        "relabelled": [[one.path, one.label, fix.label] for one, fix in acted if fix.action == RELABEL],
        "dropped": [one.path for one, fix in acted if fix.action == DROP],
    }


@contextmanager
def _told_with_manifest(folder: Path) -> Iterator[None]:
    """Say where what was made stands, where the system refuses to write more."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"'{folder}' cannot be written: {excerpt(error)}.",
            remedy="Name a folder with space that you may write to. What was made so far stands in the manifest in it; "
            f"'{undo_command(folder, by=AUDIT)}' takes it back.",
        ) from error
