"""Which images come from one source, such as a burst or a video: given by the user, or found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from inkling.images.boxes import source_of


@dataclass(frozen=True)
class Groups:
    """Sources of images by their contents, so that they hold whatever order the images are in.

    Attributes
    ----------
    of
        Name of the source of a content. A picture that is not here is a source of its own.
    given
        Whether the user named them; else they were found.
    """

    of: Mapping[str, str] = field(default_factory=dict)
    given: bool = False

    @classmethod
    def from_user(cls, content_hashes: Iterable[str], names: Iterable[str | None]) -> Self | None:
        """Groups that a user named, None for an image without one; None where no image has one.

        A content that stands in two groups is of the first.
        """
        of: dict[str, str] = {}
        for content, name in zip(content_hashes, names, strict=True):
            if name is not None:
                of.setdefault(content, f"group {name}")
        return cls(of, given=True) if of else None

    @classmethod
    def found(cls, groups: Iterable[Sequence[str]]) -> Self:
        """Groups of contents that were found."""
        return cls({content: f"found {group[0]}" for group in groups for content in group})

    def also(self, others: Groups | None) -> Groups:
        """With those of further images, whose contents are known here already or not."""
        if others is None:
            return self
        return Groups({**others.of, **self.of}, given=self.given or others.given)

    def source(self, content_hash: str) -> str:
        """Name of the source of a content: boxes in one picture have theirs in common."""
        return self.of.get(content_hash) or source_of(content_hash)

    @property
    def members(self) -> Mapping[str, Sequence[str]]:
        """Contents by source."""
        sources: dict[str, list[str]] = {}
        for content, name in self.of.items():
            sources.setdefault(name, []).append(content)
        return sources

    def to_json(self) -> dict[str, Any]:
        """As a memory keeps them."""
        return {"given": self.given, "of": self.members}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Self | None:
        """Inverse of `to_json`; None of a memory that was fitted before there were groups."""
        if kept is None:
            return None
        return cls({content: name for name, group in kept["of"].items() for content in group}, given=kept["given"])
