"""The contact sheet: proposed classes to look at, each with its pictures, its likely names and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inkling.discovery import Drift
from inkling.memory.discovered import PooledImage, Proposal
from inkling.outputs import appearing_whole
from inkling.provenance import current_command, inkling_version, now
from inkling.reports.mistakes import picture_uri
from inkling.reports.pages import page_of
from inkling.review.propose import Explored

MOST_CENTRAL, MOST_FARTHEST = 12, 4
MOST_NAMES = 5


@dataclass(frozen=True)
class Picture:
    """An image as a data URI, None where there is no thumbnail."""

    path: str
    uri: str | None


@dataclass(frozen=True)
class Card:
    """A proposal with its pictures: those nearest to the centre, and the farthest ones, which may not belong."""

    proposal: Proposal
    central: tuple[Picture, ...]
    farthest: tuple[Picture, ...]


@dataclass(frozen=True)
class _Page:
    memory_name: str
    cards: tuple[Card, ...]
    drift: Drift
    explored: Explored
    provenance: Mapping[str, str]


def write_contact_sheet(path: Path, explored: Explored, *, memory_name: str) -> None:
    """Write the sheet; it appears whole.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    provenance = {"command": current_command(), "date": now(), "inkling": inkling_version()}
    cards = tuple(_card(proposal, explored.waiting) for proposal in explored.proposals)
    page = page_of(
        "contact_sheet.html.j2",
        _Page(memory_name, cards, explored.drift, explored, provenance),
        most_names=MOST_NAMES,
    )
    with appearing_whole(path) as draft:
        draft.write_bytes(page.encode("utf-8", "replace"))


def _card(proposal: Proposal, waiting: Mapping[int, PooledImage]) -> Card:
    members = [waiting[number] for number in proposal.finding.members if number in waiting]
    pictures = [Picture(image.path, picture_uri(image.thumbnail)) for image in members]
    farthest = pictures[MOST_CENTRAL:][-MOST_FARTHEST:][::-1]
    return Card(proposal, tuple(pictures[:MOST_CENTRAL]), tuple(farthest))
