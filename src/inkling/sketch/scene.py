"""From a kind and a seed to a picture: first decide what is in it, then draw it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from inkling.errors import InputError
from inkling.sketch.backgrounds import BACKGROUNDS
from inkling.sketch.clutter import scatter
from inkling.sketch.kinds import BY_NAME, KINDS
from inkling.sketch.palette import COLOURS, Palette, any_colour, contrasting_colour, palette_of
from inkling.sketch.pen import Pen
from inkling.sketch.pose import Pose, random_pose
from inkling.sketch.styles import Style, style_of, unknown_name

SUPERSAMPLING = 2

SMALL, LARGE = 0.62, 0.78
"""Scales below and above which captions call an object small or large."""

OUTLINES = (0.0, 0.03, 0.04, 0.05)
"""Widths of the dark line around the parts of an object; each instance has one of them."""

CLUTTER_BEHIND, CLUTTER_BEFORE = (0.05, 0.2), (0.03, 0.09)


@dataclass(frozen=True)
class Scene:
    """What a picture shows, decided before anything is drawn; captions are made from it.

    Attributes
    ----------
    kind
        Name of the object's kind.
    seed
        Together with the kind it decides the object, together with kind and style the whole picture.
    style
        Name of the style.
    colour
        Name of the object's main colour.
    background
        Name of the background.
    pose
        How the object stands in the picture.
    """

    kind: str
    seed: int
    style: str
    colour: str
    background: str
    pose: Pose

    @property
    def size(self) -> str | None:
        """``small``, ``large`` or neither."""
        if self.pose.scale < SMALL:
            return "small"
        return "large" if self.pose.scale > LARGE else None


def plan(kind: str, *, seed: int, style: str = "plain") -> Scene:
    """Decide what a picture shows.

    The same kind and seed give the same object in every style, so that styles can be compared pairwise.

    Raises
    ------
    InputError
        If there is no such kind or style.
    """
    if kind not in BY_NAME:
        raise unknown_name("kind", kind, KINDS)
    backgrounds = style_of(style).backgrounds
    rng = _stream(kind, seed, "plan")
    colour, pose = rng.choice(COLOURS), random_pose(rng)
    return Scene(kind, seed, style, colour, rng.choice(backgrounds), pose)


def render(scene: Scene, *, size: int = 96) -> Image.Image:
    """Draw a scene as a square RGB picture of `size` pixels."""
    if size < 16:
        raise InputError(f"A picture has at least 16 pixels a side; {size} were asked for.")
    style = style_of(scene.style)
    rng = _stream(scene.kind, scene.seed, "object")
    palette = palette_of(scene.colour, rng)
    surroundings = _stream(scene.kind, scene.seed, scene.style)
    behind, before = surroundings.randint(*style.behind), surroundings.randint(*style.before)
    fine = size * SUPERSAMPLING

    image = _background(scene.background, palette, fine, surroundings)
    canvas = ImageDraw.Draw(image)
    scatter(canvas, size=fine, count=behind, reach=CLUTTER_BEHIND, rng=surroundings)
    pen = Pen(
        canvas,
        size=fine,
        pose=scene.pose,
        palette=palette,
        rng=rng,
        outline=rng.choice(OUTLINES),
        sketchy=surroundings.random() < style.sketchy,
    )
    BY_NAME[scene.kind].draw(pen)
    scatter(canvas, size=fine, count=before, reach=CLUTTER_BEFORE, rng=surroundings)
    return _expose(image.reduce(SUPERSAMPLING), style, surroundings)


def draw(kind: str, *, seed: int, size: int = 96, style: str = "plain") -> Image.Image:
    """Draw one picture of a kind of object.

    Parameters
    ----------
    kind
        One of `KINDS`.
    seed
        The same kind, seed, size and style give the same pixels, on the same Pillow and numpy.
    size
        Side of the square picture in pixels.
    style
        One of `STYLES`: ``plain`` is what the embedded encoder was trained on, ``shifted`` another domain.

    Returns
    -------
    PIL.Image.Image
        RGB, `size` x `size`.

    Raises
    ------
    InputError
        If there is no such kind or style, or the size is below 16.
    """
    return render(plan(kind, seed=seed, style=style), size=size)


def _stream(kind: str, seed: int, purpose: str) -> Random:
    # A text seeds Random through SHA-512: alike on every platform, and unrelated for neighbouring seeds.
    return Random(f"{kind}/{seed}/{purpose}")


def _background(name: str, palette: Palette, size: int, rng: Random) -> Image.Image:
    first = contrasting_colour(palette.main, rng)
    second = contrasting_colour(palette.main, rng) if rng.random() < 0.7 else any_colour(rng)
    return BACKGROUNDS[name](rng, size, first, second)


def _expose(image: Image.Image, style: Style, rng: Random) -> Image.Image:
    """Blur, exposure and pixel noise, as a cheap camera would add them."""
    radius = rng.uniform(*style.blur) * image.width
    if radius > 0.0:
        image = image.filter(ImageFilter.GaussianBlur(radius))
    exposure, noise = rng.uniform(*style.exposure), rng.uniform(*style.noise)
    if exposure == 1.0 and noise == 0.0:
        return image
    numbers = np.random.default_rng(rng.getrandbits(64))
    pixels = np.asarray(image, dtype=np.float32) * np.float32(exposure)
    pixels += np.float32(noise) * numbers.standard_normal(pixels.shape, dtype=np.float32)
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
