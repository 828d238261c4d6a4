"""New classes among images that no known class explains: clusters, proposals, names, and whether images have drifted.

Arrays and names in, frozen values out; what becomes of a proposal is decided by a person, elsewhere.
"""

from inkling.discovery.batch import discover
from inkling.discovery.pool import Ties
from inkling.discovery.results import Drift, Found, Proposal
from inkling.discovery.stream import Stream

__all__ = ["Drift", "Found", "Proposal", "Stream", "Ties", "discover"]
