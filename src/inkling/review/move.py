"""One image moved, within a transaction: to another class or proposal, or to neither."""

from __future__ import annotations

from typing import Any

from inkling.errors import ConflictError, InputError, MissingError
from inkling.memory.amend import Amendment
from inkling.memory.classes import add_exemplars, class_ids, images_of_class
from inkling.memory.discovered import WAITING, Proposal
from inkling.memory.links import forget_links, part, tie
from inkling.memory.moves import (
    ImagePlace,
    has_text,
    hashes_of,
    images_named,
    into_pool,
    into_proposal,
    out_of_classes,
    out_of_proposal,
    place_of_image,
    to_class,
    training_vectors,
)
from inkling.memory.pool import Member, set_state, waiting_members
from inkling.memory.settle import settle
from inkling.review.lookup import known_class, open_proposal
from inkling.review.proposal_changes import exemplar_of
from inkling.review.refit import DetectorFitter, Step, fewer_examples, more_examples, one_by_one, refit

SHOWN = 5


def move(memory: Amendment, image: str, to: str | int | None, *, detect: DetectorFitter | None) -> dict[str, Any]:
    """Move one image to a class (by name), to an open proposal (by number), or to neither."""
    place = found_place(memory, image)
    _require_elsewhere(place, to)
    target = open_proposal(memory, to) if isinstance(to, int) else None
    class_id = known_class(memory, to) if isinstance(to, str) else None
    columns = {number: column for column, number in enumerate(class_ids(memory.connection).values())}
    steps = [
        fewer_examples(columns[number], training_vectors(memory, number, place.content_hash))
        for number in place.classes
    ]
    _relink(memory, place, target, class_id)
    if place.proposal is not None and place.pooled is not None:
        out_of_proposal(memory, place.proposal, place.pooled)
    if class_id is not None:
        steps += _into_class(memory, place, class_id, columns[class_id])
    elif target is not None:
        into_proposal(memory, target.id, into_pool(memory, place))
    if class_id is None:
        out_of_classes(memory, place)
    settle(memory.rows)
    _require_classes(memory, place)
    told = {"image": place.path, "from": _names(place), "to": target.id if target else to}
    return told | (refit(memory, one_by_one(steps), detect=detect) if steps else {})


def found_place(memory: Amendment, image: str) -> ImagePlace:
    """Where the image of a name is.

    Raises
    ------
    InputError
        If there is none of that name, or there are several.
    """
    found = images_named(memory.connection, image)
    if not found:
        raise MissingError(
            f"The memory has no image '{image}'.",
            remedy="Name its path as 'inkling proposals --json -' has it, the end of that path, or its content hash.",
        )
    if len(found) > 1:
        some = ", ".join(sorted(found.values())[:SHOWN])
        raise InputError(f"'{image}' may be {len(found)} images: {some}.", remedy="Name more of the path.")
    ((content, path),) = found.items()
    return place_of_image(memory.connection, content, path)


def _names(place: ImagePlace) -> list[str | int]:
    """Where the image is: names of classes, or the number of a proposal."""
    return [*place.classes.values()] or ([] if place.proposal is None else [place.proposal])


def _require_elsewhere(place: ImagePlace, to: str | int | None) -> None:
    now = _names(place)
    if (to is None and not now) or now == [to]:
        where = "no class and no proposal" if to is None else f"{'proposal' if isinstance(to, int) else 'class'} {to!r}"
        raise ConflictError(f"The image {place.path} is in {where} already.", remedy="Nothing was changed.")


def _into_class(memory: Amendment, place: ImagePlace, class_id: int, column: int) -> list[Step]:
    """Make the image a training image of a class."""
    if place.classes:
        to_class(memory, place, class_id)
        return [more_examples(column, training_vectors(memory, class_id, place.content_hash))]
    member = waiting_again(memory, place)
    name = next(name for name, number in class_ids(memory.connection).items() if number == class_id)
    vectors = member.stacked([member])
    add_exemplars(memory, class_id, [exemplar_of(member, name)], vectors)
    return [more_examples(column, vectors)]


def waiting_again(memory: Amendment, place: ImagePlace) -> Member:
    """An image that is in no class, with its vector; what was discarded waits again.

    Raises
    ------
    InputError
        If it has no vector of the memory's encoder.
    """
    assert place.pooled is not None, "an image that is in no class is pooled"
    set_state(memory, [place.pooled], WAITING)
    members = waiting_members(memory, [place.pooled])
    if not members:
        raise InputError(
            f"The image {place.path} has no vector of the memory's encoder.",
            remedy="Nothing was changed. Run 'inkling discover' on it, or add it with 'inkling fit --update'.",
        )
    return members[0]


def _relink(memory: Amendment, place: ImagePlace, target: Proposal | None, class_id: int | None) -> None:
    """Remember where the image belongs, and where not. Its earlier constraints are dropped."""
    forget_links(memory, place.content_hash)
    for number in place.classes:
        _apart(memory, place, images_of_class(memory.connection, number))
    if place.proposal is not None:
        _apart(memory, place, hashes_of(memory.connection, open_proposal(memory, place.proposal).finding.members))
    company = hashes_of(memory.connection, target.finding.members) if target else []
    if class_id is not None:
        company = images_of_class(memory.connection, class_id)
    others = sorted(set(company) - {place.content_hash})
    if others:
        tie(memory, [others[0], place.content_hash])


def _apart(memory: Amendment, place: ImagePlace, group: list[str]) -> None:
    others = sorted(set(group) - {place.content_hash})
    if others:
        part(memory, [place.content_hash], others)


def _require_classes(memory: Amendment, place: ImagePlace) -> None:
    """Refuse to leave a class with nothing to know it by."""
    for number, name in place.classes.items():
        if not has_text(memory, number) and not images_of_class(memory.connection, number):
            raise InputError(
                f"The image {place.path} is the last that tells what a '{name}' looks like.",
                remedy="Take the class out with 'inkling remove-class', or add other images to it first.",
            )
