"""New classes among images unlike every known class: clusters, proposals, names, and whether images have drifted.

Arrays and names in, frozen values out; what becomes of a proposal is decided by a person, elsewhere. Names are looked
up at first use, so that likely names cost no clustering.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inkling.discovery.batch import discover
    from inkling.discovery.criteria import Rules
    from inkling.discovery.pool import Ties
    from inkling.discovery.results import Drift, Found, Proposal
    from inkling.discovery.stream import Stream

_HOMES = {
    "Drift": "inkling.discovery.results",
    "Found": "inkling.discovery.results",
    "Proposal": "inkling.discovery.results",
    "Rules": "inkling.discovery.criteria",
    "Stream": "inkling.discovery.stream",
    "Ties": "inkling.discovery.pool",
    "discover": "inkling.discovery.batch",
}

__all__ = ["Drift", "Found", "Proposal", "Rules", "Stream", "Ties", "discover"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'inkling.discovery' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
