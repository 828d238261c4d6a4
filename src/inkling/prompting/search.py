"""The search for better words: every set of templates and every wording, tried on labelled images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from inkling.classifier.fitted import require_classes
from inkling.classifier.labelled import labelled_samples
from inkling.discovery.vocabulary import Vocabulary, common_nouns
from inkling.embeddings.cache import EmbeddingCache, opened_cache
from inkling.embeddings.embed import Progress, embed_texts
from inkling.embeddings.samples import Samples, embed_samples
from inkling.encoders.base import Encoder
from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
from inkling.encoders.registry import load_encoder
from inkling.errors import InputError
from inkling.evaluate.uncertainty import Interval, paired_difference
from inkling.heads.checks import name_some
from inkling.images.handed_over import read_images
from inkling.prompting.choose import choose_set, out_of_fold_logits
from inkling.prompting.wordings import Wording, wordings
from inkling.prompts import TEMPLATE_SETS, ClassPrompts, mean_text_vector, resolve_templates
from inkling.types import FloatArray, IntArray, SkippedImage

SEED = 0
"""Draws the folds."""


@dataclass(frozen=True)
class Confusion:
    """A class whose images the texts call another one.

    Attributes
    ----------
    name, other
        The class, and what its images are called most often instead.
    share
        Of its images.
    """

    name: str
    other: str
    share: float


@dataclass(frozen=True, eq=False)
class PromptSearch:
    """What a search for better words found.

    Attributes
    ----------
    prompts
        What to use: what the search chose where it gains, else what was given.
    texts
        All texts of each class by these.
    gains
        Whether it does: out of fold, beyond chance.
    templates
        Name of the set of templates that was chosen.
    changes
        For each class whose wording was changed what was done.
    top1_given, top1_found
        Zero-shot accuracy of the given words, and out of fold of those that were found.
    difference
        95 % interval of their difference.
    confusions
        By the given words, the worst first.
    n_images
        How many images it rests on.
    skipped
        Images that could not be used, and why.

    Examples
    --------
    >>> found = search_prompts("photos/train", encoder="sketch", cache=False)
    >>> found.n_images, [one.name for one in found.prompts]
    (24, ['castle', 'cat', 'tree'])
    """

    prompts: tuple[ClassPrompts, ...]
    texts: Mapping[str, tuple[str, ...]]
    gains: bool
    templates: str
    changes: Mapping[str, str]
    top1_given: float
    top1_found: float
    difference: Interval
    confusions: tuple[Confusion, ...]
    n_images: int
    skipped: tuple[SkippedImage, ...] = ()


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Wordings of every class for every set of templates, their text vectors, and the templates that `fit` takes."""

    templates: tuple[str, ...]
    sets: tuple[str, ...]
    wordings: tuple[tuple[tuple[Wording, ...], ...], ...]
    vectors: tuple[tuple[FloatArray, ...], ...]


def search_prompts(
    images: Any,
    labels: Any = None,
    *,
    encoder: str | Path | Encoder = DEFAULT_FOR_PHOTOGRAPHS,
    prompts: Sequence[ClassPrompts] = (),
    vocabulary: Vocabulary | None = None,
    cache: bool | str | Path = True,
    progress: Progress | None = None,
) -> PromptSearch:
    """Try words for classes on labelled images; what comes out is used only where images not chosen by show a gain.

    Parameters
    ----------
    images, labels
        As for `inkling.FewShotClassifier.fit`.
    encoder
        With a text side.
    prompts
        Words to begin with; None: the names of the classes.
    vocabulary
        Knows wider meanings and synonyms; None: common nouns.
    cache
        As for `inkling.FewShotClassifier`.
    progress
        Called with the progress of embedding.

    Raises
    ------
    InputError
        If the encoder has no texts, or there are fewer than two classes that it knows.

    Examples
    --------
    >>> search_prompts("photos/train", encoder="sketch", cache=False).n_images
    24
    """
    opened = load_encoder(encoder) if isinstance(encoder, str | Path) else encoder
    if not opened.has_texts:
        raise InputError(
            f"The encoder '{opened.identity.name}' has no text side, so words make no difference to it.",
            remedy="Use an encoder with texts.",
        )
    own = {entry.name: entry for entry in prompts}
    with opened_cache(cache) as kept:
        found = read_images(images, labels, split="train")
        samples = labelled_samples(found, partial(embed_samples, encoder=opened, cache=kept, progress=progress))
        names = sorted({str(label) for label in samples.labels})
        require_classes(names)
        given = [own.get(name) or ClassPrompts(name) for name in names]
        return search_among(samples, given, vocabulary or common_nouns(), encoder=opened, cache=kept)


def search_among(
    samples: Samples,
    given: Sequence[ClassPrompts],
    vocabulary: Vocabulary,
    *,
    encoder: Encoder,
    cache: EmbeddingCache | None = None,
) -> PromptSearch:
    """As `search_prompts`, on samples of the classes that are given, sorted by name.

    Raises
    ------
    InputError
        If the encoder does not know a class by what was given.
    """
    found = _candidates(given, vocabulary, encoder, cache)
    return _judged(samples, [one.name for one in given], given, found)


def _candidates(
    given: Sequence[ClassPrompts], vocabulary: Vocabulary, encoder: Encoder, cache: EmbeddingCache | None
) -> _Candidates:
    """All that the encoder knows the words of.

    Raises
    ------
    InputError
        If it does not know a class by what was given.
    """
    only = encoder.text_template
    sets = {"its own": (only,)} if only else TEMPLATE_SETS
    told = {
        name: tuple(_known(wordings(one, vocabulary, templates=templates), templates, encoder) for one in given)
        for name, templates in sets.items()
    }
    unknown = [one.name for one, some in zip(given, next(iter(told.values())), strict=True) if not some]
    if unknown:
        raise InputError(
            f"The encoder '{encoder.identity.name}' has no text vector of {name_some(unknown)}.",
            remedy="Describe these classes in a file of prompts, or leave them out.",
        )
    texts = {text for name, of in told.items() for some in of for one in some for text in one.prompts.texts(sets[name])}
    ordered = sorted(texts)
    vector = dict(zip(ordered, embed_texts(ordered, encoder, cache=cache), strict=True))
    vectors = tuple(
        tuple(
            np.stack([mean_text_vector(np.stack([vector[t] for t in one.prompts.texts(sets[name])])) for one in some])
            for some in of
        )
        for name, of in told.items()
    )
    return _Candidates(resolve_templates(None, only=only), tuple(told), tuple(told.values()), vectors)


def _known(found: Sequence[Wording], templates: Sequence[str], encoder: Encoder) -> tuple[Wording, ...]:
    missing = set(encoder.missing_texts([text for one in found for text in one.prompts.texts(templates)]))
    return tuple(one for one in found if missing.isdisjoint(one.prompts.texts(templates)))


def _judged(samples: Samples, names: Sequence[str], given: Sequence[ClassPrompts], found: _Candidates) -> PromptSearch:
    X = samples.embeddings.astype(np.float64)
    y = np.searchsorted(names, [str(label) for label in samples.labels])
    scale = samples.identity.logit_scale
    before = X @ np.stack([of_class[0] for of_class in found.vectors[0]]).T
    after = out_of_fold_logits(X, y, samples.sources, found.vectors, logit_scale=scale, seed=SEED)
    right = [logits.argmax(axis=1) == y for logits in (before, after)]
    difference = paired_difference(right[1], right[0])
    at, chosen, _ = choose_set(X, y, found.vectors, logit_scale=scale)
    words = [some[one] for some, one in zip(found.wordings[at], chosen, strict=True)]
    gains = bool(difference.low > 0)
    used = tuple(_spelled_out(one.prompts, found.sets[at]) for one in words) if gains else tuple(given)
    return PromptSearch(
        prompts=used,
        texts={one.name: one.texts(found.templates) for one in used},
        gains=gains,
        templates=found.sets[at],
        changes={one.prompts.name: one.what for one, number in zip(words, chosen, strict=True) if number},
        top1_given=float(right[0].mean()),
        top1_found=float(right[1].mean()),
        difference=difference,
        confusions=_confusions(before, y, names),
        n_images=len(y),
        skipped=samples.skipped,
    )


def _spelled_out(prompts: ClassPrompts, templates: str) -> ClassPrompts:
    """With the templates in it, where they aren't those that `fit` takes by itself."""
    if prompts.prompts or templates not in TEMPLATE_SETS or templates == "default":
        return prompts
    return ClassPrompts(prompts.name, TEMPLATE_SETS[templates], prompts.aliases, prompts.disambiguation)


def _confusions(logits: FloatArray, y: IntArray, names: Sequence[str]) -> tuple[Confusion, ...]:
    likeliest = logits.argmax(axis=1)
    found = []
    for k, name in enumerate(names):
        others = np.bincount(likeliest[y == k], minlength=len(names))
        total = others.sum()
        others[k] = 0
        if others.any():
            found.append(Confusion(name, names[int(others.argmax())], float(others.max() / total)))
    return tuple(sorted(found, key=lambda one: -one.share))
