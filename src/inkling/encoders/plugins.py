"""Encoders of other installed packages, which register them under the entry point group `inkling.encoders`.

An entry point names a callable that takes the keywords ``device`` and ``precision`` and returns an `Encoder`. Nothing
of a package is imported before its encoder is asked for.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from inkling.encoders.base import Encoder
from inkling.encoders.cards import PLUGIN, EncoderCard
from inkling.errors import EncoderError, InklingError
from inkling.types import EncoderIdentity
from inkling.wording import excerpt

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "inkling.encoders"
_NAME = re.compile(r"[\w.-]+")
_MEMBERS = ("identity", "has_texts", "text_template", "shorter_side")
_METHODS = ("prepare", "encode_images", "encode_texts", "missing_texts")


def names() -> list[str]:
    """Names that installed packages have registered."""
    return list(_registered())


def open_registered(name: str, *, device: str, precision: str) -> Encoder | None:
    """The encoder that a package has registered under a name; None where there is none.

    Raises
    ------
    EncoderError
        If two packages have, or the package cannot be imported, or what it gives is no encoder.
    """
    entries = _registered().get(name, [])
    if not entries:
        return None
    if len(entries) > 1:
        raise EncoderError(
            f"Several packages register an encoder '{name}': {', '.join(map(_package, entries))}.",
            remedy="Uninstall all but one of them.",
        )
    (entry,) = entries
    try:
        encoder = entry.load()(device=device, precision=precision)
    except InklingError:
        raise
    except Exception as error:  # whatever a foreign package raises
        raise EncoderError(
            f"The encoder '{name}' of the package {_package(entry)} can't be opened: "
            f"{type(error).__name__}: {excerpt(error)}.",
            remedy=f"Bring the package up to date, or ask its authors: it registers {entry.value}.",
        ) from error
    _check(encoder, entry)
    return encoder  # type: ignore[no-any-return]  # checked above


def cards(embedded: Collection[str]) -> list[EncoderCard]:
    """What the metadata of packages say about the encoders that they register.

    Parameters
    ----------
    embedded
        Names of this package's own encoders, which no other package can take: a warning says so.
    """
    found = []
    for name, entries in _registered().items():
        if name in embedded:
            warnings.warn(
                f"An encoder '{name}' is registered by {', '.join(map(_package, entries))} too; Inkling's own is used.",
                stacklevel=2,
            )
        else:
            found += [_card(entry) for entry in entries]
    return found


def _registered() -> Mapping[str, Sequence[EntryPoint]]:
    """By name, in alphabetical order; names that could be read as something else are left out."""
    from importlib.metadata import entry_points

    found = sorted((entry for entry in entry_points(group=GROUP) if _NAME.fullmatch(entry.name)), key=_name)
    return {name: list(entries) for name, entries in groupby(found, key=_name)}


def _name(entry: EntryPoint) -> str:
    return entry.name


def _package(entry: EntryPoint) -> str:
    return entry.value if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"


def _card(entry: EntryPoint) -> EncoderCard:
    licence, summary = _told(entry, "License-Expression") or _told(entry, "License"), _told(entry, "Summary")
    note = f"of the package {_package(entry)}" + (f": {summary}" if summary else "")
    return EncoderCard(entry.name, PLUGIN, dimension=None, licence=licence or "not stated", note=note, texts=None)


def _told(entry: EntryPoint, key: str) -> str:
    """One line of a package's metadata; empty where there is none."""
    if entry.dist is None or key not in entry.dist.metadata:
        return ""
    return excerpt(entry.dist.metadata[key])


def _check(encoder: object, entry: EntryPoint) -> None:
    """Refuse what lacks a member of `Encoder`, or could not be opened again from a memory."""
    given = f"What the package {_package(entry)} gives as the encoder '{entry.name}'"
    lacks = [name for name in _MEMBERS if not hasattr(encoder, name)]
    lacks += [name for name in _METHODS if not callable(getattr(encoder, name, None))]
    remedy = "Its authors find what an encoder needs in inkling.encoders.base.Encoder."
    if lacks:
        raise EncoderError(f"{given} is no encoder: {type(encoder).__name__} lacks {', '.join(lacks)}.", remedy=remedy)
    identity = encoder.identity  # type: ignore[attr-defined]  # looked for above
    if not isinstance(identity, EncoderIdentity):
        raise EncoderError(f"{given} has an identity that is no EncoderIdentity.", remedy=remedy)
    if identity.source != entry.name:
        raise EncoderError(
            f"{given} has the identity.source '{excerpt(identity.source)}'; expected '{entry.name}', by which a memory "
            "opens it again.",
            remedy=remedy,
        )
