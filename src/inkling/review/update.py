"""Labelled images added to what a memory knows: new classes are added, and known ones extended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inkling.classifier.indistinct import texts_left_out
from inkling.embeddings.samples import Samples
from inkling.errors import InputError
from inkling.memory.amend import Amendment
from inkling.memory.classes import add_class, add_exemplars, class_ids, training_views
from inkling.memory.settle import settle
from inkling.review.class_changes import exemplars_of
from inkling.review.groups import remember_groups, remember_views
from inkling.review.lookup import check_new_name
from inkling.review.new_class import Prepared
from inkling.review.refit import DetectorFitter, more_examples, one_by_one, refit

SHOWN = 20
"""Images under another label that the log names."""


def update(memory: Amendment, prepared: Prepared, *, detect: DetectorFitter | None) -> Mapping[str, Any]:
    """Add what was prepared. An image that is known stays where it is, whatever label it has now."""
    prepared.require_space_of(memory)
    before = set(class_ids(memory.connection))
    for entry in prepared.entries:
        if entry.name not in before:
            check_new_name(memory, entry.name)
            add_class(memory, entry)
    columns = {name: column for column, name in enumerate(class_ids(memory.connection))}
    samples = prepared.samples
    assert samples is not None, "what is added to a memory has images"
    labels = [str(label) for label in samples.labels]
    _require_known(labels, columns)
    fresh, elsewhere = _sorted_out(memory, samples, labels)
    added = {name: [row for row in fresh if labels[row] == name] for name in columns}
    for name, rows in added.items():
        part = samples.keep(rows)
        add_exemplars(memory, class_ids(memory.connection)[name], exemplars_of(part, [name] * len(rows)), part.X)
    outcome: dict[str, Any] = {
        "images": len({samples.content_hashes[row] for row in fresh}),
        "known_already": len(set(samples.content_hashes) - {samples.content_hashes[row] for row in fresh}),
        "new_classes": [name for name in columns if name not in before],
        "extended": [name for name, rows in added.items() if rows and name in before],
        "texts": texts_left_out(prepared.entries),
        "under_another_label": [[path, name] for path, name in elsewhere.items()][:SHOWN],
    }
    if not memory.rows.changes:
        return outcome
    settle(memory.rows)
    remember_groups(memory, samples)
    remember_views(memory, samples)
    steps = [
        more_examples(columns[name], samples.X[rows]) for name, rows in added.items() if rows or name not in before
    ]
    return outcome | refit(memory, one_by_one(steps), detect=detect)


def _require_known(labels: list[str], columns: Mapping[str, int]) -> None:
    missing = sorted(set(labels) - columns.keys())
    if missing:
        raise InputError(
            f"The class '{missing[0]}' was taken out or renamed while its images were embedded.",
            remedy="Run it again: what was embedded is in the cache.",
        )


def _sorted_out(memory: Amendment, samples: Samples, labels: list[str]) -> tuple[list[int], dict[str, str]]:
    """Rows that the memory was not trained on yet, and paths of images that are known under another label."""
    known = training_views(memory.connection, set(samples.content_hashes))
    fresh: list[int] = []
    elsewhere: dict[str, str] = {}
    for row, (content, view) in enumerate(zip(samples.content_hashes, samples.views, strict=True)):
        of = known.get(content)
        if of is None or (of.keys() == {labels[row]} and view not in of[labels[row]]):
            fresh.append(row)
        elif labels[row] not in of:
            elsewhere[samples.paths[row]] = min(of)
    return fresh, elsewhere
