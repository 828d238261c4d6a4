"""Which source each image comes from, such as a burst, a video or a day, as people and tables write it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from inkling.errors import InputError
from inkling.wording import counted, excerpt, kind_of


def read_groups(groups: Any, n: int) -> list[str | None]:
    """Names of the groups of n images, from texts, numbers or dates of any library; None where one has none.

    None, NaN and blank text mean that the image is a source of its own.

    Raises
    ------
    InputError
        If there is not one value an image.

    Examples
    --------
    >>> read_groups([7, 7.0, None, "yard"], 4)
    ['7', '7', None, 'yard']
    """
    if isinstance(groups, str | bytes) or not isinstance(groups, Iterable):
        raise InputError(
            f"groups must be one value an image, got {kind_of(groups)}.",
            remedy="Hand over a list or a column: the video, day or burst of each image.",
        )
    values = groups.tolist() if hasattr(groups, "tolist") else list(groups)
    if len(values) != n:
        raise InputError(
            f"Got {counted(n, 'image')} and {counted(len(values), 'group')}.",
            remedy="Hand over one group an image, None for an image that is a source of its own.",
        )
    return [_name(value) for value in values]


def _name(value: Any) -> str | None:
    if value is None or value != value:  # NaN and NaT are not equal to themselves
        return None
    if isinstance(value, list | tuple | dict | set | np.ndarray):
        raise InputError(
            f"A group must be text, a number or a date, got {excerpt(repr(value))}.",
            remedy="Join several columns to one text.",
        )
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    return text or None
