"""The tokenizer of the embedded encoder in plain Python, so that a light installation encodes class texts.

It reads the `tokenizer.json` of one kind of tokenizer: text is decomposed, freed of accents and lower-cased, split into
words and signs, and each of them into the longest pieces that the vocabulary has (WordPiece; Wu and others 2016,
1609.08144). The `tokenizers` library gives the same numbers; tests hold this to it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.files import read_json

_WORD_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "Pc"})
_SEPARATORS = "\x1c\x1d\x1e\x1f"
"""Blanks to Python, and not to Unicode."""
_WORD_SIGNS = frozenset("\u200c\u200d").union(
    *(map(chr, range(first, last + 1)) for first, last in ((0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169)))
)
"""Joiners and letters in circles and squares, which are of no such category and still part of words."""


class WordPieces:
    """Texts to numbers of pieces.

    Parameters
    ----------
    file
        `tokenizer.json` of a WordPiece tokenizer whose pieces carry no mark of continuation.
    max_length
        Pieces that a text may have, those of start and end among them.
    """

    def __init__(self, file: Path, *, max_length: int) -> None:
        model = read_json(file)["model"]
        self._numbers: dict[str, int] = model["vocab"]
        self._longest_word = int(model["max_input_chars_per_word"])
        self._longest_piece = max(map(len, self._numbers))
        self._max_length = max_length
        self._pad, self._start, self._end, self._unknown = (
            self._numbers[name] for name in ("[pad]", "[start]", "[end]", model["unk_token"])
        )
        self._special = {name for name in self._numbers if name.startswith("[") and name.endswith("]")}

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Pieces of each text, uncut, with start and end."""
        return [len(self._pieces(text)) + 2 for text in texts]

    def __call__(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Numbers (n_texts, length of the longest), padded at the end; texts that are too long are cut."""
        room = self._max_length - 2
        rows = [[self._start, *self._pieces(text)[:room], self._end] for text in texts]
        filled = np.full((len(rows), max(map(len, rows), default=0)), self._pad, dtype=np.int64)
        for row, numbers in zip(filled, rows, strict=True):
            row[: len(numbers)] = numbers
        return filled

    def _pieces(self, text: str) -> list[int]:
        return [number for word in _words(_plain(text)) for number in self._split(word)]

    def _split(self, word: str) -> list[int]:
        """Longest pieces first; a word with a part that has none is unknown as a whole."""
        if len(word) > self._longest_word:
            return [self._unknown]
        found: list[int] = []
        at = 0
        while at < len(word):
            stop = min(len(word), at + self._longest_piece)
            while stop > at and (word[at:stop] not in self._numbers or word[at:stop] in self._special):
                stop -= 1
            if stop == at:
                return [self._unknown]
            found.append(self._numbers[word[at:stop]])
            at = stop
        return found


def _plain(text: str) -> str:
    """Decomposed, without accents, in small letters; underscores are blanks."""
    decomposed = unicodedata.normalize("NFD", text)
    kept = (sign for sign in decomposed if not unicodedata.category(sign).startswith("M"))
    return "".join(sign.lower() for sign in kept).replace("_", " ")


def _words(text: str) -> Iterator[str]:
    """Runs of letters and digits, and runs of other signs, without the blanks between them."""
    for kind, run in groupby(text, key=_kind):
        if kind != "blank":
            yield "".join(run)


def _kind(sign: str) -> str:
    if sign.isspace() and sign not in _SEPARATORS:
        return "blank"
    return "word" if unicodedata.category(sign) in _WORD_CATEGORIES or sign in _WORD_SIGNS else "sign"
