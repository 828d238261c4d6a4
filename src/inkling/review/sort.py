"""Pictures into folders by their class: copies or links, with a manifest by which they are taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inkling.classifier.few_shot import FewShotClassifier
from inkling.embeddings.embed import Progress
from inkling.errors import InputError, UnreadableImageError
from inkling.filing.cabinet import Cabinet, Undone, check_apart, undo
from inkling.filing.manifest import SORT, undo_command
from inkling.filing.names import Names
from inkling.images.handed_over import records_of
from inkling.images.sources import Found, find_images
from inkling.types import ImageRecord, SkippedImage, Verdict
from inkling.wording import excerpt

UNKNOWN = "unknown"
"""Folder of the pictures of no known class; no class is called so."""


@dataclass(frozen=True)
class Sorted:
    """What became of pictures that were sorted.

    Attributes
    ----------
    manifest
        File that says what was made; `undo_sorting` takes it back. None where nothing was.
    counts
        Pictures of each folder: those that were made now, and those that an earlier run had made.
    n_made, n_there
        How many were made now, and how many were there already.
    skipped
        Pictures that were not sorted, and why.

    Examples
    --------
    >>> found = sort_images("vehicles.ink", "photos/test", "sorted")
    >>> again = sort_images("vehicles.ink", "photos/test", "sorted")
    >>> found.manifest.name, again.n_made, again.n_there, again.manifest
    ('inkling-sort-1.jsonl', 0, 9, None)
    """

    manifest: Path | None
    counts: Mapping[str, int]
    n_made: int
    n_there: int
    skipped: tuple[SkippedImage, ...]


def sort_images(
    classifier: FewShotClassifier | str | Path,
    images: Any,
    output: str | Path,
    *,
    link: bool = False,
    progress: Progress | None = None,
) -> Sorted:
    """Copy or link pictures into folders by class, those of no known class into ``unknown``.

    Nothing is moved, deleted or written over: where a name is taken the picture gets a number, and a picture that is
    there already is left as it is, so interrupted work goes on where it stopped. A picture with several boxes is filed
    as a whole, once under each of their classes.

    Parameters
    ----------
    classifier
        A fitted classifier, or where its memory is.
    images
        As for `FewShotClassifier.predict`, in files or zips.
    output
        Folder, which is made where it is missing; folders of classes are made in it.
    link
        Make symbolic links in place of copies.
    progress
        Called with the progress.

    Raises
    ------
    InputError
        If the output is among the images, cannot be written, or none of the images can be read. What was made before
        stands in the manifest.

    Examples
    --------
    >>> found = sort_images("vehicles.ink", "photos/test", "sorted")
    >>> found.n_made, sorted(found.counts)
    (9, ['castle', 'cat', 'tree', 'unknown'])
    >>> undo_sorting(found.manifest).n_removed
    9
    """
    if not isinstance(classifier, FewShotClassifier):
        classifier = FewShotClassifier.load(classifier)
    folder = Path(output)
    found = find_images(images) if isinstance(images, str | Path) else images
    check_apart(folder, found.folder if isinstance(found, Found) else None, done="sorted")
    records = records_of(found)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with Cabinet.opened(folder, _about(classifier, link=link), by=SORT, link=link) as cabinet:
            done = _Sorting(cabinet, classifier).of(records, progress=progress)
        return _settled(done, folder)
    except OSError as error:
        raise InputError(
            f"'{folder}' cannot be written: {excerpt(error)}.",
            remedy="Name a folder with space that you may write to. What was made so far stands in the manifest in "
            f"it; run the same command again to go on, or take it back with '{undo_command(folder, by=SORT)}'.",
        ) from error


def undo_sorting(manifest: str | Path) -> Undone:
    """Take back what a manifest says, but for what was changed since.

    Parameters
    ----------
    manifest
        File in the folder that was sorted into.

    Raises
    ------
    InputError
        If it is no manifest; then nothing was removed.

    Examples
    --------
    >>> undo_sorting(sort_images("vehicles.ink", "inbox", "sorted", link=True).manifest).kept
    {}
    """
    return undo(Path(manifest))


class _Sorting:
    """One run: what was filed, and under which names."""

    def __init__(self, cabinet: Cabinet, classifier: FewShotClassifier) -> None:
        self._cabinet = cabinet
        self._classifier = classifier
        self._folders = Names(UNKNOWN)
        for name in classifier.fitted.classes:
            self._folders.of(name)
        self._filed: set[tuple[str, str]] = set()
        self._counts: Counter[str] = Counter()
        self._made = 0
        self._skipped: list[SkippedImage] = []

    def of(self, records: list[ImageRecord], *, progress: Progress | None) -> Sorted:
        by_path = {record.path: record for record in records}
        for found in self._classifier.verdicts(records, top=1, progress=progress):
            if isinstance(found, SkippedImage):
                self._skipped.append(found)
            else:
                self._file(by_path[found.path], found)
        there = self._counts.total() - self._made
        return Sorted(self._cabinet.manifest, dict(self._counts), self._made, there, tuple(self._skipped))

    def _file(self, record: ImageRecord, verdict: Verdict) -> None:
        label = None if verdict.unknown else verdict.label
        folder = UNKNOWN if label is None else self._folders.of(label)
        picture = (record.file or record.path, folder)
        if picture in self._filed:
            return
        if record.image is not None or record.data is not None:
            self._skipped.append(SkippedImage(record.path, "it lies in no file"))
            return
        try:
            made = self._cabinet.file(record, folder, label=label, probability=verdict.probability)
        except UnreadableImageError as error:
            self._skipped.append(SkippedImage(record.path, error.message))
            return
        self._filed.add(picture)
        self._counts[folder] += 1
        self._made += made is not None


def _settled(found: Sorted, folder: Path) -> Sorted:
    """The same, without a manifest that would name nothing.

    Raises
    ------
    InputError
        If there is no picture to sort.
    """
    if found.n_made or found.manifest is None:
        return found
    found.manifest.unlink()
    if not found.counts:
        with suppress(OSError):  # it was not empty before
            folder.rmdir()
        refusal = InputError("None of the images can be read.", remedy="Nothing was written.")
        refusal.skipped = found.skipped
        raise refusal
    return replace(found, manifest=None)


def _about(classifier: FewShotClassifier, *, link: bool) -> dict[str, Any]:
    identity = classifier.fitted.samples.identity
    return {
        "memory_version": classifier.memory_version,
        "encoder": identity.name,
        "encoder_fingerprint": identity.fingerprint,
        "links": link,
    }
