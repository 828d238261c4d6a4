"""A vocabulary encoded by an encoder: names for images unlike every known class, and names to compare images with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkling.classifier.class_texts import text_matrix
from inkling.discovery.naming import Namer
from inkling.discovery.vocabulary import Vocabulary, common_nouns, unrelated_names
from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import Progress, embed_texts
from inkling.encoders.base import Encoder
from inkling.errors import InputError
from inkling.prompts import resolve_templates
from inkling.types import ClassEntry, FloatArray
from inkling.unknown import Negatives, mine_negatives
from inkling.wording import excerpt

NOUNS = "nouns"
"""Name of the embedded vocabulary."""


def read_vocabulary(name: str | None) -> Vocabulary | None:
    """Names from a file, one a line; ``nouns`` gives the embedded list of common nouns.

    Raises
    ------
    InputError
        If the file can't be read or holds no name.
    """
    if name is None:
        return None
    if name == NOUNS:
        return common_nouns()
    try:
        return Vocabulary.of_names(Path(name).read_text(encoding="utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The vocabulary '{name}' can't be read: {excerpt(error)}.",
            remedy=f"Give a text file in UTF-8 with one name a line, or '{NOUNS}' for the embedded common nouns.",
        ) from error


def namer_for(
    vocabulary: Vocabulary,
    *,
    encoder: Encoder,
    cache: EmbeddingCache | None,
    background: FloatArray,
    entries: Sequence[ClassEntry],
    progress: Progress | None = None,
) -> Namer:
    """Names of the vocabulary with text vectors, but for those that known classes have.

    Parameters
    ----------
    background
        Unit vectors (m, d) of images in general, by which names that suit every image are held back.
    entries
        The known classes.
    progress
        Called with the number of names that have text vectors.
    """
    names, vectors = _encoded(vocabulary.candidates(), encoder, cache, progress)
    return Namer.of(
        names,
        vectors,
        background,
        vocabulary=vocabulary,
        taken=_names_of(entries),
        logit_scale=encoder.identity.logit_scale,
    )


def negatives_for(
    vocabulary: Vocabulary | None,
    entries: Sequence[ClassEntry],
    *,
    encoder: Encoder,
    cache: EmbeddingCache | None,
    progress: Progress | None = None,
) -> Negatives | None:
    """Names to compare images with: those that lie farthest from all known classes, and are related to none.

    Parameters
    ----------
    entries
        The known classes, with their text vectors.
    progress
        Called with the number of names that have text vectors.

    Returns
    -------
    Negatives or None
        None without a vocabulary, or where the encoder has no text for any class, or for any name.
    """
    if vocabulary is None:
        return None
    text = text_matrix(entries, encoder.identity.dimension)
    names, vectors = _encoded(unrelated_names(_names_of(entries), vocabulary), encoder, cache, progress)
    if text is None or not names:
        return None
    rows = mine_negatives(vectors, text)
    return Negatives(tuple(names[row] for row in rows), vectors[rows])


def remaining_negatives(negatives: Negatives | None, entries: Sequence[ClassEntry]) -> Negatives | None:
    """Of some negatives those that are related to none of the classes there are now; None for none."""
    if negatives is None:
        return None
    left = negatives.only(set(unrelated_names(_names_of(entries), Vocabulary.of_names(negatives.names))))
    return left if left.names else None


def require_no_vocabulary(vocabulary: Vocabulary | None) -> None:
    """Refuse a vocabulary where nothing encodes its names.

    Raises
    ------
    InputError
        If there is one.
    """
    if vocabulary is not None:
        raise InputError(
            "Only an encoder can encode the names of a vocabulary, and there are only vectors.",
            remedy="Name the encoder that made the vectors, or leave the vocabulary out.",
        )


def require_texts(encoder: Encoder, vocabulary: Vocabulary | None) -> None:
    """Refuse an encoder that can't encode the names of a vocabulary, where there is one.

    Raises
    ------
    InputError
        If it has no text side.
    """
    if vocabulary is not None and not encoder.has_texts:
        raise InputError(
            f"The encoder '{encoder.identity.name}' has no text side, so a vocabulary says nothing to it.",
            remedy="Leave the vocabulary out, or use an encoder with texts.",
        )


def _names_of(entries: Sequence[ClassEntry]) -> list[str]:
    return [name for entry in entries for name in (entry.name, *entry.aliases)]


def _encoded(
    names: Sequence[str], encoder: Encoder, cache: EmbeddingCache | None, progress: Progress | None
) -> tuple[list[str], NDArray[np.float32]]:
    """Those of the names that the encoder has a text for, with their unit text vectors (n, d)."""
    (template, *_) = resolve_templates(None, only=encoder.text_template)
    texts = {name: template.replace("{}", name) for name in names}
    missing = set(encoder.missing_texts(list(texts.values())))
    known = {name: text for name, text in texts.items() if text not in missing}
    return list(known), embed_texts(list(known.values()), encoder, cache=cache, progress=progress)
