"""Makes copies and links of pictures within one folder, and takes them away again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from inkling.errors import InputError
from inkling.filing.layout import file_name
from inkling.filing.manifest import Filed, How, Manifest, read_manifest
from inkling.filing.names import name_on_disk, names_of_file
from inkling.images.archives import PARQUET, TAR, ZIP, is_local_file
from inkling.images.files import Files
from inkling.images.places import place_of
from inkling.outputs import draft_beside, remove_leftovers, told_as_unwritable
from inkling.types import ImageRecord
from inkling.wording import excerpt

_PIECE = 1 << 20


@dataclass(frozen=True)
class Undone:
    """What became of a manifest.

    Attributes
    ----------
    n_removed
        Copies and links that were removed.
    n_gone
        Those that were not there any more.
    kept
        Paths of the others, each with the reason why it stays.

    Examples
    --------
    >>> undone = undo_sorting(sort_images("vehicles.ink", "photos/test", "sorted").manifest)
    >>> undone.n_removed, undone.n_gone, undone.kept
    (9, 0, {})
    """

    n_removed: int
    n_gone: int
    kept: Mapping[str, str]


class Cabinet:
    """A folder in which pictures are filed under folders.

    Parameters
    ----------
    folder
        It exists.
    manifest
        Takes down what is made.
    draft
        A path on the same file system that nobody else uses.
    link
        Whether symbolic links are made in place of copies.
    """

    def __init__(self, folder: Path, manifest: Manifest, draft: Path, *, link: bool) -> None:
        self._folder = folder
        self._manifest = manifest
        self._draft = draft
        self._link = link
        self._files = Files()
        self._names: dict[str, set[str]] = {}

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, about: Mapping[str, Any], *, by: str, link: bool) -> Iterator[Cabinet]:
        """A cabinet with a manifest of its own; `about` says in it what the verb `by` files the pictures by."""
        with Manifest.begun(folder, about, by=by) as manifest, draft_beside(folder / "draft") as draft:
            cabinet = cls(folder, manifest, draft, link=link)
            try:
                yield cabinet
            finally:
                cabinet._files.close()

    @property
    def manifest(self) -> Path:
        """File of the manifest."""
        return self._manifest.path

    def file(
        self,
        record: ImageRecord,
        folder: str,
        *,
        label: str | None,
        probability: float | None = None,
        twice: bool = False,
    ) -> str | None:
        """File a picture under a folder, a picture of a box as a whole.

        Parameters
        ----------
        folder
            With slashes between folders; empty for the cabinet's own.
        label, probability
            As in `Filed`.
        twice
            File it though a picture of its name and content is there.

        Returns
        -------
        str
            Where it is, from the cabinet's folder; None where it was there already.

        Raises
        ------
        UnreadableImageError
            If the picture cannot be read any more.
        InputError
            If no symbolic link to it can be made.
        OSError
            If the disk is full, or the folder may not be written to.
        """
        if self._link:
            check, data = _place_of(record), b""
        else:
            data = self._files.read(record)
            check = blake2b(data, digest_size=16).hexdigest()
        self._make_folder(folder)
        name = self._free_name(record, folder, None if twice else check)
        if name is None:
            return None
        how: How = "link" if self._link else "copy"
        path = f"{folder}/{name}" if folder else name
        self._manifest.add(Filed(path, how, check, record.path, label, probability))
        if self._link:
            _linked(check, self._folder / path)
        else:
            self._copy(data, record, self._folder / path)
        self._names[folder].add(name_on_disk(name))
        return path

    def write(self, name: str, data: bytes) -> None:
        """Write a file of our own beside the folders, and take it down with the pictures.

        Raises
        ------
        OSError
            If the disk is full, or something has that name.
        """
        self._manifest.add(Filed(name, "copy", blake2b(data, digest_size=16).hexdigest()))
        self._copy(data, None, self._folder / name)

    def _make_folder(self, name: str) -> None:
        if name in self._names:
            return
        above = name.rpartition("/")[0]
        if above:
            self._make_folder(above)
        folder = self._folder / name
        if (name and folder.is_symlink()) or (folder.exists() and not folder.is_dir()):
            raise InputError(
                f"'{folder}' is in the way of a folder of that name.", remedy="Move it, or name another output folder."
            )
        if not folder.exists():
            self._manifest.add(Filed(name, "folder"))
            folder.mkdir()
        self._names[name] = {name_on_disk(one.name) for one in folder.iterdir()}

    def _free_name(self, record: ImageRecord, folder: str, check: str | None) -> str | None:
        """A name that nothing in the folder has; None where something of such a name passes the check."""
        for name in names_of_file(file_name(record)):
            if name_on_disk(name) not in self._names[folder]:
                return name
            if check is not None and _is(self._folder / folder / name, "link" if self._link else "copy", check):
                return None
        raise AssertionError  # numbers do not end

    def _copy(self, data: bytes, record: ImageRecord | None, target: Path) -> None:
        """Write a copy beside its name, then give it that name: a run that is killed leaves no half picture."""
        self._draft.write_bytes(data)
        if record is not None and is_local_file(record):
            with suppress(OSError):  # the time of a picture is worth keeping, and no reason to fail
                shutil.copystat(Path(record.file or record.path), self._draft)
        try:
            os.link(self._draft, target)  # unlike a renaming, it never takes the place of another file
        except FileExistsError:
            raise
        except OSError:  # no such links on this file system
            if os.path.lexists(target):
                raise
            self._draft.rename(target)
        self._draft.unlink(missing_ok=True)


def check_apart(output: Path, images: Path | None, *, done: str) -> None:
    """Refuse an output that is a file, or lies within the folder, or the zip, of the images.

    Parameters
    ----------
    done
        What is done with the images, such as ``sorted``.

    Raises
    ------
    InputError
        If it is or does.
    """
    if images is not None and output.resolve().is_relative_to(images.resolve()):
        raise InputError(
            f"The output '{output}' lies within '{images}', whose images are {done}.",
            remedy="Name a folder beside it: another run would find the copies among the images.",
        )
    if output.exists() and not output.is_dir():
        raise InputError(f"The output '{output}' is a file.", remedy="Name a folder.")


def undo(manifest: Path) -> Undone:
    """Remove what a manifest names, as far as nobody has changed it, and then the manifest unless something is kept.

    Folders go if the manifest names them and they are empty then, and so does what killed runs left unfinished.

    Raises
    ------
    InputError
        If the file is no manifest; then nothing was removed. If something can't be removed.
    """
    with told_as_unwritable(manifest.parent):
        return _undone(manifest, read_manifest(manifest))


def _undone(manifest: Path, entries: Sequence[Filed]) -> Undone:
    root = manifest.absolute().parent
    remove_leftovers(root)
    removed, gone, kept = 0, 0, {}
    for entry in reversed(entries):
        path = root / entry.path
        if entry.how == "folder":
            with suppress(OSError):  # something is in it that somebody else put there
                path.rmdir()
        elif not os.path.lexists(path):
            gone += 1
        elif (reason := _reason_to_keep(path, root, entry)) is not None:
            kept[str(path)] = reason
        else:
            path.unlink()
            removed += 1
    if not kept:
        manifest.unlink()
    return Undone(removed, gone, kept)


def _reason_to_keep(path: Path, root: Path, entry: Filed) -> str | None:
    if path.parent.resolve() != (root.resolve() / entry.path).parent:
        return "its folder is a link now"
    try:
        return None if _is(path, entry.how, entry.check) else "it was changed"
    except OSError as error:
        return f"it cannot be read ({excerpt(error)})"


def _is(path: Path, how: str, check: str) -> bool:
    """Whether something is the very copy or link that is meant."""
    if path.is_symlink():
        return how == "link" and os.readlink(path) == check  # noqa: PTH115 - Path's own changes how it is written
    return how == "copy" and path.is_file() and _hash(path) == check


def _hash(path: Path) -> str:
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _place_of(record: ImageRecord) -> str:
    if not is_local_file(record):
        kinds = {ZIP: "in a zip", TAR: "in a tar", PARQUET: "in a Parquet file"}
        where = (
            "behind a URL"
            if record.archive is None
            else kinds.get(place_of(record.archive).suffix.lower(), "in a file")
        )
        raise InputError(
            f"'{record.path}' lies {where}, to whose pictures there are no links.",
            remedy="Make copies (--copy, in Python link=False), or bring the pictures here as files.",
        )
    return str(Path(record.file or record.path).absolute())


def _linked(place: str, target: Path) -> None:
    try:
        target.symlink_to(place)
    except (NotImplementedError, PermissionError) as error:
        raise InputError(
            f"'{target}' cannot be made as a link: {excerpt(error)}.",
            remedy="Make copies: --copy, in Python link=False.",
        ) from error
