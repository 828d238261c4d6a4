"""From unlabelled images to proposals in the memory, all at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkling.classifier.few_shot import FewShotClassifier
from inkling.discovery.p_values import PValues
from inkling.errors import InputError
from inkling.memory.pool import read_pool
from inkling.memory.proposals import list_proposals
from inkling.review import explore as under_test
from inkling.review.decisions import Decisions
from inkling.review.explore import explore
from inkling.review.observe import Observer
from tests.review.cases import DIMS, KNOWN, Named, centre, fitted_memory, seen, vectors


@pytest.fixture
def path(tmp_path: Path) -> Path:
    fitted_memory(tmp_path / "a.ink")
    return tmp_path / "a.ink"


def explored(path: Path, *kinds: str, seed: int = 1, min_images: int = 5):
    samples = seen(*kinds, seed=seed) if kinds else None
    return explore(path, Named.load(path), samples, min_images=min_images)


def kinds_of(images: tuple[str, ...]) -> set[str]:
    return {image.partition("-")[0] for image in images}


def test_new_kinds_become_proposals_with_names(path: Path) -> None:
    found = explored(path, *KNOWN, "bench", "lamp")
    assert {frozenset(kinds_of(one.images)) for one in found.proposals} == {frozenset({"bench"}), frozenset({"lamp"})}
    bench = next(one for one in found.proposals if kinds_of(one.images) == {"bench"})
    assert bench.likely_name == "bench"
    assert bench.finding.size == 10
    assert bench.finding.stability >= 0.7
    assert bench.finding.nearest_class in KNOWN
    assert found.proposals == list_proposals(path)
    assert not found.drift.found


def test_known_kinds_alone_propose_nothing(path: Path) -> None:
    found = explored(path, *KNOWN)
    assert found.proposals == ()
    assert found.n_images == 60
    assert found.n_candidates == len(found.waiting) < 60


def test_a_class_of_text_alone_is_known_without_standing_in_the_way(tmp_path: Path) -> None:
    """Its images are proposed, since none of it is known; it is no nearest class, and its number leaves no gap."""
    path = tmp_path / "text.ink"
    kinds = (*KNOWN[:3], "cow", *KNOWN[3:])
    X = np.concatenate([vectors(kind, 12, seed=0) for kind in KNOWN])
    texts = np.stack([centre(kind) if kind in KNOWN else np.ones(DIMS) for kind in kinds])
    classifier = FewShotClassifier("none").fit_embeddings(
        X, [kind for kind in KNOWN for _ in range(12)], text_vectors=texts, class_names=kinds
    )
    classifier.save(path)
    assert classifier.classes_.tolist() == sorted(kinds)
    found = explored(path, *KNOWN, "bench")
    assert [kinds_of(one.images) for one in found.proposals] == [{"bench"}]
    assert found.proposals[0].finding.nearest_class in KNOWN
    Decisions(path).accept(found.proposals[0].id, first_name=True)
    again = explored(path, "lamp", seed=3)
    assert [kinds_of(one.images) for one in again.proposals] == [{"lamp"}]


def test_what_waited_counts_with_what_comes(path: Path) -> None:
    few = explored(path, *KNOWN, "lamp", min_images=15)
    assert few.proposals == ()
    more = explored(path, *KNOWN, "lamp", seed=2, min_images=15)
    assert [one.finding.size for one in more.proposals] == [20]


def test_without_images_the_pool_is_sorted_anew(path: Path) -> None:
    first = explored(path, *KNOWN, "bench")
    again = explored(path)
    assert again.n_images == 0
    assert [(one.id, set(one.images)) for one in again.proposals] == [
        (one.id, set(one.images)) for one in first.proposals
    ]


def test_sorting_anew_knows_of_what_was_looked_at_and_not_kept(path: Path) -> None:
    classifier = Named.load(path)
    observer = Observer(path, classifier, min_images=5)
    observer.take(seen(*KNOWN, "bench"))
    (first,) = observer.proposed().proposals
    pool = read_pool(path)
    assert pool.stream is not None
    asked: list[PValues | None] = []
    real = under_test.discover
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(under_test, "discover", lambda *a, **more: (asked.append(more["seen"]), real(*a, **more))[1])
        (again,) = explore(path, classifier, None, min_images=5).proposals
        explore(path, classifier, seen("lamp"), min_images=5)
    assert set(again.images) >= set(first.images)
    counted, uncounted = asked
    assert counted is not None
    assert counted.total == 10 * (len(KNOWN) + 1)
    assert uncounted is None  # here those that are not kept are at hand


def test_images_that_were_decided_count_no_longer(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    observer = Observer(path, Named.load(path), min_images=5)
    observer.take(seen(*KNOWN, "bench", "lamp"))
    observer.proposed()
    first = list_proposals(path)[0]
    Decisions(path).accept(first.id, first_name=True)
    asked: list[PValues | None] = []
    real = under_test.discover
    monkeypatch.setattr(under_test, "discover", lambda *a, **more: (asked.append(more["seen"]), real(*a, **more))[1])
    explored(path)
    (counted,) = asked
    assert counted is not None
    assert counted.total == 10 * (len(KNOWN) + 2) - first.finding.size


def test_where_most_of_what_waits_came_otherwise_no_stream_speaks_for_it(path: Path) -> None:
    observer = Observer(path, Named.load(path), min_images=5)
    observer.take(seen("lamp", n=2))
    observer.proposed()
    explored(path, *KNOWN, "bench")
    assert len(explored(path).proposals) == 1


def test_an_accepted_class_is_known_from_then_on(path: Path) -> None:
    (proposal,) = explored(path, *KNOWN, "bench").proposals
    Decisions(path).accept(proposal.id, first_name=True)
    classifier = FewShotClassifier.load(path)
    assert "bench" in classifier.classes_
    verdicts = classifier.judge(seen("bench", seed=5))
    assert [one.label for one in verdicts] == ["bench"] * 10
    assert sum(bool(one.unknown) for one in verdicts) <= 3
    assert explored(path, *KNOWN, "bench", seed=6).proposals == ()


def test_discarded_images_are_not_proposed_again(path: Path) -> None:
    (proposal,) = explored(path, *KNOWN, "lamp").proposals
    Decisions(path).discard(proposal.id)
    assert explored(path, *KNOWN, "lamp").proposals == ()


def test_a_memory_that_tells_no_unknowns_is_refused(tmp_path: Path) -> None:
    fitted_memory(tmp_path / "small.ink", shots=2)
    with pytest.raises(InputError, match="can't tell what is new"):
        explored(tmp_path / "small.ink", "bench")
    assert len(read_pool(tmp_path / "small.ink").ids) == 0
