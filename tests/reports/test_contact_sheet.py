"""The contact sheet shows every candidate: those in proposals, and those in no group."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from inkling.discovery import Drift
from inkling.memory.discovered import Finding, PooledImage, Proposal
from inkling.reports.contact_sheet import MOST_ALONE, write_contact_sheet
from inkling.reports.formats import percent
from inkling.review.propose import Explored
from inkling.types import EncoderIdentity
from tests.evaluate.made_up import jpeg

ENCODER = EncoderIdentity("sketch", "sketch", "f00d", 4, 0, 100.0, "float32")


def sheet(
    folder: Path,
    *,
    n_images: int,
    members: tuple[int, ...],
    name: str | None = None,
    names: tuple[Mapping[str, Any], ...] = (),
) -> str:
    waiting = {
        number: PooledImage(f"/srv/in box/{number:03d}.jpg", f"hash {number}", number / n_images, jpeg())
        for number in range(n_images)
    }
    paths = tuple(waiting[number].path for number in members)
    proposal = Proposal(1, "open", Finding(members, len(members), 0.9, names=names), paths, name, None, 1)
    explored = Explored(
        (proposal,),
        Drift(found=False, p_value=0.5, excess=0.0, explained=0.0, likeness=1.0),
        n_images,
        n_images,
        waiting,
        7,
    )
    write_contact_sheet(folder / "sheet.html", explored, memory_name="/srv/m.ink", encoder=ENCODER, seed=3)
    return (folder / "sheet.html").read_text()


def test_images_in_no_group_are_shown_the_least_known_first(tmp_path: Path) -> None:
    page = sheet(tmp_path, n_images=9, members=(4, 5, 6, 7, 8))
    group, alone = page.split('id="in-no-group"')
    assert "4 candidates in the pool that no proposal holds" in alone
    assert [alone.index(f"00{number}.jpg") for number in range(4)] == sorted(
        alone.index(f"00{number}.jpg") for number in range(4)
    )
    assert not any(f"00{number}.jpg" in alone for number in (4, 5, 6, 7, 8))
    assert not any(f"00{number}.jpg" in group for number in range(4))


def test_a_large_pool_is_bounded_and_says_so(tmp_path: Path) -> None:
    page = sheet(tmp_path, n_images=MOST_ALONE + 20, members=(0, 1))
    assert f"{MOST_ALONE} are shown" in page
    assert page.count("<img") == MOST_ALONE + 2


@pytest.mark.parametrize(
    ("name", "names", "heading"),
    [
        (None, ({"name": "pew", "probability": 0.07},), "1: perhaps <bdi>pew</bdi>"),
        ("bench", ({"name": "pew", "probability": 0.07},), "1: <bdi>bench</bdi>"),
        (None, (), "1: no name yet"),
    ],
)
def test_a_heading_calls_a_guess_a_guess(
    tmp_path: Path, name: str | None, names: tuple[Mapping[str, Any], ...], heading: str
) -> None:
    page = sheet(tmp_path, n_images=3, members=(0, 1), name=name, names=names)
    assert f'<h2 id="proposal-1-title">{heading}</h2>' in page
    assert (f"Likeliest names: <bdi>pew</bdi> {percent(0.07, digits=0)}" in page) == bool(names)


def test_its_foot_has_encoder_and_seed_and_no_folder(tmp_path: Path) -> None:
    page = sheet(tmp_path, n_images=3, members=(0, 1))
    foot = page.split('id="provenance"')[1]
    for told in (
        "sketch",
        "f00d",
        "<dt>Seed</dt><dd><bdi>3</bdi></dd>",
        "<dt>Memory version</dt><dd><bdi>7</bdi></dd>",
    ):
        assert told in foot
    assert "/srv" not in page
    assert "in box" not in page
