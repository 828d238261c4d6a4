"""The design that was not taken: Ray Data decodes in one stage, and encodes in another.

    python bench/scale_stages.py HOST:PORT PICTURES

Prints the seconds that it took. Vectors come to the driver and are dropped; nothing is gathered to parts or written.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import ray

from inkling.encoders.registry import load_encoder
from inkling.images.decode import decode, thumbnail
from inkling.images.sources import find_images
from scale_driver import ENCODER, TOOK

BATCH = 32


class Decode:
    """A worker that prepares pictures."""

    def __init__(self) -> None:
        self.encoder = load_encoder(ENCODER)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Prepared pictures, and thumbnails as the other design makes them."""
        pictures = [decode(Path(path).read_bytes(), shorter_side=self.encoder.shorter_side) for path in batch["path"]]
        prepared = np.stack([self.encoder.prepare(picture) for picture in pictures])
        return {"prepared": prepared, "thumbnail": np.array([thumbnail(one) for one in pictures], dtype=object)}


class Encode:
    """A worker that keeps the model."""

    def __init__(self) -> None:
        self.encoder = load_encoder(ENCODER)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Vectors."""
        made = self.encoder.encode_images(list(batch["prepared"]))
        return {"embedding": made.embeddings, "feature": made.features}


def main() -> None:
    """Run both stages."""
    address, pictures = sys.argv[1:]
    paths = [{"path": record.path} for record in find_images(pictures).records]
    started = time.perf_counter()
    ray.init(address=address, log_to_driver=False)
    data = ray.data.from_items(paths, override_num_blocks=-(-len(paths) // BATCH))
    pool = ray.data.ActorPoolStrategy(size=1)
    decoded = data.map_batches(Decode, batch_size=BATCH, num_cpus=1, compute=pool)
    encoded = decoded.map_batches(Encode, batch_size=BATCH, num_cpus=1, compute=pool)
    rows = sum(1 for _ in encoded.iter_rows())
    if rows != len(paths):
        raise RuntimeError(f"{rows} of {len(paths)} pictures came back")
    print(TOOK, time.perf_counter() - started)


if __name__ == "__main__":
    main()
