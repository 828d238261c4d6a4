"""Drawing: the same seed, the same pixels; every kind is drawn and differs from the others."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inkling.errors import InputError
from inkling.sketch import HELD_OUT, KINDS, STYLES, TRAINED, draw, plan
from inkling.sketch.kinds import BY_NAME
from inkling.sketch.pen import Pen
from inkling.sketch.pose import UPRIGHT


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image, dtype=np.int16)


def test_about_forty_kinds_some_of_them_held_out() -> None:
    assert 36 <= len(KINDS) <= 48
    assert 8 <= len(HELD_OUT) <= 10
    assert set(TRAINED) | set(HELD_OUT) == set(KINDS)
    assert not set(TRAINED) & set(HELD_OUT)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("kind", KINDS)
def test_same_arguments_same_pixels(kind: str, style: str) -> None:
    first, again = (draw(kind, seed=3, size=48, style=style) for _ in range(2))
    assert first.mode == "RGB"
    assert first.size == (48, 48)
    assert first.tobytes() == again.tobytes()


def test_pixels_do_not_depend_on_the_process() -> None:
    code = "from inkling.sketch import draw; import sys; sys.stdout.buffer.write(draw('cat', seed=7).tobytes())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert other == draw("cat", seed=7).tobytes()


def test_nothing_heavy_is_imported_for_drawing() -> None:
    code = (
        "import sys; from inkling.sketch import draw, weights_folder; draw('cat', seed=0); weights_folder();"
        "sys.exit(any(heavy in sys.modules for heavy in ('torch', 'transformers', 'sklearn')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@settings(max_examples=25, deadline=None)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 10**9))
def test_other_seeds_other_pictures(kind: str, seed: int) -> None:
    first, second = draw(kind, seed=seed, size=32), draw(kind, seed=seed + 1, size=32)
    assert np.abs(pixels(first) - pixels(second)).mean() > 3


def test_kinds_differ_in_the_same_pose() -> None:
    def silhouette(kind: str) -> np.ndarray:
        return pixels(_upright(kind)).min(axis=2) < 128

    shapes = {kind: silhouette(kind) for kind in KINDS}
    for kind, shape in shapes.items():
        assert 0.02 < shape.mean() < 0.8, kind
        for other, other_shape in shapes.items():
            if kind != other:
                assert (shape ^ other_shape).mean() > 0.01, (kind, other)


def _upright(kind: str) -> Image.Image:
    """One instance in black on white, straight on."""
    from random import Random

    from PIL import ImageDraw

    from inkling.sketch.palette import Palette

    black = (0, 0, 0)
    image = Image.new("RGB", (64, 64), (255, 255, 255))
    palette = Palette(black, black, black, black)
    BY_NAME[kind].draw(Pen(ImageDraw.Draw(image), size=64, pose=UPRIGHT, palette=palette, rng=Random(0)))
    return image


@pytest.mark.parametrize("kind", KINDS)
def test_styles_change_the_picture_but_not_the_object(kind: str) -> None:
    scenes = [plan(kind, seed=5, style=style) for style in STYLES]
    assert len({(scene.pose, scene.colour) for scene in scenes}) == 1
    pictures = {draw(kind, seed=5, size=32, style=style).tobytes() for style in STYLES}
    assert len(pictures) == len(STYLES)


def test_object_stays_visible_in_most_pictures() -> None:
    """The drawn object changes a fair part of the picture, whatever pose it takes."""
    changed = []
    for kind in KINDS:
        for seed in range(5):
            image = pixels(draw(kind, seed=seed, size=48, style="clean"))
            background = np.median(image.reshape(-1, 3), axis=0)
            changed.append((np.abs(image - background).max(axis=2) > 20).mean())
    assert np.quantile(changed, 0.02) > 0.015
    assert np.median(changed) > 0.08


def test_any_size_shows_the_same_scene() -> None:
    small = draw("house", seed=1, size=48, style="clean")
    large = draw("house", seed=1, size=192, style="clean").resize((48, 48), Image.Resampling.BOX)
    assert np.abs(pixels(small) - pixels(large)).mean() < 4


def test_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'mushroom'"):
        draw("mushrom", seed=0)


def test_unknown_style_lists_the_known() -> None:
    with pytest.raises(InputError, match="shifted"):
        draw("cat", seed=0, style="oil")


def test_too_small_a_picture_is_refused() -> None:
    with pytest.raises(InputError, match="16 pixels"):
        draw("cat", seed=0, size=8)
