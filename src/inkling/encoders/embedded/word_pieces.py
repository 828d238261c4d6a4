"""The tokenizers of the embedded encoders in plain Python, so that a light installation encodes class texts.

They read the `tokenizer.json` of two kinds of tokenizer. Both put text into a plain form, split it into words and
signs, and each of them into the longest pieces that the vocabulary has (WordPiece; Wu and others 2016, 1609.08144).
The `tokenizers` library gives the same numbers; tests hold this to it. Names of special pieces that stand in a text,
such as "[SEP]", are text here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.files import read_json
from inkling.errors import EncoderError

_WORD_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "Pc"})
_SEPARATORS = "\x1c\x1d\x1e\x1f"
"""Blanks to Python, and not to Unicode."""
_WORD_SIGNS = frozenset("\u200c\u200d").union(
    *(map(chr, range(first, last + 1)) for first, last in ((0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169)))
)
"""Joiners and letters in circles and squares, which are of no such category and still part of words."""
_IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
"""Blocks of Chinese characters, each of which is a word of its own to BERT."""
_ASCII_SIGNS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")

_NORMALIZER_OF_BERT = {
    "type": "BertNormalizer",
    "clean_text": True,
    "handle_chinese_chars": True,
    "strip_accents": None,
    "lowercase": True,
}
_NORMALIZERS_OF_SKETCH = ["NFD", "StripAccents", "Lowercase", "Replace"]


@dataclass(frozen=True)
class _Kind:
    """How one kind of tokenizer reads text.

    Attributes
    ----------
    plain
        Text to its plain form.
    words
        Plain text to words and signs.
    pad, start, end
        Pieces without text.
    """

    plain: Callable[[str], str]
    words: Callable[[str], Iterable[str]]
    pad: str
    start: str
    end: str


class WordPieces:
    """Texts to numbers of pieces.

    Parameters
    ----------
    file
        `tokenizer.json` of a WordPiece tokenizer: uncased BERT's, or `sketch`'s.
    max_length
        Pieces that a text may have, those of start and end among them.

    Raises
    ------
    EncoderError
        If the file can't be read, or describes a tokenizer of another kind.
    """

    def __init__(self, file: Path, *, max_length: int) -> None:
        described = read_json(file)
        self._kind = _kind_of(described, file)
        model = described["model"]
        self._numbers: dict[str, int] = model["vocab"]
        self._continued: str = model["continuing_subword_prefix"]
        self._longest_word = int(model["max_input_chars_per_word"])
        self._longest_piece = max(map(len, self._numbers))
        self._max_length = max_length
        self._pad, self._start, self._end, self._unknown = (
            self._numbers[name] for name in (self._kind.pad, self._kind.start, self._kind.end, model["unk_token"])
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
        return [number for word in self._kind.words(self._kind.plain(text)) for number in self._split(word)]

    def _split(self, word: str) -> list[int]:
        """Longest pieces first; a word with a part that has none is unknown as a whole."""
        if len(word) > self._longest_word:
            return [self._unknown]
        found: list[int] = []
        at = 0
        while at < len(word):
            mark = self._continued if at else ""
            stop = min(len(word), at + self._longest_piece)
            while stop > at and ((piece := mark + word[at:stop]) not in self._numbers or piece in self._special):
                stop -= 1
            if stop == at:
                return [self._unknown]
            found.append(self._numbers[piece])
            at = stop
        return found


def _kind_of(described: Mapping[str, Any], file: Path) -> _Kind:
    normalizer = described.get("normalizer") or {}
    if normalizer == _NORMALIZER_OF_BERT:
        return _Kind(_plain_of_bert, _words_of_bert, "[PAD]", "[CLS]", "[SEP]")
    if [step.get("type") for step in normalizer.get("normalizers", ())] == _NORMALIZERS_OF_SKETCH:
        return _Kind(_plain, _words, "[pad]", "[start]", "[end]")
    raise EncoderError(
        f"The tokenizer {file} is neither that of uncased BERT nor that of 'sketch'.",
        remedy="Use the tokenizer.json that belongs to the model.",
    )


def _plain(text: str) -> str:
    """Decomposed, without accents, in small letters; underscores are blanks."""
    decomposed = unicodedata.normalize("NFD", text)
    kept = (sign for sign in decomposed if not unicodedata.category(sign).startswith("M"))
    return "".join(sign.lower() for sign in kept).replace("_", " ")


def _words(text: str) -> Iterator[str]:
    """Runs of letters and digits, and runs of other signs, without the blanks between them."""
    for kind, run in groupby(text, key=_kind_of_sign):
        if kind != "blank":
            yield "".join(run)


def _kind_of_sign(sign: str) -> str:
    if _is_blank(sign):
        return "blank"
    return "word" if unicodedata.category(sign) in _WORD_CATEGORIES or sign in _WORD_SIGNS else "sign"


def _is_blank(sign: str) -> bool:
    return sign.isspace() and sign not in _SEPARATORS


def _plain_of_bert(text: str) -> str:
    """Without control characters and accents, in small letters; ideographs stand alone."""
    kept = "".join(" " if sign.isspace() else sign for sign in text if not _is_control(sign))
    spaced = "".join(f" {sign} " if _is_ideograph(sign) else sign for sign in kept)
    decomposed = unicodedata.normalize("NFD", spaced)
    return "".join(sign.lower() for sign in decomposed if unicodedata.category(sign) != "Mn")


def _words_of_bert(text: str) -> Iterator[str]:
    """Runs of anything but blanks and punctuation, and each sign of punctuation by itself."""
    for word in text.split(" "):
        for is_sign, run in groupby(word, key=_is_punctuation):
            signs = "".join(run)
            yield from signs if is_sign else (signs,)


def _is_control(sign: str) -> bool:
    return sign in "\0\ufffd" or (unicodedata.category(sign).startswith("C") and sign not in "\t\n\r")


def _is_ideograph(sign: str) -> bool:
    return any(first <= ord(sign) <= last for first, last in _IDEOGRAPHS)


def _is_punctuation(sign: str) -> bool:
    return sign in _ASCII_SIGNS or unicodedata.category(sign).startswith("P")
