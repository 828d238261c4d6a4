"""The contact sheet: proposed classes to look at, each with its pictures, its likely names and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inkling.discovery import Drift
from inkling.memory.discovered import PooledImage, Proposal
from inkling.outputs import appearing_whole
from inkling.reports.mistakes import picture_uri
from inkling.reports.pages import page_of
from inkling.reports.portable import page_provenance, shown_name, shown_paths
from inkling.review.propose import Explored
from inkling.types import EncoderIdentity

MOST_CENTRAL, MOST_FARTHEST, MOST_ALONE = 12, 4, 60
MOST_NAMES = 5


@dataclass(frozen=True)
class Picture:
    """An image as a data URI, None where there is no thumbnail, and the p-value of its being of a known class."""

    path: str
    uri: str | None
    p_known: float | None


@dataclass(frozen=True)
class Card:
    """A proposal with its pictures: those nearest to the centre, and the farthest ones, which may not belong."""

    proposal: Proposal
    central: tuple[Picture, ...]
    farthest: tuple[Picture, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True)
class _Page:
    memory_name: str
    cards: tuple[Card, ...]
    drift: Drift
    explored: Explored
    leaning: tuple[tuple[str, tuple[Picture, ...]], ...]
    alone: tuple[Picture, ...]
    n_alone: int
    provenance: Mapping[str, str]


def write_contact_sheet(
    path: Path, explored: Explored, *, memory_name: str, encoder: EncoderIdentity | None = None, seed: int | None = None
) -> None:
    """Write the sheet; it appears whole.

    Parameters
    ----------
    explored
        What came of the images.
    memory_name
        For the title.
    encoder, seed
        For the foot of the page: what embedded the images, and the seed of every random choice.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    waiting = _portable(explored.waiting)
    cards = tuple(_card(proposal, waiting) for proposal in explored.proposals)
    alone = _alone(explored.proposals, waiting)
    content = _Page(
        memory_name=shown_name(memory_name),
        cards=cards,
        drift=explored.drift,
        explored=explored,
        leaning=tuple((one.finding, _pictures_of(one.paths, explored.waiting, waiting)) for one in explored.leaning),
        alone=tuple(map(_picture, alone[:MOST_ALONE])),
        n_alone=len(alone),
        provenance=page_provenance(encoder, seed=seed, memory_version=explored.memory_version),
    )
    page = page_of("contact_sheet.html.j2", content, most_names=MOST_NAMES)
    with appearing_whole(path) as draft:
        draft.write_bytes(page.encode("utf-8", "replace"))


def _card(proposal: Proposal, waiting: Mapping[int, PooledImage]) -> Card:
    members = [waiting[number] for number in proposal.finding.members if number in waiting]
    pictures = [_picture(image) for image in members]
    farthest = pictures[MOST_CENTRAL:][-MOST_FARTHEST:][::-1]
    paths = tuple(image.path for image in members)
    return Card(proposal, tuple(pictures[:MOST_CENTRAL]), tuple(farthest), paths)


def _pictures_of(
    paths: Sequence[str], waiting: Mapping[int, PooledImage], portable: Mapping[int, PooledImage]
) -> tuple[Picture, ...]:
    """Those of the images that are in the pool: others have no picture in the memory."""
    numbers = {image.path: number for number, image in waiting.items()}
    return tuple(_picture(portable[numbers[path]]) for path in paths if path in numbers)


def _alone(proposals: Sequence[Proposal], waiting: Mapping[int, PooledImage]) -> list[PooledImage]:
    """Images of the pool that are in no proposal, the least like the known classes first."""
    proposed = {number for proposal in proposals for number in proposal.finding.members}
    others = [image for number, image in waiting.items() if number not in proposed]
    return sorted(others, key=lambda image: 1.0 if image.p_known is None else image.p_known)


def _picture(image: PooledImage) -> Picture:
    return Picture(image.path, picture_uri(image.thumbnail), image.p_known)


def _portable(waiting: Mapping[int, PooledImage]) -> dict[int, PooledImage]:
    """The pool without the folders of this machine."""
    paths = shown_paths([image.path for image in waiting.values()])
    return {number: replace(image, path=path) for (number, image), path in zip(waiting.items(), paths, strict=True)}
