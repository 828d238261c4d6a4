"""Options of a classifier that cannot be meant, refused where they are given and not where they would first be used."""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from inkling.discovery.vocabulary import Vocabulary
from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
from inkling.encoders.devices import check_device
from inkling.heads import head_class
from inkling.heads.checks import check_option
from inkling.prompts import ClassPrompts, resolve_templates

MAX_SEED = 2**32 - 1
"""The largest seed that NumPy, scikit-learn and torch all accept."""


def check_options(
    encoder: Any, *, head: Any, seed: Any, views: Any, false_alarms: Any, device: Any, cache: Any
) -> None:
    """Refuse options of an `inkling.FewShotClassifier` that cannot be meant.

    Raises
    ------
    InputError
        If one is of another type, out of range, or names something that does not exist.
    """
    check_encoder_option(encoder)
    check_option(isinstance(head, str), "head", head, "the name of a head")
    head_class(head)
    require_whole("seed", seed, least=0, most=MAX_SEED)
    require_whole("views", views, least=1, remedy="1 is the image itself.")
    is_rate = isinstance(false_alarms, int | float | np.number) and 0 < float(false_alarms) < 1
    expected = "None or a rate between 0 and 1"
    check_option(
        false_alarms is None or is_rate, "false_alarms", false_alarms, expected, remedy="0.05 stands for one in twenty."
    )
    check_device(device)
    is_place = isinstance(cache, bool | str | os.PathLike)
    check_option(is_place, "cache", cache, "True for the user's own, False for none, or the path of a folder")


def check_encoder_option(encoder: Any) -> None:
    """Refuse what is neither the name nor the folder of an encoder, nor an encoder.

    Raises
    ------
    InputError
        If it is something else.
    """
    is_one = isinstance(encoder, str | os.PathLike) or callable(getattr(encoder, "encode_images", None))
    expected = "the name or the folder of an encoder, or an inkling.encoders.base.Encoder"
    check_option(is_one, "encoder", encoder, expected, remedy=f"Such as 'sketch', or '{DEFAULT_FOR_PHOTOGRAPHS}'.")


def check_texts(templates: Any, prompts: Any, vocabulary: Any) -> None:
    """Refuse templates, prompts of classes and a vocabulary of another type, or templates without a place for a name.

    Raises
    ------
    InputError
        If they cannot be used.
    """
    are_texts = isinstance(templates, Sequence) and all(isinstance(text, str) for text in templates)
    expected = "None, the name of a set of templates, a template, or a list of them"
    check_option(templates is None or are_texts, "templates", templates, expected)
    resolve_templates(templates)
    are_prompts = isinstance(prompts, Sequence) and all(isinstance(one, ClassPrompts) for one in prompts)
    remedy = "inkling.prompts.read_prompts reads them from a file; hand over the values of what it returns."
    check_option(are_prompts, "prompts", prompts, "a list of ClassPrompts", remedy=remedy)
    is_vocabulary = vocabulary is None or isinstance(vocabulary, Vocabulary)
    remedy = "inkling.discovery.vocabulary.Vocabulary.of_names makes one of a list of names."
    check_option(is_vocabulary, "vocabulary", vocabulary, "None or a Vocabulary", remedy=remedy)


def require_whole(name: str, value: Any, *, least: int, most: int | None = None, remedy: str | None = None) -> None:
    """Refuse what is no whole number within bounds.

    Raises
    ------
    InputError
        Says which numbers there may be.
    """
    fits = isinstance(value, Integral) and not isinstance(value, bool)
    fits = fits and least <= value and (most is None or value <= most)
    bounds = f"{least} or more" if most is None else f"from {least} to {most}"
    check_option(fits, name, value, f"a whole number, {bounds}", remedy=remedy)
