"""The door: a memory, and all that a person can decide about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inkling.classifier.refit_detector import refit_detector
from inkling.discovery.two_means import two_means
from inkling.embeddings.embed import Progress
from inkling.labels import require_class_name
from inkling.memory.amend import Amendment, amend, undo
from inkling.memory.classes import KnownClass, list_classes
from inkling.memory.discovered import OPEN, Proposal
from inkling.memory.events import Event, list_events
from inkling.memory.proposals import list_proposals
from inkling.review import class_changes, proposal_changes
from inkling.review.lookup import open_number
from inkling.review.new_class import Newcomer
from inkling.review.refit import DetectorFitter, fit_anew
from inkling.types import ClassEntry


class Decisions:
    """Decide about the proposals and classes of a memory.

    Each decision is one transaction: it is live at once, whole or not at all, and `undo` takes it back to the last
    bit. It reads what it needs within its transaction, so two people who decide at the same time lose nothing.

    Parameters
    ----------
    path
        The memory.
    detect
        Teaches the detector of unknown images again when classes change. None: with its rate and weights, calibrated
        anew.
    words
        Puts the name of an accepted class into words, as `Newcomer.in_words` does; without, its images alone count.
    split
        Says of each vector of a proposal which of two parts it belongs to; None goes by k-means.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        detect: DetectorFitter | None = None,
        words: Callable[[str], ClassEntry] | None = None,
        split: proposal_changes.Splitter | None = None,
    ) -> None:
        self.path = path
        self._detect = detect or refit_detector
        self._words = words
        self._split = split or two_means

    def proposals(self, *, state: str | None = OPEN) -> tuple[Proposal, ...]:
        """Proposals that wait for a decision, or those in another state; None for all that there ever were."""
        return list_proposals(self.path, state=state)

    def classes(self) -> tuple[KnownClass, ...]:
        """The known classes, by name."""
        return list_classes(self.path)

    def history(self) -> tuple[Event, ...]:
        """What was done to the memory, oldest first."""
        return list_events(self.path)

    def accept(self, number: int, name: str | None = None, *, join: bool = False) -> Event:
        """Make a proposal a known class.

        Parameters
        ----------
        number
            Of the proposal; that of a merged one leads on.
        name
            Of the class; None takes the name given to the proposal, else its likeliest.
        join
            Give its images to the known class of that name instead.

        Raises
        ------
        InputError
            If the proposal is not open, or its name is that of a known class.
        """

        name = require_class_name(name) if name else self._likely_name(number)
        entry = ClassEntry(name) if self._words is None or join else self._words(name)

        def change(memory: Amendment) -> Mapping[str, Any]:
            return proposal_changes.accept(memory, number, entry, join=join, detect=self._detect)

        return self._amend("accept", {"proposal": number, "name": name, "join": join}, change)

    def merge(self, numbers: Sequence[int]) -> Event:
        """Make one proposal, with a number of its own, of several.

        Raises
        ------
        InputError
            If there are fewer than two open ones.
        """
        return self._amend(
            "merge", {"proposals": list(numbers)}, lambda memory: proposal_changes.merge(memory, numbers)
        )

    def split(self, number: int) -> Event:
        """Make two proposals, with numbers of their own, of one.

        Raises
        ------
        InputError
            If the proposal is not open, or there is nothing to split.
        """
        return self._amend(
            "split", {"proposal": number}, lambda memory: proposal_changes.split(memory, number, self._split)
        )

    def discard(self, number: int) -> Event:
        """Let a proposal go; its images are not proposed again.

        Raises
        ------
        InputError
            If the proposal is not open.
        """
        return self._amend("discard", {"proposal": number}, lambda memory: proposal_changes.discard(memory, number))

    def rename(self, what: int | str, name: str) -> Event:
        """Give a proposal (by its number) or a class (by its name) another name.

        Raises
        ------
        InputError
            If there is no such proposal or class, or a class of the new name.
        """

        name = require_class_name(name)

        def change(memory: Amendment) -> Mapping[str, Any]:
            if isinstance(what, str):
                return class_changes.rename(memory, what, name)
            return proposal_changes.rename(memory, what, name)

        of = {"class": what} if isinstance(what, str) else {"proposal": what}
        return self._amend("rename", {**of, "to": name}, change)

    def named(self, what: str) -> int | str:
        """What `rename` is to rename: a class of that name, else the proposal of that number."""
        is_class = any(one.name == what for one in self.classes())
        return int(what) if what.isdecimal() and not is_class else what

    def add_class(
        self,
        name: str,
        *,
        images: Any = None,
        prompts: Sequence[str] = (),
        newcomer: Newcomer | None = None,
        progress: Progress | None = None,
    ) -> Event:
        """Add a class with images, prompts, or both. Only these are embedded.

        Parameters
        ----------
        name
            Of the class.
        images
            Any source of images that `FewShotClassifier.fit` takes; labels are not looked at.
        prompts
            Texts, or templates with ``{}`` in the name's place. Without, a class with images is put into words like
            the others, where the encoder knows it.
        newcomer
            Embeds them; None opens the memory's encoder where it was.
        progress
            Is told how far embedding is.

        Raises
        ------
        InputError
            If there is neither image nor text to know it by, or such a class already.
        """
        name, embed = require_class_name(name), newcomer or Newcomer()
        entry, samples = embed(self.path, name, images=images, prompts=prompts, progress=progress)
        n_images = 0 if samples is None else samples.n_images

        def change(memory: Amendment) -> Mapping[str, Any]:
            return class_changes.add(memory, entry, samples, detect=self._detect)

        return self._amend("add-class", {"class": name, "images": n_images, "prompts": list(prompts)}, change)

    def remove_class(self, name: str) -> Event:
        """Take out a class with its exemplars.

        Raises
        ------
        InputError
            If there is no such class, or fewer than two would stay.
        """
        return self._amend(
            "remove-class", {"class": name}, lambda memory: class_changes.remove(memory, name, detect=self._detect)
        )

    def refit(self) -> Event:
        """Fit head, weights and temperature anew from the vectors in the memory, however long that takes."""

        def change(memory: Amendment) -> Mapping[str, Any]:
            return fit_anew(memory, detect=self._detect)

        return self._amend("refit", {}, change)

    def undo(self) -> Event:
        """Take back the latest decision that was not taken back: all is again as it was, to the last bit.

        Raises
        ------
        InputError
            If there is none, or something else has changed the same since.
        """
        return undo(self.path)

    def _likely_name(self, number: int) -> str:
        every = {one.id: one for one in self.proposals(state=None)}
        states = {one.id: (one.state, one.merged_into) for one in every.values()}
        return every[open_number(states, number)].likely_name

    def _amend(
        self, verb: str, arguments: Mapping[str, Any], change: Callable[[Amendment], Mapping[str, Any]]
    ) -> Event:
        return amend(self.path, verb, arguments, change)
