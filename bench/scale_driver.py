"""A run in parts in a process of its own, which can be killed.

    python bench/scale_driver.py here|HOST:PORT PICTURES OUTPUT [--part-images N]

Prints the seconds that it took, from the first part asked for to the manifest.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from common import ROOT
from inkling.bulk.engines import HereEngine
from inkling.bulk.jobs import EmbedJob
from inkling.bulk.plan import PART_IMAGES, Plan, digest_of_images
from inkling.bulk.ray_engine import RayEngine
from inkling.bulk.run import run_parts
from inkling.bulk.shelf import FolderShelf
from inkling.encoders.registry import load_encoder
from inkling.images.sources import find_images

ENCODER = ROOT / "bench" / "encoders" / "surrogate-clip-b32"
TOOK = "seconds taken:"


def main() -> None:
    """Embed the pictures, going on with what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address")
    parser.add_argument("pictures", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--part-images", type=int, default=PART_IMAGES)
    options = parser.parse_args()
    records = find_images(options.pictures).records
    encoder = load_encoder(ENCODER).identity
    digest, size = digest_of_images(records), options.part_images
    plan = Plan("embed", {}, encoder.fingerprint, None, None, len(records), digest, size)
    engine = HereEngine() if options.address == "here" else RayEngine(options.address)
    started = time.perf_counter()
    run_parts(plan, EmbedJob(encoder), records, FolderShelf(options.output), engine=engine, resume=True)
    print(TOOK, time.perf_counter() - started)


if __name__ == "__main__":
    main()
