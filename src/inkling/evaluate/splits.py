"""Draws of few-shot support sets, frozen: which images, in which order, by content. Read again they are the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inkling.embeddings.samples import Samples
from inkling.errors import InputError
from inkling.outputs import appearing_whole
from inkling.types import IntArray
from inkling.wording import excerpt

KIND = "inkling few-shot splits"
VERSION = 1

Draw = Mapping[str, Sequence[str]]
"""Content hashes of each class in the order of their draw: the first n are its n shots."""


@dataclass(frozen=True)
class Splits:
    """Draws of support sets.

    Attributes
    ----------
    draws
        One mapping a draw, each with all images of every class.
    """

    draws: tuple[Draw, ...]

    @classmethod
    def drawn(cls, samples: Samples, n: int, *, seed: int) -> Splits:
        """Shuffle the images of each class n times. Copies of one image count once, and views not at all."""
        of_class: dict[str, list[str]] = {}
        for label, content in sorted({(str(one), key) for one, key in _labelled(samples)}):
            of_class.setdefault(label, []).append(content)
        rng = np.random.default_rng(seed)
        return cls(tuple({name: rng.permutation(keys).tolist() for name, keys in of_class.items()} for _ in range(n)))

    def rows(self, samples: Samples, draw: int, shots: int | None) -> IntArray:
        """Rows of the samples that are in a draw; None takes all images."""
        wanted = {(name, key) for name, keys in self.draws[draw].items() for key in list(keys)[:shots]}
        pairs = zip(samples.labels, samples.content_hashes, strict=True)
        return np.array([row for row, pair in enumerate(pairs) if pair in wanted], dtype=np.int64)

    def check(self, samples: Samples) -> None:
        """Refuse images other than those that were drawn from.

        Raises
        ------
        InputError
            If an image of the draws is missing or has another label, or there is one that they lack.
        """
        here = {(str(label), key) for label, key in _labelled(samples)}
        for draw in self.draws:
            drawn = {(name, key) for name, keys in draw.items() for key in keys}
            if drawn != here:
                raise InputError(
                    f"The splits are of other images: {len(drawn - here)} of theirs are not among the training images "
                    f"under the same label, and {len(here - drawn)} are new.",
                    remedy="Name the folder that they were drawn from, or a new file to draw anew.",
                )

    def write(self, path: str | Path) -> None:
        """Write them; the file appears whole."""
        content = {"kind": KIND, "version": VERSION, "draws": [dict(draw) for draw in self.draws]}
        with appearing_whole(path) as draft:
            draft.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> Splits:
        """Inverse of `write`.

        Raises
        ------
        InputError
            If the file cannot be read, or is not of splits.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(
                f"The splits '{path}' cannot be read: {excerpt(error)}.", remedy="Name a file that evaluate wrote."
            ) from error
        if not _is_sound(content):
            raise InputError(
                f"'{path}' does not hold few-shot splits of version {VERSION}.",
                remedy="Name a file that evaluate wrote, or one that does not exist to draw anew.",
            )
        return cls(tuple(content["draws"]))


def _labelled(samples: Samples) -> list[tuple[str | None, str]]:
    pairs = zip(samples.labels, samples.content_hashes, strict=True)
    return [(label, key) for label, key in pairs if label is not None]


def _is_sound(content: Any) -> bool:
    if not isinstance(content, dict) or (content.get("kind"), content.get("version")) != (KIND, VERSION):
        return False
    draws = content.get("draws")
    return isinstance(draws, list) and bool(draws) and all(map(_is_draw, draws))


def _is_draw(draw: Any) -> bool:
    return isinstance(draw, dict) and all(
        isinstance(keys, list) and all(isinstance(key, str) for key in keys) for keys in draw.values()
    )
