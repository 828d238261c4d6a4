"""Texts to the tokens that a text tower reads. Imports transformers, so it is imported when texts are encoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import transformers
from torch import Tensor

from inkling.encoders.text_forms import canonical
from inkling.encoders.text_length import warn_of_cuts
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.errors import EncoderError
from inkling.wording import excerpt

_OWN_TOKENIZER = "Copy the tokenizer files that belong to the model into its folder."
_FEWEST_TO_FILL, _MOST_TO_FILL = 8, 128


class Tokenizer:
    """The tokenizer of a model folder, with the padding that its family was trained with.

    Texts are padded to the longest of them, which changes nothing under causal attention and saves most of the work;
    families without it get their full length.
    """

    def __init__(self, folder: ModelFolder) -> None:
        self._tower = folder.text_tower
        self._longest = folder.text_length
        self._tokenizer = _open(folder)

    def __call__(self, texts: Sequence[str]) -> dict[str, Tensor]:
        """Arguments of the text tower, each (n_texts, n_tokens); texts that are too long are cut, with a warning."""
        if self._tower.canonical and not hasattr(self._tokenizer, "canonicalize_text"):
            texts = [canonical(text) for text in texts]
        self._warn_of_cuts(texts)
        return dict(
            self._tokenizer(
                list(texts),
                padding="max_length" if self._tower.pads_to_full_length else "longest",
                truncation=True,
                max_length=self._longest,
                return_tensors="pt",
            )
        )

    def _warn_of_cuts(self, texts: Sequence[str]) -> None:
        lengths = [len(ids) for ids in self._tokenizer(list(texts), verbose=False)["input_ids"]]
        cut = [text for text, length in zip(texts, lengths, strict=True) if length > self._longest]
        warn_of_cuts(cut, longest=self._longest)


def _open(folder: ModelFolder) -> Any:
    """The tokenizer of a folder, if its numbers are those that the text tower knows."""
    if not folder.has_tokenizer:  # the library would make up an empty one
        raise EncoderError(
            f"The folder {folder.path} has no tokenizer: no file of it holds a vocabulary.", remedy=_OWN_TOKENIZER
        )
    try:
        kind: Any = getattr(transformers, folder.tokenizer_class or "AutoTokenizer")
        tokenizer: Any = kind.from_pretrained(folder.path, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # of damaged files and missing ones, by kinds that change with releases
        raise EncoderError(
            f"The tokenizer in {folder.path} can't be read: {excerpt(error)}.", remedy=_OWN_TOKENIZER
        ) from error
    known, _ = folder.vocabulary
    if not _fits(len(tokenizer), known):
        raise EncoderError(
            f"The tokenizer in {folder.path} has {len(tokenizer):,} tokens; the text tower knows {known:,}.",
            remedy=_OWN_TOKENIZER,
        )
    return tokenizer


def _fits(tokens: int, known: int) -> bool:
    """Rows beyond the vocabulary are there only to fill up to a multiple that processors like."""
    filled_up = known % _FEWEST_TO_FILL == 0 and known - tokens < _MOST_TO_FILL
    return tokens == known or (tokens < known and filled_up)
