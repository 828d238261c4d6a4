"""The embedded encoder for photographs: naming by text, few shots, unknown images, and the clock.

What it is made of was chosen by `bench/pocket_choice.py`, on half of Caltech-101's classes and on training images.
Test images are read for the final figures only.

    python bench/pocket.py
    python bench/pocket.py --times    # on a quiet machine
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from common import ROOT, SHARED, Row, at_least, at_most, record, retaken
from inkling.embeddings.embed import embed_images, embed_texts
from inkling.encoders.embedded.pocket import folder
from inkling.encoders.registry import load_encoder
from inkling.heads.auto import AutoHead
from inkling.images.sources import find_images
from inkling.prompts import DEFAULT_TEMPLATE, ClassPrompts
from inkling.types import FloatArray
from processes import cost_of
from unknown import FUSED, measured, read_crops

DATA = SHARED / "data"
ENCODER = load_encoder("pocket")
SEED = 0
SHOTS, DRAWS = 16, 3
N_TIMED, ROUNDS = 200, 5

_ONE_CORE = """
import sys, time
from inkling.embeddings.embed import embed_images
from inkling.encoders.embedded.pocket import folder
from inkling.encoders.registry import load_encoder
from inkling.images.sources import find_images
encoder = load_encoder("pocket")
records = find_images(sys.argv[1]).records[: int(sys.argv[2])]
embed_images(records[:8], encoder, cache=None)
started = time.perf_counter()
embed_images(records, encoder, cache=None)
print(len(records) / (time.perf_counter() - started))
"""


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images as vectors: embedding and feature side by side."""

    X: FloatArray
    labels: tuple[str, ...]
    hashes: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path) -> Images:
        """The images of a folder of class folders."""
        embedded = embed_images(find_images(folder).records, ENCODER, cache=None)
        assert embedded.features is not None
        labels = tuple(str(one.label) for one in embedded.records)
        return cls(np.hstack([embedded.embeddings, embedded.features]), labels, tuple(embedded.content_hashes))

    @property
    def classes(self) -> list[str]:
        """Their names, sorted."""
        return sorted(set(self.labels))

    def of_classes(self, names: Sequence[str]) -> Images:
        """Those of some classes."""
        return self.rows(np.isin(self.labels, names))

    def rows(self, chosen: FloatArray) -> Images:
        """Some of them."""
        where = np.flatnonzero(chosen)
        return replace(
            self,
            X=self.X[where],
            labels=tuple(self.labels[i] for i in where),
            hashes=tuple(self.hashes[i] for i in where),
        )


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", action="store_true", help="take the times alone, and keep all else as it is")
    options = parser.parse_args()
    rows = retaken("pocket", [*clock()]) if options.times else [*accuracy(), *caltech(), *benches(), *clock()]
    path = record("pocket", rows, seed=SEED, encoder="pocket", fingerprint=ENCODER.identity.fingerprint)
    print(f"Kept in {path.relative_to(ROOT)}")


def accuracy() -> Iterator[Row]:
    """Crops of vehicles and photographs of clothes."""
    train, test = Images.of(DATA / "coco_crops/few_shot/train"), Images.of(DATA / "coco_crops/few_shot/test")
    yield at_least("coco crops, zero-shot, top-1", zero_shot(test), 0.77, n=len(test.labels))
    yield at_least("coco crops, auto on the 234 training crops, top-1", few_shot(train, test), 0.865)
    train, test = Images.of(DATA / "clothing/train"), Images.of(DATA / "clothing/test")
    yield at_least("clothing, auto on clothing/train, top-1", few_shot(train, test), 0.90, n=len(test.labels))
    yield Row("clothing, zero-shot, top-1", zero_shot(test))


def caltech() -> Iterator[Row]:
    """Caltech-101: every second class was chosen on, the others are named by text; shots of all classes."""
    images = Images.of(DATA / "caltech101")
    names = [name for name in images.classes if name != "BACKGROUND_Google"]
    images = images.of_classes(names)
    found = [few_shot(*drawn(images, seed)) for seed in range(DRAWS)]
    yield at_least("Caltech-101, 16 shots, auto, top-1", float(np.mean(found)), 0.905, all=found)
    yield at_least("Caltech-101, half not chosen on, zero-shot, top-1", zero_shot(images.of_classes(names[1::2])), 0.54)
    yield Row("Caltech-101, half chosen on, zero-shot, top-1", zero_shot(images.of_classes(names[::2])))


def benches() -> Iterator[Row]:
    """An unseen class against all test crops of vehicles."""
    problem = read_crops(ENCODER, DEFAULT_TEMPLATE).with_benches
    detector = problem.detector()
    found = measured(detector, problem)
    fused = found.pop(FUSED)
    yield at_least("crops, bench unknown, fused, AUROC", fused["auroc"], 0.965, fpr95=fused["fpr95"])
    yield Row("crops, bench unknown, fused, detected at 5 % false alarms", fused["detected"])
    for name, figures in found.items():
        yield Row(f"crops, bench unknown, {name}, AUROC", figures["auroc"], details=dict(figures))


def clock() -> Iterator[Row]:
    """Pictures a second on one core, decoding included, and a first verdict in a process of its own."""
    command = [sys.executable, "-c", _ONE_CORE, str(DATA / "caltech101"), str(N_TIMED)]
    pinned = ["taskset", "--cpu-list", "0", *command]
    speeds = [float(subprocess.run(pinned, capture_output=True, text=True, check=True).stdout) for _ in range(ROUNDS)]
    yield at_least("pictures a second on one core, decoding included", float(np.median(speeds)), 25, all=speeds)
    with tempfile.TemporaryDirectory() as place:
        crops = DATA / "coco_crops/few_shot"
        fit = ("fit", crops / "train", "--memory", "crops.ink", "--encoder", "pocket")
        cost_of(Path(place), *fit)
        new = sorted((crops / "test" / "bus").iterdir())[:ROUNDS]
        spent = [cost_of(Path(place), "predict", "crops.ink", one).processor for one in new]
    yield at_most("first verdict in a new process, processor s", float(np.median(spent)), 1.5, all=spent)
    size = sum(file.stat().st_size for file in folder().iterdir())
    yield Row("its files, MB", size / 1e6)


def texts(names: Sequence[str]) -> FloatArray:
    """Text vectors of classes, in the prompt that is the default."""
    prompts = [ClassPrompts(name).texts([DEFAULT_TEMPLATE])[0] for name in names]
    return embed_texts(prompts, ENCODER, cache=None)


def zero_shot(test: Images) -> float:
    """Share of images whose nearest text is that of their class."""
    names = test.classes
    t = texts(names)
    nearest = (test.X[:, : t.shape[1]] @ t.T).argmax(axis=1)
    return float(np.mean([names[k] == label for k, label in zip(nearest, test.labels, strict=True)]))


def few_shot(train: Images, test: Images) -> float:
    """Share of test images that `auto` gets right."""
    names = train.classes
    t = texts(names)
    head = AutoHead(text_vectors=t, embedding_dims=t.shape[1], logit_scale=ENCODER.identity.logit_scale, seed=SEED)
    sources = np.unique(train.hashes, return_inverse=True)[1]
    head.fit(train.X, np.searchsorted(names, train.labels), groups=sources)
    return float(np.mean(head.predict(test.X) == np.searchsorted(names, test.labels)))


def drawn(images: Images, seed: int) -> tuple[Images, Images]:
    """Some images of each class, and the rest."""
    rng = np.random.default_rng(seed)
    labels = np.array(images.labels)
    chosen = np.zeros(len(labels), dtype=bool)
    for name in images.classes:
        chosen[rng.permutation(np.flatnonzero(labels == name))[:SHOTS]] = True
    return images.rows(chosen), images.rows(~chosen)


if __name__ == "__main__":
    main()
