"""The text sides of ONNX folders: none, a closed table of names, or a text model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.onnx.description import TextModel, TextTable
from inkling.encoders.onnx.session import Session
from inkling.encoders.text_length import warn_of_cuts
from inkling.encoders.vectors import unit_vectors
from inkling.errors import EncoderError, require
from inkling.wording import excerpt, quoted

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_TEXTS_AT_ONCE = 64


class TextSide(Protocol):
    """Texts to unit vectors."""

    @property
    def template(self) -> str | None:
        """The only prompt that is known, or None where any is."""
        ...

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that vectors depend on."""
        ...

    @property
    def settings(self) -> str:
        """What else they depend on."""
        ...

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Texts without a vector."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d)."""
        ...


class NoTexts:
    """Of an encoder of images alone."""

    template = None
    files: tuple[Path, ...] = ()
    settings = ""

    def missing(self, texts: Sequence[str]) -> list[str]:
        """All of them."""
        return list(texts)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:  # noqa: ARG002 - as the Protocol has it
        """Refuse.

        Raises
        ------
        EncoderError
            Always.
        """
        raise EncoderError(
            "This encoder has no text side.",
            remedy="Fit on images alone, or add 'texts' to its encoder.json.",
        )


class TableTexts:
    """A closed vocabulary. A text is found if it is the table's template, filled with one of its names."""

    def __init__(self, described: TextTable, dimension: int) -> None:
        self._described = described
        self._dimension = dimension

    @property
    def template(self) -> str:
        """The prompt that the table's vectors were made from."""
        return self._described.template

    @property
    def files(self) -> tuple[Path, ...]:
        """The table."""
        return (self._described.file,)

    @property
    def settings(self) -> str:
        """The template."""
        return self._described.template

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Texts that aren't the template with a known name."""
        return [text for text in texts if _key(text) not in self._rows]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts.

        Raises
        ------
        EncoderError
            If some aren't in the table.
        """
        missing = self.missing(texts)
        if missing:
            raise EncoderError(
                f"The encoder knows a closed list of {len(self._rows)} texts, all of the form "
                f"'{self.template}'; it lacks {len(missing)}: {', '.join(map(quoted, missing[:5]))}.",
                remedy="Use that template, give aliases that the list knows, or leave these classes without text.",
            )
        rows = [self._rows[_key(text)] for text in texts]
        return unit_vectors(self._vectors[rows])

    @property
    def _rows(self) -> Mapping[str, int]:
        return self._table[0]

    @property
    def _vectors(self) -> NDArray[np.float32]:
        return self._table[1]

    @cached_property
    def _table(self) -> tuple[dict[str, int], NDArray[np.float32]]:
        names, vectors = _read_table(self._described.file, self._dimension)
        return {_key(self.template.replace("{}", name)): row for row, name in enumerate(names)}, vectors


class OpenTexts:
    """An ONNX text model and its tokenizer."""

    template = None

    def __init__(self, described: TextModel, dimension: int) -> None:
        self._described = described
        self._dimension = dimension
        self._session = Session(described.file, device="cpu")

    @property
    def files(self) -> tuple[Path, ...]:
        """Model and tokenizer."""
        return (self._described.file, self._described.tokenizer)

    @property
    def settings(self) -> str:
        """How texts become tokens."""
        described = self._described
        return f"{described.max_length} {described.pad_to} {described.lower_case}"

    def missing(self, texts: Sequence[str]) -> list[str]:  # noqa: ARG002 - as the Protocol has it
        """None of them is missing."""
        return []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts."""
        starts = range(0, len(texts), _TEXTS_AT_ONCE)
        parts = [self._encode_some(texts[at : at + _TEXTS_AT_ONCE]) for at in starts]
        return np.concatenate([np.empty((0, self._dimension), np.float32), *parts])

    def _encode_some(self, texts: Sequence[str]) -> NDArray[np.float32]:
        described = self._described
        lowered = [text.lower() if described.lower_case else text for text in texts]
        encoded = self._tokenizer.encode_batch(lowered)
        warn_of_cuts(
            [text for text, one in zip(texts, encoded, strict=True) if one.overflowing], longest=described.max_length
        )
        tokens = np.asarray([one.ids for one in encoded], np.int64)
        (vectors,) = self._session.run([described.output], {described.input: tokens})
        return unit_vectors(vectors)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        described = self._described
        library = require("tokenizers", extra="tokenizers", purpose=f"The text side in {described.file.parent}")
        try:
            tokenizer: Tokenizer = library.Tokenizer.from_file(str(described.tokenizer))
        except Exception as error:  # the tokenizers library raises plain Exception
            raise EncoderError(f"The tokenizer {described.tokenizer} can't be read: {excerpt(error)}.") from error
        tokenizer.enable_truncation(described.max_length)
        padding = tokenizer.padding or {"pad_id": 0, "pad_token": "[PAD]"}
        tokenizer.enable_padding(pad_id=padding["pad_id"], pad_token=padding["pad_token"], length=described.pad_to)
        return tokenizer


def _key(text: str) -> str:
    """Texts that differ in case or outer space alone are the same to a table."""
    return " ".join(text.lower().split())


def _read_table(file: Path, dimension: int) -> tuple[list[str], NDArray[np.float32]]:
    try:
        with np.load(file, allow_pickle=False) as table:
            names, vectors = table["names"], np.asarray(table["vectors"], np.float32)
    except Exception as error:  # zipfile, zlib and numpy each have their own for a damaged file
        raise EncoderError(
            f"The text table {file} can't be read: {excerpt(error)}.",
            remedy="Expected an npz with 'names' (n,) of text and 'vectors' (n, d) of numbers.",
        ) from error
    if names.ndim != 1 or names.dtype.kind != "U" or vectors.shape != (len(names), dimension):
        raise EncoderError(
            f"The text table {file} holds names of shape {names.shape} and type {names.dtype} and vectors of "
            f"shape {vectors.shape}; expected (n,) of text and (n, {dimension}).",
        )
    if not np.isfinite(vectors).all() or not np.linalg.norm(vectors, axis=1).all():
        raise EncoderError(f"The text table {file} holds vectors that aren't finite or have length zero.")
    return [str(name) for name in names], vectors
