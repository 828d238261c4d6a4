"""The caption grammar: what is true of a picture, and how to phrase it.

A caption names the object (``house``), its category (``building``) or its parts (``something with a roof``),
and may add colour, size and background. It carries its claims along: training must know what it fits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from inkling.sketch.kinds import BY_NAME, TRAINED
from inkling.sketch.palette import COLOURS
from inkling.sketch.scene import Scene, plan
from inkling.sketch.styles import USUAL

TEMPLATES = (
    "{}",
    "a photo of {}",
    "a picture of {}",
    "a drawing of {}",
    "a sketch of {}",
    "an image of {}",
    "a painting of {}",
    "a good photo of {}",
    "a bad photo of {}",
    "a close photo of {}",
    "a view of {}",
    "this is {}",
)
DETERMINERS = ("a", "a", "a", "the", "one", "my")
SIZES = ("small", "large")


@dataclass(frozen=True)
class Caption:
    """A sentence and what it claims.

    Attributes
    ----------
    text
        The sentence.
    kinds
        The trained kinds that its words fit.
    colour, background, size
        The phrase for them; None for no phrase.
    """

    text: str
    kinds: frozenset[str]
    colour: str | None = None
    background: str | None = None
    size: str | None = None


def describe(scene: Scene, rng: Random) -> Caption:
    """One random caption that is true of a scene."""
    noun, tail, kinds = _identity(scene.kind, rng)
    colour = scene.colour if rng.random() < 0.4 else None
    size = scene.size if rng.random() < 0.25 else None
    background = scene.background if rng.random() < 0.2 else None
    text = " ".join(filter(None, (size, colour, noun)))
    text = f"{_determiner(text, rng)} {text}{tail}" if noun != "something" else f"{text}{tail}"
    if background is not None:
        text += f" on a {background} background"
    text = rng.choice(TEMPLATES).format(text) + rng.choice(("", "."))
    return Caption(text, kinds, colour, background, size)


def caption(kind: str, *, seed: int, style: str = "plain") -> str:
    """A caption of the picture that `draw` draws from the same arguments."""
    return describe(plan(kind, seed=seed, style=style), Random(f"{kind}/{seed}/caption")).text


def description(kind: str) -> str:
    """What a kind is, in words of the training captions and without its name: ``a building with a roof``.

    Meant as a prompt for the kinds whose names the embedded encoder never read.
    """
    known = BY_NAME[kind]
    parts = f" with {_listed(known.parts)}" if known.parts else ""
    return f"{_article(known.category)} {known.category}{parts}"


def vocabulary() -> tuple[str, ...]:
    """Every word that training captions can hold, sorted."""
    kinds = [BY_NAME[name] for name in TRAINED]
    phrases = [
        *TEMPLATES,
        *DETERMINERS,
        *SIZES,
        *COLOURS,
        *USUAL,
        *(kind.name for kind in kinds),
        *(kind.category for kind in kinds),
        *(part for kind in kinds for part in kind.parts),
        "an something with and on background",
    ]
    return tuple(sorted({word for phrase in phrases for word in phrase.replace("{}", "").split()}))


def _identity(name: str, rng: Random) -> tuple[str, str, frozenset[str]]:
    """A noun, what follows it, and the trained kinds that both fit."""
    kind = BY_NAME[name]
    alike = frozenset(other for other in TRAINED if BY_NAME[other].category == kind.category)
    form = rng.random()
    if form < 0.6:
        return name, "", frozenset({name})
    if form < 0.66:
        return name, f", {_article(kind.category)} {kind.category}", frozenset({name})
    if form < 0.76 or not kind.parts:
        return kind.category, "", alike
    parts = rng.sample(kind.parts, rng.randint(1, min(2, len(kind.parts))))
    tail = f" with {_listed(parts)}"
    if form < 0.82:
        return name, tail, frozenset({name})
    sharing = frozenset(other for other in TRAINED if set(parts) <= set(BY_NAME[other].parts))
    return ("something", tail, sharing) if form < 0.9 else (kind.category, tail, sharing & alike)


def _listed(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _determiner(text: str, rng: Random) -> str:
    # Prompt templates say "a" before every name, so the encoder has to have read "a apple" as well.
    word = rng.choice(DETERMINERS)
    return _article(text) if word == "a" and rng.random() < 0.6 else word


def _article(text: str) -> str:
    return "an" if text[0] in "aeiou" else "a"
