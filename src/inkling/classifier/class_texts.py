"""Class entries: each with its prompts and text vector, from an encoder or as the caller brings them."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from inkling.classifier.indistinct import is_code, without_same_texts
from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import embed_texts
from inkling.encoders.base import Encoder, unfamiliar
from inkling.errors import InputError
from inkling.heads.checks import name_some
from inkling.labels import check_names
from inkling.prompts import ClassPrompts, mean_text_vector, resolve_templates
from inkling.types import ClassEntry, FloatArray


def embedded_entries(
    names: Iterable[str],
    prompts: Iterable[ClassPrompts],
    *,
    encoder: Encoder,
    cache: EmbeddingCache | None,
    templates: str | Sequence[str] | None,
) -> tuple[ClassEntry, ...]:
    """Each class with its prompts and text vector.

    There is no vector where the encoder knows none of a class's texts, and none where its text would tell nothing: its
    name is a code that no prompts describe, or another class has the same text.

    Classes that only `prompts` name take part if they have a vector: their text is all that is known of them.

    Parameters
    ----------
    names
        Classes that have images.
    templates
        As for `resolve_templates`.

    Raises
    ------
    InputError
        If templates are asked for, and the encoder knows no class in their words; or if a class without images has the
        text of another; or as `inkling.labels.check_names`.
    """
    own = {entry.name: entry for entry in prompts}
    if any(entry.prompts for entry in own.values()) and not encoder.has_texts:
        raise InputError(
            f"The encoder '{encoder.identity.name}' has no text side: it has no vector for any of these prompts.",
            remedy="Leave them out, or use an encoder with texts.",
        )
    seen = set(names)
    check_names(sorted(seen | own.keys()))
    filled = resolve_templates(templates, only=encoder.text_template)
    described = [own.get(name) or ClassPrompts(name) for name in sorted(seen | own.keys())]
    texts = _known_texts(described, filled, encoder)
    if templates is not None and not any(texts.values()):
        raise _unknown_words(encoder)
    told = {name: some for name, some in texts.items() if name in own or not is_code(name)}
    vectors = _vectors([text for some in told.values() for text in some], encoder, cache)
    entries = [
        ClassEntry(entry.name, texts[entry.name], entry.aliases, _mean(told.get(entry.name, ()), vectors))
        for entry in described
        if texts[entry.name] or entry.name in seen
    ]
    distinct = _distinct(entries, seen)
    _warn_of_unfamiliar(distinct, encoder)
    return distinct


def given_entries(
    names: Collection[str], class_names: Sequence[str], text_vectors: FloatArray | None
) -> tuple[ClassEntry, ...]:
    """Classes with text vectors that the caller brings; a row of zeros or NaN means that a class has none.

    Where several have one and the same, it tells nothing: it is left out, with a warning.

    Raises
    ------
    InputError
        If the numbers of names and vectors differ, a name occurs twice, or a class without images has the text of
        another; or as `inkling.labels.check_names`.
    """
    if text_vectors is None:
        check_names(sorted(names))
        return tuple(ClassEntry(name) for name in sorted(names))
    text_vectors = np.asarray(text_vectors, dtype=np.float64)
    if text_vectors.ndim != 2 or len(class_names) != len(text_vectors):
        raise InputError(
            f"Text vectors (n_classes, d) of {len(class_names)} classes were expected; got {text_vectors.shape}.",
            remedy="Hand over one row a class, and in class_names what the rows belong to.",
        )
    with_text = {name: _unit(row) for name, row in zip(class_names, text_vectors, strict=True)}
    if len(with_text) < len(class_names):
        raise InputError("class_names names a class twice.", remedy="Give one row of text vectors a class.")
    kept = {*names, *(name for name, vector in with_text.items() if vector is not None)}
    check_names(sorted(kept))
    entries = [ClassEntry(name, text_vector=with_text.get(name)) for name in sorted(kept)]
    distinct = _distinct(entries, names)
    if lost := [one.name for one, other in zip(entries, distinct, strict=True) if one is not other]:
        warnings.warn(
            f"Texts are left out for classes whose text vector is that of another: {name_some(lost)}.", stacklevel=3
        )
    return distinct


def _distinct(entries: Sequence[ClassEntry], with_images: Collection[str]) -> tuple[ClassEntry, ...]:
    """The classes, without texts that several have.

    Raises
    ------
    InputError
        If nothing is left to know a class by.
    """
    distinct = without_same_texts(entries)
    lost = [entry.name for entry in distinct if entry.text_vector is None and entry.name not in with_images]
    if lost:
        raise InputError(
            f"Classes known by their text alone need a text of their own; these have that of another class: "
            f"{name_some(lost)}.",
            remedy="Give them other prompts, or images.",
        )
    return distinct


def _warn_of_unfamiliar(entries: Sequence[ClassEntry], encoder: Encoder) -> None:
    named = [(entry.name, entry.text_vector) for entry in entries if entry.text_vector is not None]
    if not named:
        return
    far = unfamiliar(encoder, np.stack([vector for _, vector in named]))
    if far.any():
        names = [name for (name, _), is_far in zip(named, far, strict=True) if is_far]
        warnings.warn(
            f"{encoder.identity.name} knows little of {name_some(names)}: text says little there, images do more.",
            stacklevel=4,
        )


def text_matrix(entries: Sequence[ClassEntry], dimension: int) -> FloatArray | None:
    """Text vectors (n_classes, d), NaN where a class has none; None where none has."""
    if all(entry.text_vector is None for entry in entries):
        return None
    nothing = np.full(dimension, np.nan)
    return np.stack([nothing if entry.text_vector is None else entry.text_vector for entry in entries])


def _known_texts(
    described: Sequence[ClassPrompts], templates: Sequence[str], encoder: Encoder
) -> dict[str, tuple[str, ...]]:
    """Texts of each class that the encoder has a vector for."""
    texts = {entry.name: entry.texts(templates) for entry in described}
    missing = set(encoder.missing_texts([text for some in texts.values() for text in some]))
    return {name: tuple(text for text in some if text not in missing) for name, some in texts.items()}


def _vectors(texts: Sequence[str], encoder: Encoder, cache: EmbeddingCache | None) -> Mapping[str, NDArray[np.float32]]:
    if not texts:
        return {}
    return dict(zip(texts, embed_texts(texts, encoder, cache=cache), strict=True))


def _mean(texts: Sequence[str], vectors: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32] | None:
    return mean_text_vector(np.stack([vectors[text] for text in texts])).astype(np.float32) if texts else None


def _unit(row: FloatArray) -> NDArray[np.float32] | None:
    length = np.linalg.norm(row)
    return (row / length).astype(np.float32) if 0 < length < np.inf else None


def _unknown_words(encoder: Encoder) -> InputError:
    only = encoder.text_template
    return InputError(
        f"The encoder '{encoder.identity.name}' knows no class in the words of these templates.",
        remedy="It has no text side: leave the templates out."
        if only is None
        else f"It knows a closed list of names in one template: '{only}'. Leave the templates out.",
    )
