"""Damaged thumbnails, such as a memory may have, are like missing ones."""

from __future__ import annotations

import pytest
from PIL import Image

from inkling.images.decode import thumbnail
from inkling.images.looks import UNKNOWN, looks_of
from inkling.images.thumbnails import decoded, size_of

SOUND = thumbnail(Image.radial_gradient("L").resize((80, 60)).convert("RGB"))
_SIZE = SOUND.index(b"\xff\xc0") + 5
"""Where the header has the height and the width."""
DAMAGED = {
    "empty": b"",
    "no picture": b"no picture",
    "cut short": SOUND[: len(SOUND) // 2],
    "of a wild size": SOUND[:_SIZE] + b"\xff\xff\xff\xff" + SOUND[_SIZE + 4 :],
}


def test_a_sound_one() -> None:
    picture = decoded(SOUND, "L")
    assert picture is not None
    assert (picture.mode, picture.size, size_of(SOUND)) == ("L", (80, 60), (80, 60))


def test_a_missing_one() -> None:
    assert (decoded(None, "L"), size_of(None)) == (None, None)


@pytest.mark.parametrize("limit", [Image.MAX_IMAGE_PIXELS, None])  # which others may have set
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_one(damage: str, limit: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    assert decoded(DAMAGED[damage], "L") is None
    assert size_of(DAMAGED[damage]) in (None, (80, 60))  # a header alone may be sound
    first, *others = looks_of([SOUND, DAMAGED[damage], None]).tolist()
    assert first != UNKNOWN
    assert others == [UNKNOWN, UNKNOWN]
