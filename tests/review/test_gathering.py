"""Images that a person chose become a class: all at once, and taken back to the last bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkling.errors import ConflictError, InklingError, InputError
from inkling.memory.discovered import CANNOT, MUST
from inkling.memory.pool import read_pool
from inkling.memory.verify import verify
from inkling.review.signed import SignedDecisions
from tests.review.conftest import held


@pytest.fixture
def decide(path: Path) -> SignedDecisions:
    return SignedDecisions(path, by="somebody")


def test_of_two_proposals_and_of_none(decide: SignedDecisions, path: Path) -> None:
    first, second = (one.images for one in decide.proposals())
    decide.move(first[0], None)
    event = decide.gather([first[0], first[1], second[0], second[1], first[0]], "mixed")
    assert event.verb == "add-class"
    assert (event.arguments["by"], event.arguments["images"], event.outcome["images"]) == ("somebody", 4, 4)
    assert {one.name: one.images for one in decide.classes()}["mixed"] == 4
    assert [len(one.images) for one in decide.proposals()] == [len(first) - 2, len(second) - 2]
    verify(path)


def test_what_belongs_together_is_remembered(decide: SignedDecisions, path: Path) -> None:
    first = decide.proposals()[0].images
    decide.gather(first[:2], "two")
    kinds = [one.kind for one in read_pool(path).links]
    assert sorted(kinds) == sorted([MUST, CANNOT])


def test_the_last_of_a_proposal_withdraws_it(decide: SignedDecisions) -> None:
    first, second = decide.proposals()
    decide.gather(first.images, "bench")
    assert [one.id for one in decide.proposals()] == [second.id]


def test_taken_back_to_the_last_bit(decide: SignedDecisions, path: Path) -> None:
    before = held(path)
    decide.gather(decide.proposals()[0].images[:3], "three")
    assert held(path) != before
    decide.undo()
    assert held(path) == before


def test_refused(decide: SignedDecisions, path: Path) -> None:
    image = decide.proposals()[0].images[0]
    before = held(path)
    with pytest.raises(InputError, match="No image was chosen"):
        decide.gather([], "new")
    with pytest.raises(InputError, match="car"):
        decide.gather([image], "car")
    with pytest.raises(InklingError, match="no image 'nowhere-to-be-seen'"):
        decide.gather([image, "nowhere-to-be-seen"], "new")
    assert held(path) == before
    decide.gather([image], "new")
    with pytest.raises(ConflictError, match="is of the class 'new' already"):
        decide.gather([image], "newer")
    assert [one.name for one in decide.classes()] == ["car", "new", "truck", "van"]
