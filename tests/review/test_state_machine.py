"""Any sequence of verbs keeps the memory sound, and is taken back to the first state, bit by bit."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from inkling import FewShotClassifier
from inkling.embeddings.samples import Samples, given_samples
from inkling.errors import InputError
from inkling.memory.discovered import WAITING
from inkling.memory.events import undoable_events
from inkling.memory.opened import seeing
from inkling.memory.pool import read_waiting
from inkling.memory.verify import verify
from inkling.review.decisions import Decisions
from inkling.review.explore import explore
from inkling.review.new_class import Prepared
from inkling.review.observe import Observer
from inkling.types import ClassEntry
from tests.review.conftest import held

DIMS = 7
KNOWN = ("ant", "bee", "cat", "dog")
NEW = ("lamp", "mug")
KINDS = (*KNOWN, *NEW)
MIN_IMAGES = 3
kinds = st.sampled_from(KINDS)
picks = st.integers(0, 7)


def vectors(kind: str, number: int) -> np.ndarray:
    """One vector of a kind, always the same for the same number; every fourth is all but that of its neighbour."""
    at = KINDS.index(kind)
    rng = np.random.default_rng([at, number - number % 4 // 3])
    return np.asarray(4.0 * np.eye(DIMS)[at] + rng.standard_normal(DIMS))


def images(kind: str, first: int, n: int) -> Samples:
    """Images of a kind, by number."""
    X = np.stack([vectors(kind, number) for number in range(first, first + n)])
    made = given_samples(X, [kind] * n, logit_scale=20.0)
    names = tuple(f"{kind}/{number}" for number in range(first, first + n))
    return Samples(made.identity, names, made.labels, names, made.thumbnails, made.views, made.X)


def several(*parts: Samples) -> Samples:
    """Images of several kinds."""
    joined: dict[str, Any] = {
        name: tuple(value for part in parts for value in getattr(part, name))
        for name in ("paths", "labels", "content_hashes", "thumbnails", "views")
    }
    return Samples(parts[0].identity, X=np.concatenate([part.X for part in parts]), **joined)


@pytest.fixture(scope="module", autouse=True)
def _first(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The memory that every sequence begins with."""
    Machine.first = tmp_path_factory.mktemp("machine") / "first.ink"
    trained = several(*(images(kind, 1000, 8) for kind in KNOWN))
    entries = [ClassEntry(kind, text_vector=np.float32(np.eye(DIMS)[KINDS.index(kind)])) for kind in KNOWN]
    FewShotClassifier("none", head="prototype").learn(trained, entries).save(Machine.first)


class Machine(RuleBasedStateMachine):
    """Verbs on one memory."""

    first: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "m.ink"
        shutil.copy(self.first, self.path)
        self.decide = Decisions(self.path)
        self.ids: set[int] = set()
        self.meaning: dict[int, frozenset[str]] = {}

    def teardown(self) -> None:
        """Everything is taken back, to the first state."""
        start = held(self.first)
        for _ in self.decide.history():
            if self._undoable():
                self.decide.undo()
        assert _counted(held(self.path)) == _counted(start)
        verify(self.path)
        self.folder.cleanup()

    def _undoable(self) -> bool:
        with seeing(self.path) as connection:
            return bool(undoable_events(connection))

    def _try(self, verb: Any, *arguments: Any, **options: Any) -> None:
        """Do it; what is refused changes nothing."""
        before = self.decide.history()[-1].id
        try:
            verb(*arguments, **options)
        except InputError:
            assert self.decide.history()[-1].id == before

    def _proposal(self, pick: int) -> int:
        open_ones = [one.id for one in self.decide.proposals()]
        return open_ones[pick % len(open_ones)] if open_ones else 1

    def _class(self, pick: int) -> str:
        names = [one.name for one in self.decide.classes()]
        return names[pick % len(names)]

    def _image(self, pick: int) -> str:
        with seeing(self.path) as connection:
            rows = connection.exec_driver_sql("SELECT content_hash FROM pooled UNION SELECT content_hash FROM exemplar")
            every = sorted(row[0] for row in rows)
        return every[pick * 7 % len(every)]

    @initialize()
    def something_unknown(self) -> None:
        """Two new kinds wait, and are proposed."""
        self.discover([("lamp", 0), ("mug", 0)])

    @rule(parts=st.lists(st.tuples(kinds, st.integers(0, 3)), min_size=1, max_size=3))
    def discover(self, parts: list[tuple[str, int]]) -> None:
        """With images."""
        samples = several(*(images(kind, 6 * first, 6) for kind, first in parts))
        self._try(explore, self.path, FewShotClassifier.load(self.path), samples, min_images=MIN_IMAGES)

    @rule()
    def sort_anew(self) -> None:
        """Discover without images."""
        self._try(explore, self.path, FewShotClassifier.load(self.path), None, min_images=MIN_IMAGES)

    @rule(parts=st.lists(st.tuples(kinds, st.integers(0, 3)), min_size=1, max_size=3))
    def observe(self, parts: list[tuple[str, int]]) -> None:
        """The same picture may come twice."""
        if FewShotClassifier.load(self.path).fitted.detector is None:
            return
        observer = Observer(self.path, FewShotClassifier.load(self.path), min_images=MIN_IMAGES)
        for kind, first in parts:
            observer.take(images(kind, 6 * first, 7))
        observer.proposed()

    @rule(pick=picks, join=st.booleans(), into=picks)
    def accept(self, pick: int, join: bool, into: int) -> None:
        """Make a proposal a class, or part of one."""
        name = self._class(into) if join else f"kind {pick}"
        self._try(self.decide.accept, self._proposal(pick), name, join=join)

    @rule(first=picks, second=picks)
    def merge(self, first: int, second: int) -> None:
        """Merge two proposals."""
        self._try(self.decide.merge, [self._proposal(first), self._proposal(second)])

    @rule(pick=picks)
    def split(self, pick: int) -> None:
        """Split a proposal."""
        self._try(self.decide.split, self._proposal(pick))

    @rule(pick=picks)
    def discard(self, pick: int) -> None:
        """Discard a proposal."""
        self._try(self.decide.discard, self._proposal(pick))

    @rule(pick=picks, of_class=st.booleans())
    def rename(self, pick: int, of_class: bool) -> None:
        """Rename a class or a proposal."""
        self._try(self.decide.rename, self._class(pick) if of_class else self._proposal(pick), f"name {pick}")

    @rule(pick=picks, to=picks, where=st.sampled_from(["class", "proposal", "nowhere"]))
    def move(self, pick: int, to: int, where: str) -> None:
        """Move an image."""
        target = {"class": self._class(to), "proposal": self._proposal(to), "nowhere": None}[where]
        before = self._image(pick)
        self._try(self.decide.move, before, target)
        self._note_meaning()

    @rule(kind=kinds, first=st.integers(0, 3), text=st.booleans())
    def add_class(self, kind: str, first: int, text: bool) -> None:
        """Add a class by images that may wait in the pool, or by text alone."""
        samples = None if text else images(kind, 6 * first, 3)
        vector = np.float32(np.eye(DIMS)[KINDS.index(kind)]) if text else None
        identity = images(kind, 0, 1).identity
        self._update(Prepared(identity, (ClassEntry(f"new {kind}", text_vector=vector),), samples))

    def _update(self, prepared: Prepared) -> None:
        class Ready:
            def new_class(self, *_: Any, **__: Any) -> Prepared:
                return prepared

        self._try(self.decide.add_class, prepared.entries[0].name, embedder=Ready())

    @rule(kind=kinds, first=st.integers(0, 3))
    def update(self, kind: str, first: int) -> None:
        """What fit --update does."""
        samples = images(kind, 6 * first + 2, 3)
        known = {one.name for one in self.decide.classes()}
        new = () if kind in known else (ClassEntry(kind),)
        self._try(self.decide.update_prepared, Prepared(samples.identity, new, samples))

    @rule(pick=picks)
    def remove_class(self, pick: int) -> None:
        """Take out a class."""
        self._try(self.decide.remove_class, self._class(pick))

    @rule()
    def refit(self) -> None:
        """Fit anew."""
        self._try(self.decide.refit)

    @rule()
    def undo(self) -> None:
        """Take back."""
        self._try(self.decide.undo)
        self._note_meaning()

    @invariant()
    def no_image_is_in_two_places(self) -> None:
        """In two open proposals, or in one and in a class."""
        pool, proposals, _ = read_waiting(self.path)
        members = [number for one in proposals for number in one.finding.members]
        assert not [number for number, n in Counter(members).items() if n > 1]
        assert set(members) <= set(pool.ids.tolist())
        with seeing(self.path) as connection:
            rows = connection.exec_driver_sql("SELECT content_hash, state FROM pooled").all()
            trained = {row[0] for row in connection.exec_driver_sql("SELECT content_hash FROM exemplar")}
        assert {content for content, state in rows if state == "accepted"} == {content for content, _ in rows} & trained
        assert len(pool.ids) == sum(state == WAITING for _, state in rows)

    @invariant()
    def one_number_is_one_thing(self) -> None:
        """A proposal has the size of its pictures, and its number means the images that it meant."""
        for one in self.decide.proposals():
            assert one.finding.size == len(set(one.finding.picture_of))
            assert len(one.images) == len(one.finding.members) > 0
        for one in self.decide.proposals():
            mine = frozenset(one.images)
            assert mine <= self.meaning.get(one.id, mine), "images came to a number without a person's doing"
            self.meaning[one.id] = mine
        ids = {one.id for one in self.decide.proposals(state=None)}
        new = ids - self.ids
        assert not self.ids or all(number > max(self.ids) for number in new), "a number was given twice"
        self.ids |= ids

    def _note_meaning(self) -> None:
        """A person gave an image to a proposal, or took one back."""
        self.meaning |= {one.id: frozenset(one.images) for one in self.decide.proposals()}

    @invariant()
    def the_log_agrees(self) -> None:
        """`verify` finds nothing."""
        verify(self.path)


def _counted(rows: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """What is compared: a stream is derived, and not taken back."""
    return {table: values for table, values in rows.items() if table != "stream"}


Machine.TestCase.settings = settings(
    max_examples=int(os.environ.get("INKLING_SEQUENCES", "3")),
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Shrinking would take longer than reading a sequence of fourteen verbs.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


@pytest.mark.slow
class TestAnySequence(Machine.TestCase):
    """Run by hypothesis."""
