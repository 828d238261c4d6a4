"""Images that are to make one class: none may be of another, by its label or by what the memory knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from inkling.classifier.fitted import UNLABELLED
from inkling.embeddings.samples import Samples
from inkling.errors import InputError
from inkling.memory.amend import Amendment
from inkling.memory.classes import training_views
from inkling.types import SkippedImage
from inkling.wording import excerpt

SHOWN = 5


def rows_of_class(
    name: str, paths: Sequence[str], labels: Sequence[str | None]
) -> tuple[list[int], tuple[SkippedImage, ...]]:
    """Rows that can be of a class, and the others with the reason.

    Where nothing has a label, all are. Where something has one, what has none is left out, as in a fit.

    Raises
    ------
    InputError
        If some have the label of another class.
    """
    others = Counter(label for label in labels if label not in (None, name))
    if others:
        found = ", ".join(f"{excerpt(label)} ({count})" for label, count in others.most_common(SHOWN))
        raise InputError(
            f"By their labels or folders, {others.total()} of {len(labels)} images are of other classes than '{name}': "
            f"{found}{', ...' if len(others) > SHOWN else ''}.",
            remedy=f"Give what is labelled '{name}' alone, or images without labels, such as the folder that they lie "
            "in or a list of paths; 'inkling fit --update' adds images of several classes.",
        )
    if name not in labels:
        return list(range(len(labels))), ()
    rows = [row for row, label in enumerate(labels) if label == name]
    without = (path for path, label in zip(paths, labels, strict=True) if label is None)
    return rows, tuple(SkippedImage(path, UNLABELLED) for path in without)


def without_known_images(memory: Amendment, samples: Samples) -> Samples:
    """Samples of images that no class of the memory has; the others are skipped, with the name of their class.

    Raises
    ------
    InputError
        If none is left.
    """
    known = training_views(memory.connection, set(samples.content_hashes))
    fresh = [row for row, content in enumerate(samples.content_hashes) if content not in known]
    elsewhere = {
        path: min(known[content])
        for path, content in zip(samples.paths, samples.content_hashes, strict=True)
        if content in known
    }
    if not fresh and elsewhere:
        path, name = next(iter(elsewhere.items()))
        raise InputError(
            f"Nothing is left to add: known classes have {len(known)} of these images, such as {path}, "
            f"which is of '{name}'.",
            remedy="Add the class by other images or a --prompt; then 'inkling move MEMORY IMAGE --to NAME' takes one "
            "of these to it.",
        )
    reasons = {
        path: f"the class '{name}' has it; 'inkling move' takes it elsewhere" for path, name in elsewhere.items()
    }
    return samples.keep(fresh).also_skipped([SkippedImage(path, reason) for path, reason in reasons.items()])
