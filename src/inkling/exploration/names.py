"""A vocabulary in the words of an encoder: names that proposals may get."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inkling.discovery.naming import Namer
from inkling.discovery.vocabulary import Vocabulary, common_nouns
from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import embed_texts
from inkling.encoders.base import Encoder
from inkling.errors import InputError
from inkling.memory.content import ClassEntry
from inkling.prompts import resolve_templates
from inkling.types import FloatArray


def read_vocabulary(file: Path | None) -> Vocabulary:
    """Names from a file, one a line; None gives the embedded list of common nouns.

    Raises
    ------
    InputError
        If the file can't be read or holds no name.
    """
    if file is None:
        return common_nouns()
    try:
        return Vocabulary.of_names(file.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The vocabulary '{file}' can't be read: {error}.", remedy="Give a text file in UTF-8 with one name a line."
        ) from error


def namer_for(
    vocabulary: Vocabulary,
    *,
    encoder: Encoder,
    cache: EmbeddingCache | None,
    background: FloatArray,
    entries: Sequence[ClassEntry],
) -> Namer:
    """Names of the vocabulary with text vectors, but for those that known classes have.

    Parameters
    ----------
    background
        Unit vectors (m, d) of images at large, by which names that suit every image are held back.
    entries
        The known classes.
    """
    (template, *_) = resolve_templates(None, only=encoder.text_template)
    texts = {name: template.replace("{}", name) for name in vocabulary.candidates()}
    missing = set(encoder.missing_texts(list(texts.values())))
    known = {name: text for name, text in texts.items() if text not in missing}
    vectors = embed_texts(list(known.values()), encoder, cache=cache) if known else np.zeros((0, background.shape[1]))
    return Namer.of(
        list(known),
        vectors,
        background,
        vocabulary=vocabulary,
        taken=[name for entry in entries for name in (entry.name, *entry.aliases)],
        logit_scale=encoder.identity.logit_scale,
    )
