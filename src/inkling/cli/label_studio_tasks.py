"""Verdicts as tasks with predictions, which Label Studio imports."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from inkling.errors import InputError
from inkling.wording import excerpt

if TYPE_CHECKING:
    from inkling.embeddings.precomputed import Precomputed
    from inkling.images.sources import Found
    from inkling.serving.choices import Interface
    from inkling.types import Verdict

LABEL_STUDIO = "label-studio"
_TEMPLATE = ("choice", "image", "image")
"""Names in Label Studio's own template for the classification of images."""


@dataclass(frozen=True)
class TaskForm:
    """How tasks are written.

    Attributes
    ----------
    interface
        Of the project; None for that of the template, in which all classes can be chosen.
    root
        Folder that Label Studio serves local files from.
    """

    interface: Interface | None
    root: Path

    def address(self, path: str) -> str:
        """By which Label Studio finds a picture.

        Raises
        ------
        InputError
            If it lies elsewhere.
        """
        from inkling.images.label_studio import local_address

        root = os.path.abspath(self.root)  # noqa: PTH100 - links are left as they are, but '..' is not
        place = os.path.relpath(os.path.abspath(path), root)  # noqa: PTH100 - as above
        if place.partition(os.sep)[0] == os.pardir or os.path.isabs(place):  # noqa: PTH117 - of another drive
            raise InputError(
                f"'{excerpt(path)}' does not lie in '{root}', from which Label Studio serves files.",
                remedy="Name the folder that it has as LOCAL_FILES_DOCUMENT_ROOT: --root DIR.",
            )
        return local_address(Path(place).as_posix())

    def check(self, sources: Iterable[Found | Precomputed]) -> None:
        """Make sure before any work that each picture can be named.

        Raises
        ------
        InputError
            If one is a box, lies in a zip, or elsewhere.
        """
        from inkling.images.boxes import parsed
        from inkling.images.sources import Found

        for source in sources:
            records = source.records if isinstance(source, Found) else ()
            if any(one.archive is not None for one in records):
                raise InputError("Label Studio does not read pictures in a zip, a tar or Parquet.", remedy="Unpack it.")
            for path in [one.path for one in records] if records else getattr(source, "paths", ()):
                if parsed(path) is not None and not os.path.lexists(path):
                    raise InputError(
                        f"Predictions for Label Studio are about whole pictures, and '{excerpt(path)}' is a box.",
                        remedy="Write a table instead: --output OUT.csv.",
                    )
                self.address(path)

    @contextmanager
    def writer(self, file: IO[str], classes: Sequence[str]) -> Iterator[Callable[[Verdict], None]]:
        """What takes verdicts one by one; a list of tasks that has begun is ended."""
        from inkling.serving.choices import Interface, choice_of

        interface = self.interface or Interface(*_TEMPLATE, frozenset(classes))
        begun = False

        def write(verdict: Verdict) -> None:
            nonlocal begun
            data = {interface.key: self.address(verdict.path)}
            task = json.dumps({"data": data, "predictions": [choice_of(verdict, interface)]}, ensure_ascii=False)
            file.write(f",\n {task}" if begun else f"[\n {task}")
            begun = True

        yield write
        if begun:
            file.write("\n]\n")


def task_form(format: str | None, label_config: Path | None, root: str | None) -> TaskForm | None:
    """How tasks are written; None where they are not.

    Raises
    ------
    InputError
        If there is no such format, or the labelling interface cannot be read.
    """
    if format not in (None, LABEL_STUDIO):
        raise InputError(f"'{format}' is no format of predictions.", remedy=f"Write --format {LABEL_STUDIO}, or none.")
    if label_config is not None and format is None:
        raise InputError(f"--label-config has no effect without --format {LABEL_STUDIO}.", remedy="Add it.")
    return None if format is None else TaskForm(_read(label_config), Path(root or "."))


def _read(label_config: Path | None) -> Interface | None:
    from inkling.serving.choices import read_interface

    if label_config is None:
        return None
    try:
        return read_interface(label_config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The labelling interface '{label_config}' cannot be read: {excerpt(error)}.",
            remedy="In the settings of the project, under Labeling Interface, it stands as code.",
        ) from error
