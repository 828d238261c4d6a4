"""What a run does, in a form that tells two runs apart, and how its images are divided into parts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

from inkling.types import ImageRecord

PART_IMAGES = 1024
"""A multiple of the encoder's batch, so that batches are the same wherever a part is done; some 2 MB of vectors."""


@dataclass(frozen=True)
class Plan:
    """All that decides which rows come out. Two runs of one plan write the same files.

    Attributes
    ----------
    verb
        What is done: ``embed`` or ``predict``.
    options
        Those that change the rows, as JSON.
    fingerprint
        Of the encoder.
    memory_version
        Of the memory; None where there is none.
    memory_digest
        Of what it held.
    images
        How many there are.
    images_digest
        Of their names and labels, in their order.
    part_images
        How many images a part has; the last may have fewer.
    """

    verb: str
    options: Mapping[str, Any]
    fingerprint: str
    memory_version: int | None
    memory_digest: str | None
    images: int
    images_digest: str
    part_images: int = PART_IMAGES

    @property
    def n_parts(self) -> int:
        """How many parts there are."""
        return -(-self.images // self.part_images)

    def rows(self, part: int) -> slice:
        """Which images a part has."""
        return slice(part * self.part_images, min(self.images, (part + 1) * self.part_images))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """Equal for runs that write the same."""
        return blake2b(json.dumps(self.to_json(), sort_keys=True).encode(), digest_size=16).hexdigest()

    def differences(self, other: Mapping[str, Any]) -> list[str]:
        """Names of what another plan, as plain values, has otherwise."""
        own = self.to_json()
        return sorted(name for name in own.keys() | other.keys() if own.get(name) != other.get(name))


def digest_of_images(records: Sequence[ImageRecord]) -> str:
    """Of the names and labels of images, in their order.

    Examples
    --------
    >>> one, other = ImageRecord("a.jpg", "cat"), ImageRecord("a.jpg", "dog")
    >>> digest_of_images([one]) == digest_of_images([one]), digest_of_images([one]) == digest_of_images([other])
    (True, False)
    """
    digest = blake2b(digest_size=16)
    for record in records:
        digest.update(json.dumps([record.path, record.label, record.group]).encode())
    return digest.hexdigest()
