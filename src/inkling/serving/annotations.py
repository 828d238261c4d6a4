"""Annotations made in Label Studio, learned from as they come: each is one decision, which can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inkling.images.decode import read
from inkling.images.files import Files
from inkling.memory.classes import class_ids
from inkling.memory.moves import ImagePlace, images_named, place_of_image
from inkling.memory.opened import seeing
from inkling.payloads import event_payload
from inkling.serving.choices import UNKNOWN, chosen_by, read_interface
from inkling.serving.label_studio import Event
from inkling.serving.service import Service
from inkling.types import ImageRecord

LEARNED_FROM = frozenset({"ANNOTATION_CREATED", "ANNOTATION_UPDATED"})
_IGNORED = "ignored"


@dataclass(frozen=True)
class Annotated:
    """A task with the class that somebody chose for its picture.

    Attributes
    ----------
    key
        Where the data have the picture.
    """

    label: str
    key: str
    data: Mapping[str, Any]


def read_annotation(event: Event) -> Annotated | str:
    """What is learned from an event, or why nothing is.

    Raises
    ------
    InterfaceError
        If its project does not ask for the class of a picture.
    """
    if event.action not in LEARNED_FROM:
        return "Only annotations that are created or updated are learned from; the history takes back what was learned."
    project = event.project if isinstance(event.project, dict) else {}
    data = (event.task or {}).get("data")
    if event.annotation is None or not isinstance(data, dict) or not isinstance(project.get("label_config"), str):
        return "The event lacks the annotation, its task or its project: have the webhook send its payload."
    interface = read_interface(project["label_config"])
    chosen = chosen_by(event.annotation, interface)
    if len(chosen) != 1:
        return f"{len(chosen)} classes were chosen; one is learned from."
    if chosen[0] == UNKNOWN:
        return "'unknown' is what pictures of no known class are called, and no class."
    return Annotated(chosen[0], interface.key, data)


def learn(service: Service, record: ImageRecord, label: str, *, by: str) -> dict[str, Any]:
    """Have the memory know a picture by the class that was chosen for it, as one decision.

    A picture that it knows by another class, or that waits for a decision, is moved.

    Raises
    ------
    InklingError
        If it cannot be learned from. Then nothing has changed.
    """
    found, _ = service.readable([record])
    if service.begins and service.beginning is not None:
        service.beginning.add(label, found, (), encoder=service.encoder)
        return {"status": "learned", "class": label, "event": None}
    with Files() as files:
        content = read(record, files).content_hash
    place, known = _place(service.memory, content)
    classes = [] if place is None else [*place.classes.values()]
    if label in classes:
        return ignored(f"The memory knows this picture as '{label}' already.")
    decide = service.decisions(by=by)
    if place is not None and label in known:
        event = decide.move(content, label)
    elif classes:
        return ignored(f"The memory knows this picture as '{classes[0]}', and has no class '{label}' to move it to.")
    else:
        updated = decide.update(found, [label], embedder=service.embedder())
        if updated is None:
            return ignored("The memory knows this picture already.")
        event = updated
    return {"status": "learned", "class": label, **event_payload(event)}


def ignored(reason: str) -> dict[str, Any]:
    """The answer where nothing is learned."""
    return {"status": _IGNORED, "reason": reason}


def _place(memory: str, content: str) -> tuple[ImagePlace | None, set[str]]:
    """Where the memory has a picture, if it does, and the names of all classes."""
    with seeing(memory) as connection:
        path = images_named(connection, content).get(content)
        place = None if path is None else place_of_image(connection, content, path)
        return place, set(class_ids(connection))
