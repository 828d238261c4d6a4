"""How a service is run."""

from __future__ import annotations

from dataclasses import dataclass, field

from inkling.serving.access import Access
from inkling.serving.limits import Limits
from inkling.serving.logs import Format
from inkling.serving.rooted import RootedFiles


@dataclass(frozen=True)
class Settings:
    """How a service is run.

    Attributes
    ----------
    access
        Who may do what.
    limits
        What is taken.
    min_images
        Pictures that a proposal needs.
    log
        How answers are logged.
    label_studio
        Files of Label Studio that may be read; None: none.
    """

    access: Access = field(default_factory=Access)
    limits: Limits = field(default_factory=Limits)
    min_images: int = 5
    log: Format = "none"
    label_studio: RootedFiles | None = None
