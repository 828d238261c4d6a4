"""What the user names, opened: images, or a file of their vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inkling.embeddings.precomputed import Precomputed
    from inkling.images.sources import Found


def open_source(name: str, *, split: str | None = None) -> Found | Precomputed:
    """Vectors where the name is that of a file of embeddings, else the images that it stands for.

    Raises
    ------
    InputError
        If there are none.
    """
    from inkling.embeddings.precomputed import read_precomputed
    from inkling.embeddings.samples import is_precomputed
    from inkling.images.sources import find_images

    return read_precomputed(name) if is_precomputed(name) else find_images(name, split=split)
