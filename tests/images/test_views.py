"""Views are random but the same ones everywhere."""

from __future__ import annotations

import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from inkling.images.views import view_of
from tests.images.pictures import photo

SHOW = """
from hashlib import blake2b
from inkling.images.views import view_of
from tests.images.pictures import photo
print(blake2b(view_of(photo(), 3, key="some key").tobytes()).hexdigest())
"""


def test_view_0_is_the_image() -> None:
    picture = photo()
    assert view_of(picture, 0, key="k") is picture


def test_key_and_number_decide() -> None:
    picture = photo()
    views = {view_of(picture, view, key=key).tobytes() for view in range(1, 5) for key in "ab"}
    assert len(views) == 8
    assert view_of(picture, 1, key="a").tobytes() == view_of(picture, 1, key="a").tobytes()


def test_another_process_draws_the_same_view() -> None:
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True, cwd=root)
    here = blake2b(view_of(photo(), 3, key="some key").tobytes()).hexdigest()
    assert run.stdout.strip() == here


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 50))
def test_crops_are_square_and_large_enough(width: int, height: int, view: int) -> None:
    picture = photo(size=(width, height))
    seen = view_of(picture, view, key=f"{width} x {height}")
    assert seen.mode == "RGB"
    assert seen.width == seen.height <= min(width, height)
    # Half of the area at an aspect of 3:4; a strip narrower than that is cut to its own width.
    assert seen.width >= min(min(width, height), int((0.5 * width * height * 0.75) ** 0.5) - 1)
