"""Files that others name: only those below a folder that the operator names are read."""

from __future__ import annotations

from pathlib import Path

from inkling.errors import InputError
from inkling.images.places import place_of
from inkling.types import ImageRecord
from inkling.wording import quoted


class RootedFiles:
    """Files below a folder.

    Parameters
    ----------
    root
        The folder.

    Raises
    ------
    InputError
        If it is none.
    """

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root).resolve()
        if not self._root.is_dir():
            raise InputError(f"'{root}' is no folder.", remedy="Name the folder that pictures are read from.")

    def path(self, name: str) -> Path:
        """The file of that name, relative to the folder or absolute, wherever links lead.

        Raises
        ------
        InputError
            If it is outside of the folder. Nothing says whether it exists.
        """
        try:
            found = (self._root / name).resolve()
        except (OSError, ValueError, RuntimeError):  # a name of the wrong kind, or links in a circle
            found = None
        if found is None or not found.is_relative_to(self._root):
            raise InputError(f"{quoted(name)} is outside of the folder that pictures are read from.")
        return found

    def require(self, record: ImageRecord) -> None:
        """Refuse an image that a table or a link names elsewhere.

        Raises
        ------
        InputError
            If it is outside of the folder.
        """
        place = place_of(record.archive or record.file or record.path)
        if not isinstance(place, Path):
            raise InputError(f"{quoted(str(place))} is outside of the folder that pictures are read from.")
        self.path(str(place.absolute()))
