"""Images as they come: one pass, resumed from the memory, with the answer that the batch gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkling.discovery import absorbed, stream
from inkling.memory.pool import read_pool
from inkling.review import observe
from inkling.review.decisions import Decisions
from inkling.review.explore import explore
from inkling.review.observe import Observer
from tests.review.cases import KNOWN, Named, fitted_memory, seen


@pytest.fixture
def path(tmp_path: Path) -> Path:
    fitted_memory(tmp_path / "a.ink")
    return tmp_path / "a.ink"


def observed(path: Path, *runs: tuple[str, ...], seed: int = 1, min_images: int = 5):
    """Each run is a process of its own, which knows what the memory holds."""
    for number, kinds in enumerate(runs):
        observer = Observer(path, Named.load(path), min_images=min_images)
        for kind in kinds:
            observer.take(seen(kind, seed=seed + number))
        found = observer.proposed()
    return found


def members(proposals) -> set[frozenset[str]]:
    return {frozenset(one.images) for one in proposals}


def test_a_stream_finds_what_the_batch_finds(path: Path, tmp_path: Path) -> None:
    found = observed(path, (*KNOWN, "bench", "lamp"))
    other = tmp_path / "b.ink"
    fitted_memory(other)
    at_once = explore(other, Named.load(other), seen(*KNOWN, "bench", "lamp"), min_images=5)
    assert members(found.proposals) == members(at_once.proposals)
    assert len(found.proposals) == 2
    assert found.n_images == 80


def test_a_stream_goes_on_where_the_memory_says(path: Path) -> None:
    found = observed(path, (*KNOWN,), ("bench", *KNOWN), ("bench", *KNOWN))
    (proposal,) = found.proposals
    assert {image.partition("-")[0] for image in proposal.images} == {"bench"}
    assert proposal.finding.size == 20
    assert proposal.likely_name == "bench"


def test_what_was_decided_is_out_of_the_stream(path: Path) -> None:
    (proposal,) = observed(path, (*KNOWN, "lamp")).proposals
    Decisions(path).accept(proposal.id, "lamp")
    assert observed(path, ("lamp", *KNOWN), seed=7).proposals == ()


def test_an_image_that_a_person_spoke_of_has_its_vector_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absorbed, "HELD", 6)
    observed(path, (*KNOWN, "bench", "lamp"))
    observer = Observer(path, Named.load(path), min_images=5)
    it = observer._stream
    without = it.absorbed[:2].tolist()
    pair = tuple(it.kept.tolist().index(number) for number in without)
    monkeypatch.setattr(observe, "linked_rows", lambda *_: {"must_link": [], "cannot_link": [pair]})
    proposals = observer.proposed().proposals
    names = [it.contents[at] for at in pair]
    held = {image.content_hash: image.path for image in read_pool(path).images}
    assert len(without) == 2
    assert set(it.absorbed).isdisjoint(without)
    assert not any({held[name] for name in names} <= set(one.images) for one in proposals)


def test_what_the_stream_let_go_is_not_taken_for_an_image_of_others(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PATIENCE", 20)
    monkeypatch.setattr(stream, "CONSOLIDATE_EVERY", 10)
    observer = Observer(path, Named.load(path), min_images=5)
    for seed in range(4):
        for kind in KNOWN:
            observer.take(seen(kind, seed=seed))
    found = observer.proposed()
    assert len(observer._stream.kept) < found.n_candidates
    assert observer._stream.seen == found.n_images


def test_nothing_seen_is_nothing_found(path: Path) -> None:
    assert observed(path, ()).proposals == ()


def test_a_later_run_may_ask_for_more_images(path: Path) -> None:
    assert len(observed(path, (*KNOWN, "bench")).proposals) == 1
    assert observed(path, ("ant",), seed=9, min_images=15).proposals == ()
    assert len(observed(path, ("bench",), seed=10, min_images=15).proposals) == 1
