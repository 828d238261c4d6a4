"""Forms that texts take before they become tokens: models are asked in the form that they were trained with."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from typing import Literal

TextForm = Literal["as_is", "spaces", "lower", "canonical"]
"""Names of the forms.

as_is
    Unchanged.
spaces
    Single spaces between words, as the tokenizers of OpenCLIP make them.
lower
    Lower case.
canonical
    Lower case, no punctuation, single spaces; see `canonical`.
"""

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def canonical(text: str) -> str:
    """A text as SigLIP's tower is asked: lower case, no punctuation, single spaces.

    The tokenizer of SigLIP does so itself; that of SigLIP 2, which is Gemma's, doesn't. Zero-shot evaluation of both
    takes this form (``prompt_engineering.py`` of big_vision).
    """
    return " ".join(text.replace("_", " ").translate(_NO_PUNCTUATION).lower().split())


TEXT_FORMS: Mapping[TextForm, Callable[[str], str]] = {
    "as_is": str,
    "spaces": lambda text: " ".join(text.split()),
    "lower": str.lower,
    "canonical": canonical,
}
"""What makes each of them."""
