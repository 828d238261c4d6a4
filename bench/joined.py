"""What a second encoder adds: `auto` on crops and on clothing with each of two encoders, and with both joined.

    python bench/joined.py [FIRST SECOND]

Top-1 and negative log-likelihood on the test parts; the surrogate and `pocket` if no others are named. Without the
texts of classes, so that the order of the two shows nothing but the balance between embedding and feature.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from common import ROOT, SHARED, Row, record
from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.samples import Samples, embed_samples
from inkling.encoders.base import Encoder
from inkling.encoders.joined import JoinedEncoder
from inkling.encoders.registry import load_encoder
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.images.sources import find_images

SETS = {
    "coco_crops": SHARED / "data" / "coco_crops" / "few_shot",
    "clothing": SHARED / "data" / "clothing",
}
DEFAULT = ["bench/encoders/surrogate-clip-b32", "pocket"]
SEED = 0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoders", nargs="*", default=DEFAULT)
    options = parser.parse_args()
    first, second = options.encoders
    rows = [
        Row(f"{data}, {encoder}, auto without texts, top-1", top1, details={"nll": nll})
        for data, encoder, top1, nll in measured(load_encoder(first), load_encoder(second))
    ]
    path = record("joined", rows, seed=SEED, encoders=options.encoders)
    print(f"Kept in {path.relative_to(ROOT)}")


def measured(first: Encoder, second: Encoder) -> Iterator[tuple[str, str, float, float]]:
    """Data, encoder, top-1 and negative log-likelihood."""
    pairs = JoinedEncoder([first, second]), JoinedEncoder([second, first])
    with EmbeddingCache() as cache:
        for data, folder in SETS.items():
            train, test = (find_images(folder / part).records for part in ("train", "test"))
            for encoder in (first, second, *pairs):
                learned, asked = (embed_samples(some, encoder, cache=cache) for some in (train, test))
                yield data, encoder.identity.name, *judged(learned, asked)


def judged(learned: Samples, asked: Samples) -> tuple[float, float]:
    """Top-1 and negative log-likelihood of `auto` on images that it did not see."""
    vectors = LabelledVectors.of(
        learned.X, learned.labels, sources=learned.sources, embedding_dims=learned.identity.dimension
    )
    probabilities = FittedHead.fit("auto", vectors, seed=SEED).probabilities(asked.X)
    columns = np.array([vectors.classes.index(label) for label in asked.labels])
    of_the_true = probabilities[np.arange(len(columns)), columns]
    return float((probabilities.argmax(axis=1) == columns).mean()), float(-np.log(of_the_true).mean())


if __name__ == "__main__":
    main()
