"""Every error that a user can cause or resolve. Each says what was expected, what came, and what to do.

The command line prints these without a traceback and exits with code 2; anything else that is raised is a defect.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from inkling.redaction import redacted


class InklingError(Exception):
    """Base of all errors that are shown to the user.

    Parameters
    ----------
    message
        What was expected and what came instead, in one or two sentences.
    remedy
        What the user can do about it. Secrets in both are hidden, see `inkling.redaction`.

    Attributes
    ----------
    skipped
        Images (`inkling.types.SkippedImage`) that were left out before it came to this, which may be the cause.

    Examples
    --------
    >>> try:
    ...     classifier = FewShotClassifier(views=0)
    ... except InklingError as error:
    ...     print(error.message, error.remedy)
    views must be a whole number, 1 or more, got 0. 1 is the image itself.
    """

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        message = redacted(message)
        remedy = None if remedy is None else redacted(remedy)
        super().__init__(message if remedy is None else f"{message}\n{remedy}")
        self.message = message
        self.remedy = remedy
        self.skipped: Sequence[Any] = ()


class InputError(InklingError, ValueError):
    """An argument, a folder, a table or an array is not what the operation needs.

    A `ValueError` too, as callers of scikit-learn estimators expect.
    """


class MissingError(InputError):
    """There is no such proposal, class, image or event."""


class ConflictError(InputError):
    """What is asked for no longer fits what is there: it was decided about meanwhile, or the name is taken."""


class EncoderError(InklingError):
    """An encoder cannot be found, loaded or asked for what it does not offer."""


class EncoderMismatchError(EncoderError):
    """Vectors of one encoder meet vectors, a head or a memory of another."""


class MemoryFileError(InklingError):
    """A memory file is missing, damaged, foreign or of a newer release."""


class MemoryChangedError(MemoryFileError):
    """A memory has another version than the one that a change was prepared from. Nothing was written."""


class CacheError(InklingError):
    """The embedding cache cannot be read or written."""


class UnreadableImageError(InklingError):
    """One image cannot be decoded. The run goes on: the image becomes a `SkippedImage`."""


class MissingExtraError(InklingError):
    """A feature needs a package that the core installation leaves out."""


class UnlikeTrainingWarning(UserWarning):
    """Images differ from those that a promise rests on, by more than chance allows."""


class SkippedImagesWarning(UserWarning):
    """Images were left out, as unreadable or without a label. Python callers are warned; verbs print a list."""


def require(module: str, *, extra: str, purpose: str = "This") -> ModuleType:
    """Import an optional dependency, or say which pip command adds it.

    Parameters
    ----------
    module
        What to import.
    extra
        Extra of this package that brings it.
    purpose
        What needs it, as the first words of a sentence.

    Raises
    ------
    MissingExtraError
        If the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{purpose} needs the package '{module}', which is not installed.",
            remedy=f"Install it with: pip install 'inkling-vision[{extra}]'",
        ) from error
