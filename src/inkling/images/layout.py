"""How the folders of a data set are read: splits, classes, what is ignored. Names only, nothing is opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from inkling.errors import InputError
from inkling.labels import class_name

_OF_CAMERAS = (".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".heic", ".heif", ".hif")
_OF_PAGES = (".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".avif")
IMAGE_SUFFIXES = frozenset({*_OF_CAMERAS, *_OF_PAGES})

OTHER_SUFFIXES = frozenset({".tar", ".parquet", ".csv", ".jsonl"})
"""Of files that may hold or describe the images of a folder."""

HIDDEN = "hidden"
NOT_UTF8 = "name is not UTF-8"

_SPLITS = {
    "train": ("train", "training"),
    "test": ("test", "testing", "val", "valid", "validation", "dev"),
    "val": ("val", "valid", "validation", "dev"),
}
"""Folder or column values that serve each split, the best first: who has no test folder is tested on
validation."""

_SPLIT_NAMES = frozenset(name for names in _SPLITS.values() for name in names)


@dataclass(frozen=True)
class Listing:
    """Image files of a folder or a zip, and what else may hold or describe images.

    Attributes
    ----------
    files
        Names relative to the root, in sorted order, each with the name by which it is opened (a zip may spell
        it otherwise).
    ignored
        How many other entries there were, by kind: ``hidden``, a suffix such as ``.txt``, and so on.
    folders
        All folders that are not hidden, images in them or not.
    others
        Names of tables and shards, relative to the root, in sorted order; they are counted as ignored.
    """

    files: Mapping[PurePosixPath, str]
    ignored: Mapping[str, int]
    folders: frozenset[PurePosixPath] = frozenset()
    others: tuple[PurePosixPath, ...] = ()


@dataclass(frozen=True)
class Labelled:
    """One file of a listing with its class; None where it lies in no class folder."""

    file: PurePosixPath
    label: str | None


def kind_to_ignore(name: str) -> str | None:
    """Under which heading a file name is ignored, or None for an image."""
    if is_hidden(name):
        return HIDDEN
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return None
    return suffix or "no suffix"


def is_hidden(name: str) -> bool:
    """Files and folders that a person does not see: dot files, and what macOS adds to a zip."""
    return name.startswith(".") or name == "__MACOSX"


def is_utf8(name: str) -> bool:
    """Whether a name can be written to tables, databases and reports; Linux allows file names that cannot."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def label_files(files: Collection[PurePosixPath], *, split: str | None) -> tuple[Labelled, ...]:
    """Class of each file: the folder directly below the root, or below the folder of its split.

    Parameters
    ----------
    files
        Names relative to the root.
    split
        ``train``, ``test`` or ``val``: keep this split where the root is divided so. None keeps all.

    Raises
    ------
    InputError
        If the root is divided into splits, and the one asked for is not among them.
    """
    if not has_splits(files):
        return tuple(Labelled(file, _class_of(file.parts)) for file in files)
    kept = _kept_split(files, split)
    return tuple(
        Labelled(file, _class_of(file.parts[1:]) if in_split(file) else None)
        for file in files
        if kept is None or (in_split(file) and file.parts[0].lower() == kept)
    )


def classes_without_images(
    folders: Collection[PurePosixPath], files: Collection[PurePosixPath], *, split: str | None
) -> tuple[str, ...]:
    """Names of the class folders that hold no image; parameters as for `label_files`."""
    labels = {one.label for one in label_files(files, split=split)} - {None}
    depth, kept = 1, None
    if has_splits(files):
        depth, kept = 2, _kept_split(files, split)
    if not labels:
        return ()
    at_depth = [folder for folder in folders if len(folder.parts) == depth]
    if depth > 1:
        at_depth = [one for one in at_depth if in_split(one) and kept in (None, one.parts[0].lower())]
    found = {name for folder in at_depth if (name := class_name(folder.name)) is not None}
    return tuple(sorted(found - labels))


def has_splits(files: Collection[PurePosixPath]) -> bool:
    """Whether the root is divided: every image lies below a folder named like a split, or most images do.

    A data set of vehicles may well have a class named "train": beside "bus" and "car" it is a class. So a few stray
    images are passed over only beside two splits or more, or where they lie in no folder; and only if most images lie
    in class folders below the splits.
    """
    inside = [file for file in files if in_split(file)]
    if len(inside) == len(files):
        return bool(files)
    names = {file.parts[0].lower() for file in inside}
    in_classes = sum(len(file.parts) > 2 for file in inside)
    stray_folders = any(len(file.parts) > 1 and not in_split(file) for file in files)
    return 2 * in_classes > len(files) and (len(names) > 1 or not stray_folders)


def in_split(file: PurePosixPath) -> bool:
    """Whether a file lies below a folder named like a split."""
    return len(file.parts) > 1 and is_split(file.parts[0])


def is_split(name: str) -> bool:
    """Whether a folder is named like a split."""
    return name.lower() in _SPLIT_NAMES


def _kept_split(files: Collection[PurePosixPath], split: str | None) -> str | None:
    if split is None:
        return None
    return choose_split({file.parts[0].lower() for file in files if in_split(file)}, split)


def choose_split(names: Collection[str], split: str) -> str:
    """Which of the names found, in lower case, serves a split: ``valid`` serves ``test`` where there is no
    ``test``.

    Raises
    ------
    InputError
        If none does, or `split` is not one of ours.
    """
    if split not in _SPLITS:
        raise InputError(f"'{split}' is not the name of a split.", remedy=f"Use one of {', '.join(_SPLITS)}, or none.")
    for wanted in _SPLITS[split]:
        if wanted in names:
            return wanted
    raise InputError(
        f"There is no '{split}' split; found {', '.join(sorted(names))}.",
        remedy=f"Name the folder that holds the images to use, or add one of {', '.join(_SPLITS[split])}.",
    )


def without_wrapper(files: Collection[PurePosixPath]) -> PurePosixPath:
    """The folder inside a zip that is its real root: a zipped folder wraps all files once more."""
    root = PurePosixPath()
    inner = list(files)
    while inner and _is_wrapper(inner):
        root = root / inner[0].parts[0]
        inner = [_below(file) for file in inner]
    return root


def _class_of(folders_and_name: Sequence[str]) -> str | None:
    return class_name(folders_and_name[0]) if len(folders_and_name) > 1 else None


def _is_wrapper(files: Sequence[PurePosixPath]) -> bool:
    """Whether one folder holds all files, most of them in folders of their own: few may lie beside those."""
    return (
        len({file.parts[0] for file in files}) == 1
        and all(len(file.parts) > 1 for file in files)
        and files[0].parts[0].lower() not in _SPLIT_NAMES
        and (all(len(file.parts) > 2 for file in files) or has_splits([_below(file) for file in files]))
    )


def _below(file: PurePosixPath) -> PurePosixPath:
    return PurePosixPath(*file.parts[1:])
