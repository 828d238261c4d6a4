"""The embedded miniature: pictures that Inkling draws itself, and a small encoder trained on them.

It is for trying out and for testing, not for photographs. Nothing here imports torch or transformers.
"""

from __future__ import annotations

from pathlib import Path

from inkling.sketch.captions import caption, description
from inkling.sketch.dataset import write_dataset
from inkling.sketch.kinds import HELD_OUT, KINDS, TRAINED
from inkling.sketch.scene import Scene, draw, plan, render
from inkling.sketch.styles import STYLES

__all__ = [
    "HELD_OUT",
    "KINDS",
    "STYLES",
    "TRAINED",
    "Scene",
    "caption",
    "description",
    "draw",
    "plan",
    "render",
    "weights_folder",
    "write_dataset",
]


def weights_folder() -> Path:
    """Folder of the embedded encoder in the format of transformers."""
    return Path(__file__).parent / "weights"
