"""What becomes of proposals: accepted, merged, split, discarded, renamed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkling import FewShotClassifier
from inkling.errors import InputError
from inkling.memory.discovered import CANNOT, MUST, Finding
from inkling.memory.pool import read_pool
from inkling.memory.proposals import write_proposals
from inkling.memory.store import read_memory
from inkling.review.decisions import Decisions
from tests.review.conftest import CLASSES, drawn, pool, put_into_pool


def _labels(path: Path, kind: str, n: int = 20) -> list[str]:
    return list(FewShotClassifier.load(path).predict_embeddings(drawn(kind, n, seed=99)))


def test_an_accepted_class_is_live_at_once(path: Path, decide: Decisions) -> None:
    before = {kind: _labels(path, kind) for kind in CLASSES}
    assert "bench" not in _labels(path, "bench")
    event = decide.accept(1, first_name=True)
    assert _labels(path, "bench").count("bench") >= 19
    assert {kind: _labels(path, kind) for kind in CLASSES} == before
    assert FewShotClassifier.load(path).memory_version == event.version
    assert event.outcome["images"] == 6
    assert event.outcome["refit"] == "anew"


def test_accepted_images_are_exemplars_with_their_pictures(path: Path, decide: Decisions) -> None:
    vectors = read_pool(path).vectors[:6]
    decide.accept(1, first_name=True)
    content = read_memory(path).content
    rows = [k for k, one in enumerate(content.exemplars) if one.class_name == "bench"]
    assert [content.exemplars[k].path for k in rows] == [f"bench/{k}.jpg" for k in range(6)]
    assert {content.exemplars[k].thumbnail for k in rows} == {b"jpeg"}
    np.testing.assert_array_equal(content.vectors[rows], vectors)
    assert {one.path.partition("/")[0] for one in read_pool(path).images} == {"plant"}


def test_what_a_person_said_is_kept(path: Path, decide: Decisions) -> None:
    decide.split(1)
    decide.accept(2, first_name=True)
    links = read_pool(path).links
    assert [link.kind for link in links].count(CANNOT) == 1
    assert [(link.first, link.second) for link in links if link.kind == MUST] == [
        ("plant-1-0", f"plant-1-{k}") for k in range(1, 6)
    ]


def test_given_names_and_likely_names(path: Path, decide: Decisions) -> None:
    decide.rename(1, "seat")
    assert decide.accept(1, first_name=True).outcome["class"] == "seat"
    assert decide.accept(2, first_name=True).outcome["class"] == "plant"
    assert decide.accept(decide_unnamed(path), first_name=True).outcome["class"] == "unnamed-3"


def decide_unnamed(path: Path) -> int:
    pool(path, "bench", seed=3)
    (proposal,) = Decisions(path).proposals()
    finding = proposal.finding
    write_proposals(path, [Finding(finding.members, 6, 0.8)])
    return proposal.id


def test_merged_numbers_lead_on(path: Path, decide: Decisions) -> None:
    pool(path, "bench", seed=4)
    first = decide.merge([1, 3]).outcome["proposal"]
    second = decide.merge([1, 2]).outcome["proposal"]
    assert (first, second) == (4, 5)
    (proposal,) = decide.proposals()
    assert len(proposal.images) == 18
    assert {one.id: one.merged_into for one in decide.proposals(state="merged")} == {1: 4, 3: 4, 2: 5, 4: 5}
    assert decide.accept(3, "things").outcome["proposal"] == 5


def test_a_split_tells_two_kinds_apart(path: Path, decide: Decisions) -> None:
    decide.merge([1, 2])
    decide.split(3)
    parts = [{image.partition("/")[0] for image in proposal.images} for proposal in decide.proposals()]
    assert parts == [{"bench"}, {"plant"}]


def test_discarded_images_are_not_proposed_again(path: Path, decide: Decisions) -> None:
    (first, _) = decide.proposals()
    decide.discard(1)
    assert {one.path.partition("/")[0] for one in read_pool(path).images} == {"plant"}
    assert write_proposals(path, [first.finding]).outcome["decided"] == 1
    assert decide.proposals() == ()
    put_into_pool(path, "bench")
    assert {one.path.partition("/")[0] for one in read_pool(path).images} == {"plant"}


def test_a_number_always_means_the_same_images(path: Path, decide: Decisions) -> None:
    bench, plant = (one.finding for one in decide.proposals())
    found = [Finding(bench.members[:5], 5, 0.7), Finding(plant.members, 6, 0.8, ({"name": "fern"},))]
    event = write_proposals(path, found)
    assert event.outcome == {"new": 1, "found_again": 1, "decided": 0, "withdrawn": [1]}
    assert {one.id: (one.likely_name, len(one.images)) for one in decide.proposals()} == {
        2: ("fern", 6),
        3: ("unnamed-3", 5),
    }
    with pytest.raises(InputError, match=r"Proposal 1 is not open any more.*proposal 3 took its place"):
        decide.accept(1, "bench")


@pytest.mark.parametrize("edit", ["rename", "merge", "split", "move"])
def test_what_a_person_changed_is_never_rewritten(path: Path, decide: Decisions, edit: str) -> None:
    before = [one.finding for one in decide.proposals()]
    if edit == "rename":
        decide.rename(1, "seat")
    elif edit == "merge":
        decide.merge([1, 2])
    elif edit == "split":
        decide.split(decide.merge([1, 2]).outcome["proposal"])
    else:
        decide.move("bench/0.jpg", 2)
    edited = [one for one in decide.proposals() if one.edited]
    assert edited
    write_proposals(path, before)
    write_proposals(path, [])
    assert [one for one in decide.proposals() if one.edited] == edited


def test_joining_adds_to_a_known_class(path: Path, decide: Decisions) -> None:
    decide.accept(1, "van", join=True)
    assert {one.name: one.images for one in decide.classes()} == {"car": 8, "truck": 8, "van": 14}


@pytest.mark.parametrize("verb", ["accept", "split", "discard"])
def test_what_is_decided_is_decided(decide: Decisions, verb: str) -> None:
    decide.discard(1)
    with pytest.raises(InputError, match=r"not open any more: it was discarded\.\nOpen proposals: 2\."):
        getattr(decide, verb)(1)


def test_a_known_class_is_not_changed_by_the_way(decide: Decisions) -> None:
    for attempt in (lambda: decide.accept(1, "van"), lambda: decide.rename(1, "van"), lambda: decide.accept(1, " ")):
        with pytest.raises(InputError):
            attempt()
    assert {one.name: one.images for one in decide.classes()} == dict.fromkeys(CLASSES, 8)
