"""All that a person can decide about a memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inkling.classifier.refit_detector import refit_detector
from inkling.discovery.two_means import two_means
from inkling.embeddings.embed import Progress
from inkling.errors import InputError
from inkling.labels import require_class_name
from inkling.memory.amend import Amendment, amend, amend_if_needed
from inkling.memory.events import Event
from inkling.memory.undo import undo
from inkling.prompts import ClassPrompts
from inkling.review import class_changes, proposal_changes
from inkling.review.move import move
from inkling.review.new_class import ClassEmbedder, Prepared
from inkling.review.refit import DetectorFitter, fit_anew
from inkling.review.update import update
from inkling.review.view import MemoryView
from inkling.wording import quoted


class Decisions(MemoryView):
    """Decide about the proposals and classes of a memory.

    Each decision is one transaction: it is live at once, whole or not at all, and `undo` takes it back to the last
    bit. It reads what it needs within its transaction, so two people who decide at the same time lose nothing.

    Parameters
    ----------
    path
        The memory.
    detect
        Refits the detector of unknown images when classes change. None: with its rate and weights, calibrated
        anew.
    words
        Encodes the name of an accepted class, as `ClassEmbedder.in_words` does; without, its images alone
        count.
    split
        Assigns each vector of a proposal to one of two parts; None uses k-means.

    Examples
    --------
    >>> decide = Decisions("vehicles.ink")
    >>> [(one.id, one.likely_name) for one in decide.proposals()]
    [(1, 'car'), (2, 'headboard')]
    >>> decide.accept(1, "car").verb
    'accept'
    >>> decide.undo().undoes == decide.history()[-2].id
    True
    """

    def __init__(
        self,
        path: str | Path,
        *,
        detect: DetectorFitter | None = None,
        words: Callable[[str], Prepared] | None = None,
        split: proposal_changes.Splitter | None = None,
    ) -> None:
        super().__init__(path)
        self._detect = detect or refit_detector
        self._words = words
        self._split = split or two_means

    def accept(self, number: int, name: str | None = None, *, first_name: bool = False, join: bool = False) -> Event:
        """Make a proposal a known class.

        Parameters
        ----------
        number
            Of the proposal; that of a merged one leads on.
        name
            Of the class; None takes the name that a person gave to the proposal.
        first_name
            Without either, take the likeliest name, which is a guess.
        join
            Give its images to the known class of that name instead.

        Raises
        ------
        InputError
            If the proposal is not open, has no name, or its name is that of a known class or can be mistaken for it; or
            if a name is given and the likeliest asked for.

        Examples
        --------
        >>> decide = Decisions("vehicles.ink")
        >>> event = decide.accept(1, "car")
        >>> [one.name for one in decide.classes()]
        ['car', 'castle', 'cat', 'tree']
        """
        if name is not None and first_name:
            raise InputError(
                f"The name {quoted(name)} was given, and the likeliest asked for.",
                remedy="Leave one of --name and --first-name out.",
            )
        name = require_class_name(name) if name is not None else self.name_of(number, first_name=first_name)
        prepared = Prepared.of_name(name) if self._words is None or join else self._words(name)

        def change(memory: Amendment) -> Mapping[str, Any]:
            return proposal_changes.accept(memory, number, prepared, join=join, detect=self._detect)

        return self._amend("accept", {"proposal": number, "name": name, "join": join}, change)

    def merge(self, numbers: Sequence[int]) -> Event:
        """Make one proposal, with a number of its own, of several.

        Raises
        ------
        InputError
            If there are fewer than two open ones.

        Examples
        --------
        >>> decide = Decisions("vehicles.ink")
        >>> event = decide.merge([1, 2])
        >>> [one.id for one in decide.proposals()]
        [3]
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

        Examples
        --------
        >>> decide = Decisions("vehicles.ink")
        >>> event = decide.split(1)
        >>> [one.id for one in decide.proposals()]
        [2, 3, 4]
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

        Examples
        --------
        >>> decide = Decisions("vehicles.ink")
        >>> event = decide.discard(2)
        >>> [one.id for one in decide.proposals()]
        [1]
        """
        return self._amend("discard", {"proposal": number}, lambda memory: proposal_changes.discard(memory, number))

    def rename(self, what: int | str, name: str) -> Event:
        """Give a proposal (by its number) or a class (by its name) another name.

        Raises
        ------
        InputError
            If there is no such proposal or class, or a class of the new name.

        Examples
        --------
        >>> decide = Decisions("vehicles.ink")
        >>> event = decide.rename("cat", "house cat")
        >>> event = decide.rename(2, "starfish")
        >>> decide.proposals()[1].name
        'starfish'
        """

        name = require_class_name(name)

        def change(memory: Amendment) -> Mapping[str, Any]:
            if isinstance(what, str):
                return class_changes.rename(memory, what, name)
            return proposal_changes.rename(memory, what, name)

        of = {"class": what} if isinstance(what, str) else {"proposal": what}
        return self._amend("rename", {**of, "to": name}, change)

    def move(self, image: str, to: str | int | None) -> Event:
        """Move one image to another class or proposal, or to neither, before and after accepting.

        Parameters
        ----------
        image
            Its path, the end of its path, or its content hash.
        to
            Name of a known class, number of an open proposal, or None: out of its class or proposal. An image that
            came from the pool waits there again, a training image of `fit` is gone.

        Raises
        ------
        InputError
            If there is no such image, class or proposal, or the image is the last of a class without a text.

        Examples
        --------
        >>> decide = Decisions("vehicles.ink")
        >>> event = decide.move("inbox/car-0000.png", 2)
        >>> "inbox/car-0000.png" in decide.proposals()[1].images
        True
        """

        def change(memory: Amendment) -> Mapping[str, Any]:
            return move(memory, image, to, detect=self._detect)

        return self._amend("move", {"image": image, "to": to}, change)

    def add_class(
        self,
        name: str,
        *,
        images: Any = None,
        prompts: Sequence[str] = (),
        embedder: ClassEmbedder | None = None,
        progress: Progress | None = None,
    ) -> Event:
        """Add a class with images, prompts, or both. Only these are embedded.

        Parameters
        ----------
        name
            Of the class.
        images
            Any source of images that `FewShotClassifier.fit` takes, without labels or labelled with the name of the
            class. An image that another class has is skipped.
        prompts
            Texts, or templates with ``{}`` in the name's place. Without, the name of a class with images is
            encoded like those of the others, where the encoder knows it.
        embedder
            Embeds them; None opens the memory's encoder where it was.
        progress
            Called with the progress of embedding.

        Raises
        ------
        InputError
            If there is neither image nor text to know it by, such a class already, or images have other labels or are
            all of other classes.

        Examples
        --------
        >>> decide = Decisions("vehicles.ink")
        >>> event = decide.add_class("starfish", images=["inbox/starfish-0000.png", "inbox/starfish-0001.png"])
        >>> [(one.name, one.images) for one in decide.classes()][2:]
        [('starfish', 2), ('tree', 8)]
        """
        name, embed = require_class_name(name), embedder or ClassEmbedder()
        prepared = embed.new_class(self.path, name, images=images, prompts=prompts, progress=progress)

        def change(memory: Amendment) -> Mapping[str, Any]:
            return class_changes.add(memory, prepared, detect=self._detect)

        arguments = {"class": name, "images": prepared.n_images, "prompts": list(prompts)}
        return self._amend("add-class", arguments, change)

    def update(
        self,
        images: Any,
        labels: Sequence[Any] | None = None,
        *,
        prompts: Sequence[ClassPrompts] = (),
        embedder: ClassEmbedder | None = None,
        progress: Progress | None = None,
    ) -> Event | None:
        """Add labelled images to what is known: new classes are added, known ones extended, decisions kept.

        Parameters
        ----------
        images, labels
            As for `FewShotClassifier.fit`, or a file of vectors. Images that the memory knows are left as they are.
        prompts
            Own prompts of new classes.
        embedder
            Embeds them; None opens the memory's encoder where it was.
        progress
            Called with the progress of embedding.

        Returns
        -------
        Event
            What was logged; None where all of it is known already, and the memory stays as it is.

        Raises
        ------
        InputError
            If no image has a label or can be read, or the name of a new class can be mistaken for that of another.

        Examples
        --------
        >>> decide = Decisions("vehicles.ink")
        >>> event = decide.update("photos/test")
        >>> [(one.name, one.images) for one in decide.classes()]
        [('castle', 11), ('cat', 11), ('tree', 11)]
        """
        embed = embedder or ClassEmbedder()
        return self.update_prepared(embed.labelled(self.path, images, labels, prompts=prompts, progress=progress))

    def update_prepared(self, prepared: Prepared) -> Event | None:
        """As `update`, of what was embedded before.

        Examples
        --------
        >>> from inkling.review.new_class import ClassEmbedder
        >>> decide = Decisions("vehicles.ink")
        >>> images = ["inbox/car-0000.png", "inbox/car-0001.png"]
        >>> prepared = ClassEmbedder().labelled("vehicles.ink", images, ["car", "car"])
        >>> decide.update_prepared(prepared).verb
        'update'
        """

        def change(memory: Amendment) -> Mapping[str, Any]:
            return update(memory, prepared, detect=self._detect)

        return amend_if_needed(self.path, "update", self._logged({"images": prepared.n_images}), change)

    def remove_class(self, name: str) -> Event:
        """Take out a class with its exemplars.

        Raises
        ------
        InputError
            If there is no such class, or fewer than two would stay.

        Examples
        --------
        >>> decide = Decisions("vehicles.ink")
        >>> event = decide.remove_class("tree")
        >>> [one.name for one in decide.classes()]
        ['castle', 'cat']
        """
        return self._amend(
            "remove-class", {"class": name}, lambda memory: class_changes.remove(memory, name, detect=self._detect)
        )

    def refit(self) -> Event:
        """Fit head, weights and temperature anew from the vectors in the memory, however long that takes.

        Examples
        --------
        >>> Decisions("vehicles.ink").refit().verb
        'refit'
        """

        def change(memory: Amendment) -> Mapping[str, Any]:
            return fit_anew(memory, detect=self._detect)

        return self._amend("refit", {}, change)

    def undo(self) -> Event:
        """Take back the latest decision that was not taken back: all is again as it was, to the last bit.

        What was observed and discovered since stays, unless it rests on the decision. With no decision left, the
        latest observation or discovery is taken back.

        Raises
        ------
        InputError
            If there is none, or something else has changed the same since.

        Examples
        --------
        >>> decide = Decisions("vehicles.ink")
        >>> event = decide.remove_class("tree")
        >>> decide.undo().undoes == event.id
        True
        """
        return undo(self.path, arguments=self._logged({}))

    def _amend(
        self, verb: str, arguments: Mapping[str, Any], change: Callable[[Amendment], Mapping[str, Any]]
    ) -> Event:
        return amend(self.path, verb, self._logged(arguments), change)

    def _logged(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the log keeps of the arguments of a decision."""
        return arguments
