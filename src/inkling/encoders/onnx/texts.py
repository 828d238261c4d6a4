"""The text sides of ONNX folders: none, a closed table of names, or a text model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.onnx.description import TextModel, TextTable
from inkling.encoders.onnx.session import Session
from inkling.encoders.text_forms import TEXT_FORMS
from inkling.encoders.text_length import warn_of_cuts
from inkling.encoders.vectors import unit_vectors
from inkling.errors import EncoderError, require
from inkling.wording import excerpt, quoted

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_TEXTS_AT_ONCE = 64

_ENOUGH_ALIKE = 1e-4
"""By how much vectors may differ that a model gives for one text, padded and not, before padding is said to matter."""


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
            remedy="Fit on images alone, or give it one: 'texts' in its encoder.json, or its repository's text model.",
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
    """An ONNX text model and its tokenizer.

    Texts of the same number of tokens are run together, so that the vector of a text doesn't depend on its neighbours,
    save where the model reads a fixed number.

    Parameters
    ----------
    described
        What they are.
    dimension
        Length of the vectors.
    session
        That of the image side, where both towers stand in one file.
    other
        What the image side of such a file is given while texts are encoded.
    """

    template = None

    def __init__(
        self,
        described: TextModel,
        dimension: int,
        *,
        session: Session | None = None,
        other: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        self._described = described
        self._dimension = dimension
        self._session = session or Session(described.file, device="cpu")
        self._other = dict(other or {})

    @property
    def files(self) -> tuple[Path, ...]:
        """Model, its weights and tokenizer."""
        return (self._described.file, *self._described.external, self._described.tokenizer)

    @property
    def settings(self) -> str:
        """How texts become tokens. What files with an `encoder.json` can say reads as in earlier releases."""
        it = self._described
        further = (it.form, it.pad_token) if it.form not in ("as_is", "lower") or it.pad_token else ()
        return " ".join(map(str, (it.max_length, it.pad_to, it.form == "lower", *further)))

    def missing(self, texts: Sequence[str]) -> list[str]:  # noqa: ARG002 - as the Protocol has it
        """None of them is missing."""
        return []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts."""
        vectors = np.empty((len(texts), self._dimension), np.float32)
        if not len(texts):
            return vectors
        encoded = self._encoded(texts)
        by_length: dict[int, list[int]] = defaultdict(list)
        for place, one in enumerate(encoded):
            by_length[len(one.ids)].append(place)
        at_once = 1 if self._described.alone else _TEXTS_AT_ONCE
        for places in by_length.values():
            for start in range(0, len(places), at_once):
                some = places[start : start + at_once]
                vectors[some] = self._run([encoded[place] for place in some])
        return vectors

    def _encoded(self, texts: Sequence[str]) -> list[Encoding]:
        described = self._described
        formed = [TEXT_FORMS[described.form](text) for text in texts]
        encoded: list[Encoding] = self._tokenizer.encode_batch(formed)
        cut = [text for text, one in zip(texts, encoded, strict=True) if one.overflowing]
        warn_of_cuts(cut, longest=described.max_length)
        if self._pads_to is not None:
            for one in encoded:
                one.pad(self._pads_to, **self._padding)
        return encoded

    def _run(self, encoded: Sequence[Encoding]) -> NDArray[np.float32]:
        """Unit vectors of texts of one length."""
        tokens = np.asarray([one.ids for one in encoded], np.int64)
        mask = np.asarray([one.attention_mask for one in encoded], np.int64)
        further = {
            "attention_mask": mask if self._described.masks_padding else np.ones_like(mask),
            "token_type_ids": np.zeros_like(tokens),
            "position_ids": np.broadcast_to(np.arange(tokens.shape[1]), tokens.shape),
        }
        known = {self._described.input: tokens, **further, **self._other}
        given = {name: known[name] for name in self._session.inputs if name in known} | {self._described.input: tokens}
        (vectors,) = self._session.run([self._described.output], given)
        return unit_vectors(vectors if vectors.ndim == 2 else vectors[:, 0])

    @cached_property
    def _pads_to(self) -> int | None:
        described = self._described
        if not described.tries_padding:
            return described.pad_to
        one, padded = self._tokenizer.encode("a photo"), self._tokenizer.encode("a photo")
        padded.pad(described.max_length, **self._padding)
        differs = np.abs(self._run([one]) - self._run([padded])).max() > _ENOUGH_ALIKE
        return described.max_length if differs else None

    @cached_property
    def _padding(self) -> Mapping[str, Any]:
        """How texts are padded."""
        described, (tokenizer, own) = self._described, self._tokenizer_and_padding
        number = tokenizer.token_to_id(described.pad_token) if described.pad_token else None
        if number is not None:
            return {"direction": described.pad_side, "pad_id": number, "pad_token": described.pad_token}
        found = own or {"pad_id": 0, "pad_token": "[PAD]"}
        return {"pad_id": found["pad_id"], "pad_token": found["pad_token"]}

    @property
    def _tokenizer(self) -> Tokenizer:
        return self._tokenizer_and_padding[0]

    @cached_property
    def _tokenizer_and_padding(self) -> tuple[Tokenizer, Mapping[str, Any] | None]:
        """The tokenizer, made to cut and not to pad, and how its own file pads."""
        described = self._described
        library = require("tokenizers", extra="tokenizers", purpose=f"The text side in {described.file.parent}")
        try:
            tokenizer: Tokenizer = library.Tokenizer.from_file(str(described.tokenizer))
        except Exception as error:  # the tokenizers library raises plain Exception
            raise EncoderError(f"The tokenizer {described.tokenizer} can't be read: {excerpt(error)}.") from error
        size, room = tokenizer.get_vocab_size(with_added_tokens=False), described.vocabulary
        if room is not None and size > room:
            raise EncoderError(
                f"The tokenizer {described.tokenizer} has {size} tokens; the text model {described.file} knows {room}.",
                remedy="Use the tokenizer that belongs to the model.",
            )
        padding = tokenizer.padding
        tokenizer.enable_truncation(described.max_length)
        tokenizer.no_padding()
        return tokenizer, padding


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
