"""A driver of Ray's in a process of its own: ``python -m tests.bulk.driver ADDRESS IMAGES OUTPUT``."""

from __future__ import annotations

import sys
from pathlib import Path

from inkling.bulk.ray_engine import RayEngine
from inkling.bulk.run import run_parts
from inkling.bulk.shelf import FolderShelf
from inkling.images.sources import find_images
from tests.bulk.drawn import SLOW, planned

if __name__ == "__main__":
    address, images, output = sys.argv[1:]
    records = list(find_images(images).records)
    run_parts(planned(records), SLOW, records, FolderShelf(Path(output)), engine=RayEngine(address), resume=True)
