"""A list of corrections as one decision about a memory: images to other classes, and out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inkling.classifier.refit_detector import refit_detector
from inkling.errors import InputError
from inkling.filing.fix_list import DROP, KEEP, Fix, check_kept, read_fix_list
from inkling.filing.matching import Matched, matched
from inkling.memory.amend import Amendment, amend_if_needed
from inkling.memory.classes import add_class, class_ids, images_of_class
from inkling.memory.events import Event
from inkling.memory.links import forget_links, part, tie
from inkling.memory.moves import (
    HeldImage,
    drop_exemplars,
    exemplar_vectors,
    exemplars_to_class,
    has_text,
    held_images,
)
from inkling.memory.settle import settle
from inkling.review.lookup import check_new_name
from inkling.review.refit import DetectorFitter, fewer_examples, more_examples, one_by_one, refit
from inkling.types import ClassEntry, Vectors

SHOWN = 20
"""Images that the log names."""


def correct_memory(
    path: str | Path, fixes: str | Path, *, detect: DetectorFitter | None = refit_detector
) -> Event | None:
    """Apply a list of corrections to a memory's training images, as one decision that `undo` takes back.

    What is relabelled becomes a training image of its new class; one that there was not yet is known by its images
    alone. What is dropped is in no class any more; what came from the pool waits there again. Rows are matched by path.

    Parameters
    ----------
    path
        The memory.
    fixes
        A list as `inkling audit --fix-list` or its report writes it, edited or not.
    detect
        Refits the detector of unknown images; None takes it out.

    Returns
    -------
    Event
        What was logged; None where every row keeps its image as it is, and the memory stays as it is.

    Raises
    ------
    InputError
        If the list can't be read, is of other images or contradicts itself, a new name can be mistaken for that of a
        class, or a class would be left without image and text.

    Examples
    --------
    >>> from pathlib import Path
    >>> decide = Decisions("vehicles.ink")
    >>> _ = Path("fixes.csv").write_text("path,action,label\\nphotos/train/cat/cat-0000.png,relabel,tree\\n")
    >>> correct_memory("vehicles.ink", "fixes.csv").outcome["relabelled"]
    1
    >>> [(one.name, one.images) for one in decide.classes()]
    [('castle', 8), ('cat', 7), ('tree', 9)]
    >>> decide.undo().outcome["undone"]
    'correct'
    """
    rows = read_fix_list(fixes)
    counts = {action: sum(fix.action == action for fix in rows) for action in ("relabel", "drop")}

    def change(memory: Amendment) -> Mapping[str, Any]:
        return _Correction(memory, rows).applied(detect)

    return amend_if_needed(path, "correct", {"list": Path(fixes).name, **counts}, change)


class _Correction:
    """Rows of a list, applied within a transaction."""

    def __init__(self, memory: Amendment, rows: Sequence[Fix]) -> None:
        self._memory = memory
        self._held: dict[str, list[HeldImage]] = {}
        for image in held_images(memory.connection):
            self._held.setdefault(image.path, []).append(image)
        paths = list(self._held)
        self._rows: Matched = matched(rows, paths, root=None)
        self._changes = [
            (image, fix.label)
            for at, fix in self._rows.fixes.items()
            for image in self._held[paths[at]]
            if fix.action == DROP or (fix.action != KEEP and fix.label != image.class_name)
        ]
        check_kept((fix, image.class_name) for at, fix in self._rows.fixes.items() for image in self._held[paths[at]])

    def applied(self, detect: DetectorFitter | None) -> dict[str, Any]:
        memory = self._memory
        new = self._new_classes()
        if not self._changes:
            return {}
        ids = class_ids(memory.connection)
        vectors = [exemplar_vectors(memory, image.ids) for image, _ in self._changes]
        for image, label in self._changes:
            if label is None:
                drop_exemplars(memory, image.ids)
            else:
                exemplars_to_class(memory, image.ids, ids[label])
        self._require_classes(ids)
        self._relink(ids)
        settle(memory.rows)
        relabelled = [[image.path, image.class_name, label] for image, label in self._changes if label is not None]
        dropped = [[image.path, image.class_name] for image, label in self._changes if label is None]
        gone = [fix.path for fix in self._rows.gone]
        return {
            "relabelled": len(relabelled),
            "dropped": len(dropped),
            "new_classes": new,
            "emptied": self._emptied(ids),
            "gone": gone,
            "moved_from": self._rows.moved_from,
            "some_relabelled": relabelled[:SHOWN],
            "some_dropped": dropped[:SHOWN],
        } | refit(memory, one_by_one(self._steps(list(ids), vectors)), detect=detect)

    def _new_classes(self) -> list[str]:
        """Classes of labels that none has yet, made; known by their images alone."""
        known = class_ids(self._memory.connection)
        new = list(dict.fromkeys(label for _, label in self._changes if label is not None and label not in known))
        for name in new:
            check_new_name(self._memory, name, remedy="Write the label as the class is called.")
            add_class(self._memory, ClassEntry(name))
        return new

    def _steps(self, names: list[str], vectors: Sequence[Vectors]) -> list[Any]:
        """What changes for statistics: what goes first, then what comes, new classes in the order of their columns."""
        pairs = list(zip(self._changes, vectors, strict=True))
        less = [fewer_examples(names.index(image.class_name), X) for (image, _), X in pairs]
        more = sorted(((names.index(label), X) for (_, label), X in pairs if label is not None), key=lambda one: one[0])
        return [*less, *(more_examples(column, X) for column, X in more)]

    def _emptied(self, ids: Mapping[str, int]) -> list[str]:
        """Classes without an image now, which are known by their texts alone."""
        left = dict.fromkeys(image.class_name for image, _ in self._changes)
        return [name for name in left if not images_of_class(self._memory.connection, ids[name])]

    def _require_classes(self, ids: Mapping[str, int]) -> None:
        """Refuse to leave a class with nothing to know it by."""
        for name in dict.fromkeys(image.class_name for image, _ in self._changes):
            if not has_text(self._memory, ids[name]) and not images_of_class(self._memory.connection, ids[name]):
                raise InputError(
                    f"With this list nothing would tell what a '{name}' looks like: all its images go.",
                    remedy="Take the class out with 'inkling remove-class' first, or keep some of its images.",
                )

    def _relink(self, ids: Mapping[str, int]) -> None:
        """Remember where images belong, and where not; a class that keeps a copy of an image is not left by it."""
        names = {image.class_name for image, _ in self._changes} | {label for _, label in self._changes if label}
        company = {name: sorted(images_of_class(self._memory.connection, ids[name])) for name in names}
        for image, label in self._changes:
            content = image.content_hash
            if content in company[image.class_name]:
                continue
            forget_links(self._memory, content)
            if company[image.class_name]:
                part(self._memory, [content], company[image.class_name])
            others = [one for one in company.get(label or "", []) if one != content]
            if others:
                tie(self._memory, [others[0], content])
