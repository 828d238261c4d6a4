"""Images that wait, made a new class by a person's choice, within a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inkling.classifier.indistinct import texts_left_out
from inkling.errors import ConflictError
from inkling.memory.amend import Amendment
from inkling.memory.classes import add_class, add_exemplars, class_ids
from inkling.memory.links import forget_links, part, tie
from inkling.memory.moves import ImagePlace, hashes_of, out_of_proposal
from inkling.memory.pool import Member
from inkling.memory.settle import settle
from inkling.review.lookup import check_new_name, open_proposal
from inkling.review.move import found_place, waiting_again
from inkling.review.new_class import Prepared
from inkling.review.proposal_changes import exemplar_of
from inkling.review.refit import DetectorFitter, more_examples, refit


def gather(
    memory: Amendment, images: Sequence[str], prepared: Prepared, *, detect: DetectorFitter | None
) -> dict[str, Any]:
    """Make a class of images that wait, whether they are in a proposal, in several, or in none."""
    prepared.require_space_of(memory)
    (entry,) = prepared.entries
    check_new_name(memory, entry.name)
    places = [found_place(memory, one) for one in dict.fromkeys(images)]
    members = [_waiting(memory, one) for one in places]
    _relink(memory, places)
    class_id = add_class(memory, entry)
    vectors = members[0].stacked(members)
    add_exemplars(memory, class_id, [exemplar_of(one, entry.name) for one in members], vectors)
    settle(memory.rows)
    column = list(class_ids(memory.connection)).index(entry.name)
    told = refit(memory, more_examples(column, vectors), detect=detect)
    about = {"class": entry.name, "images": len(members), "has_text": entry.text_vector is not None}
    return about | {"texts": texts_left_out(prepared.entries)} | told


def _waiting(memory: Amendment, place: ImagePlace) -> Member:
    """An image that is in no class, with its vector."""
    if place.classes:
        raise ConflictError(
            f"The image {place.path} is of the class '{next(iter(place.classes.values()))}' already.",
            remedy="Nothing was changed. Leave it out, or move it there once the class is made.",
        )
    return waiting_again(memory, place)


def _relink(memory: Amendment, places: Sequence[ImagePlace]) -> None:
    """Remember that the images belong together, and not to those whose proposals they leave."""
    chosen = [one.content_hash for one in places]
    for content in chosen:
        forget_links(memory, content)
    for number in sorted({one.proposal for one in places if one.proposal is not None}):
        rest = sorted({*hashes_of(memory.connection, open_proposal(memory, number).finding.members)} - {*chosen})
        if rest:
            part(memory, chosen, rest)
    tie(memory, chosen)
    for one in places:
        if one.proposal is not None and one.pooled is not None:
            out_of_proposal(memory, one.proposal, one.pooled)
