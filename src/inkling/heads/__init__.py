"""From embeddings to class scores. Arrays only: no paths, no images, no encoders."""

from __future__ import annotations

from inkling.errors import InputError
from inkling.heads.adapter import AdapterHead
from inkling.heads.anchored import AnchoredHead
from inkling.heads.auto import AutoHead
from inkling.heads.base import Head
from inkling.heads.cache import CacheHead
from inkling.heads.gda import GDAHead
from inkling.heads.kernel import KernelHead
from inkling.heads.logistic import LogisticHead
from inkling.heads.prototype import PrototypeHead
from inkling.heads.zero_shot import ZeroShotHead
from inkling.types import HeadState

HEADS: dict[str, type[Head]] = {
    head.name: head
    for head in (
        AutoHead,
        ZeroShotHead,
        PrototypeHead,
        GDAHead,
        CacheHead,
        KernelHead,
        AnchoredHead,
        AdapterHead,
        LogisticHead,
    )
}
"""The heads by the name that the command line and the memory know them by."""


def head_class(name: str) -> type[Head]:
    """Class of a head by name.

    Raises
    ------
    InputError
        If there is no head of that name.
    """
    if name not in HEADS:
        raise InputError(f"There is no head '{name}'.", remedy=f"Choose one of: {', '.join(HEADS)}.")
    return HEADS[name]


def head_from_state(state: HeadState) -> Head:
    """Fitted head from what the memory keeps of it."""
    return head_class(state.name).from_state(state)


__all__ = [
    "HEADS",
    "AdapterHead",
    "AnchoredHead",
    "AutoHead",
    "CacheHead",
    "GDAHead",
    "Head",
    "KernelHead",
    "LogisticHead",
    "PrototypeHead",
    "ZeroShotHead",
    "head_class",
    "head_from_state",
]
