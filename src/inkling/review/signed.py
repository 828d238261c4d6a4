"""Decisions of one of several people: the log says whose they are, and who comes too late is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inkling.errors import ConflictError, InputError
from inkling.labels import require_class_name
from inkling.memory.amend import Amendment, amend
from inkling.memory.discovered import MERGED
from inkling.memory.events import Event
from inkling.memory.proposals import proposal_states
from inkling.memory.undo import undo
from inkling.review.decisions import Decisions
from inkling.review.gathering import gather
from inkling.review.new_class import Prepared


class SignedDecisions(Decisions):
    """As `Decisions`, of somebody who has seen the memory as it was some time ago.

    Parameters
    ----------
    path
        The memory.
    by
        Who decides, for the log.
    seen
        Numbers of the proposals that are decided about. Unlike elsewhere, the number of a merged proposal does not
        lead on: whoever decides has not seen what it was merged into.
    words
        As for `Decisions`.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        by: str,
        seen: Sequence[int] = (),
        words: Callable[[str], Prepared] | None = None,
    ) -> None:
        super().__init__(path, words=words)
        self._by, self._seen = by, tuple(seen)

    def undo_event(self, event: int | None) -> Event:
        """As `Decisions.undo`, provided that it takes back this event.

        Raises
        ------
        ConflictError
            If another one is the latest by now.
        """
        return undo(self.path, event=event, arguments=self._logged({}))

    def gather(self, images: Sequence[str], name: str) -> Event:
        """Make a new class of images that wait for a decision, in a proposal or in none.

        Parameters
        ----------
        images
            Their content hashes or paths.
        name
            Of the class.

        Raises
        ------
        InputError
            If there is none, no such image, or one that is of a class; or the name is not that of a new class.
        """
        name = require_class_name(name)
        if not images:
            raise InputError("No image was chosen for the class.", remedy="Choose one or more.")
        prepared = Prepared.of_name(name) if self._words is None else self._words(name)

        def change(memory: Amendment) -> Mapping[str, Any]:
            return gather(memory, images, prepared, detect=self._detect)

        return self._amend("add-class", {"class": name, "images": len({*images}), "prompts": []}, change)

    def _amend(
        self, verb: str, arguments: Mapping[str, Any], change: Callable[[Amendment], Mapping[str, Any]]
    ) -> Event:
        def checked(memory: Amendment) -> Mapping[str, Any]:
            _require_as_seen(memory, self._seen)
            return change(memory)

        return amend(self.path, verb, self._logged(arguments), checked)

    def _logged(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**arguments, "by": self._by}


def _require_as_seen(memory: Amendment, seen: Sequence[int]) -> None:
    states = proposal_states(memory.connection) if seen else {}
    for number in seen:
        state, into = states.get(number, (None, None))
        if state == MERGED:
            raise ConflictError(
                f"Proposal {number} is not open any more: it was merged into proposal {into}.",
                remedy=f"Look at proposal {into}, then decide about that one.",
            )
