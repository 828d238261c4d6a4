"""What the embedded encoder for photographs is made of: which networks, which view of a picture, which weights.

Chosen on every second class of Caltech-101 and on the training images of the other tasks, in folds; no test image is
read.

    python bench/pocket_choice.py
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
from onnx import TensorProto, helper
from scipy.special import log_softmax

from common import ROOT, SHARED, Row, record
from inkling.embeddings.embed import embed_texts
from inkling.encoders.embedded.pocket import PIXELS, SIDE, VIEWS, WEIGHTS, folder
from inkling.encoders.onnx.session import Session
from inkling.encoders.registry import load_encoder
from inkling.encoders.vectors import unit_vectors
from inkling.heads.auto import AutoHead
from inkling.images.decode import load
from inkling.images.sources import find_images
from inkling.prompts import DEFAULT_TEMPLATE, ClassPrompts
from inkling.types import FloatArray, ImageRecord

sys.path.append(str(ROOT / "tools"))
from safetensors.numpy import load_file

from onnx_graph import Graph, write
from pocket_building.graphs import network_outputs

DATA = SHARED / "data"
SEED = 0
NETWORKS = tuple(VIEWS)
LOOKS = {"middle": VIEWS["lite2"], "whole": VIEWS["lite0"]}
EXPONENTS = (1.0, 0.7, 0.5)
SCALES = tuple(range(3, 31))
LIKELIEST, SHOTS, FOLDS = 10, 16, 4


@dataclass(frozen=True, eq=False)
class Seen:
    """Labelled images by network and look: features, and probabilities of ImageNet's classes."""

    labels: tuple[str, ...]
    features: Mapping[tuple[str, str], FloatArray]
    probabilities: Mapping[tuple[str, str], FloatArray]

    @property
    def classes(self) -> list[str]:
        """Their names, sorted."""
        return sorted(set(self.labels))

    @property
    def columns(self) -> FloatArray:
        """Column of each image's class, (n,)."""
        return np.searchsorted(self.classes, self.labels)


@dataclass(frozen=True)
class Choice:
    """What an encoder could be made of: a look for each of its networks."""

    looks: Mapping[str, str]
    exponent: float = EXPONENTS[-1]

    @property
    def label(self) -> str:
        """For the table."""
        return " and ".join(f"{network} of the {look}" for network, look in self.looks.items())

    def embeddings(self, seen: Seen) -> FloatArray:
        """ConSE: the mean of the likeliest classes' vectors, weighted by a power of their mean probability."""
        mean = np.mean([seen.probabilities[each] for each in self.looks.items()], axis=0)
        least = np.sort(mean, axis=1)[:, -LIKELIEST, None]
        return unit_vectors(np.where(mean >= least, mean, 0) ** self.exponent @ NAMES)

    def vectors(self, seen: Seen) -> FloatArray:
        """Embedding and feature side by side."""
        features = [unit_vectors(seen.features[each]) for each in self.looks.items()]
        return np.hstack([self.embeddings(seen), *features])


ENCODER = load_encoder("pocket")
NAMES = load_file(folder() / WEIGHTS)["names.vectors"].astype(np.float32)
CHOICES = [
    *(Choice({network: look}) for network in NETWORKS for look in LOOKS),
    *(Choice(dict(zip(NETWORKS, (first, second), strict=True))) for first in LOOKS for second in LOOKS),
]
CHOSEN = Choice({"lite2": "middle", "lite0": "whole"})


def main() -> None:
    """Look at the images once, compare, keep."""
    with tempfile.TemporaryDirectory() as place:
        session = Session(both_networks(Path(place)), device="cpu")
        names = sorted(path.name for path in (DATA / "caltech101").iterdir() if path.name != "BACKGROUND_Google")
        half = look_at(session, DATA / "caltech101", names[::2])
        tasks = {name: look_at(session, DATA / path) for name, path in TRAINING.items()}
    rows = [*compared(half, tasks), *weights(half), *familiarity(half)]
    print(f"Kept in {record('pocket_choice', rows, seed=SEED).relative_to(ROOT)}")


TRAINING = {"coco crops": "coco_crops/few_shot/train", "clothing": "clothing/train"}


def both_networks(place: Path) -> Path:
    """A graph with the outputs of each network, beside a copy of the weights."""
    copyfile(folder() / WEIGHTS, place / WEIGHTS)  # ONNX refuses links
    graph = Graph(place)
    views = graph.nodes("Split", PIXELS, n_outputs=len(NETWORKS), axis=1)
    outputs: dict[str, tuple[str, int]] = {}
    for network, view in zip(NETWORKS, views, strict=True):
        features, probabilities = network_outputs(graph, network, view)
        outputs |= {f"{network} features": (features, 1280), f"{network} probabilities": (probabilities, 1000)}
    given = helper.make_tensor_value_info(PIXELS, TensorProto.FLOAT, ["n", 3 * len(NETWORKS), SIDE, SIDE])
    write(graph.model(given, outputs), place / "networks.onnx")
    return place / "networks.onnx"


def look_at(session: Session, source: Path, names: Sequence[str] | None = None) -> Seen:
    """Both looks of each image, through both networks."""
    records = [one for one in find_images(source).records if names is None or one.label in names]
    outputs = [f"{network} {what}" for network in NETWORKS for what in ("features", "probabilities")]
    found: dict[tuple[str, str], list[Any]] = {}
    for looks in (tuple(LOOKS), tuple(LOOKS)[::-1]):
        parts = [session.run(outputs, {PIXELS: pixels(one, looks)[None]}) for one in records]
        for output, arrays in zip(outputs, zip(*parts, strict=True), strict=True):
            found[output, looks[NETWORKS.index(output.split()[0])]] = np.concatenate(arrays)
    read = {
        what: {(output.split()[0], look): array for (output, look), array in found.items() if output.endswith(what)}
        for what in ("features", "probabilities")
    }
    return Seen(tuple(str(one.label) for one in records), **read)


def pixels(record: ImageRecord, looks: Sequence[str]) -> FloatArray:
    """A view for each network, side by side."""
    image = load(record, shorter_side=SIDE).image
    return np.concatenate([LOOKS[look](image) for look in looks])


def compared(half: Seen, tasks: Mapping[str, Seen]) -> Iterator[Row]:
    """Each choice: named by text, and learnt from few shots."""
    for choice in CHOICES:
        mark = ", chosen" if choice == CHOSEN else ""
        yield Row(f"{choice.label}{mark}: half of Caltech-101, zero-shot", zero_shot(choice, half))
        found = {"half of Caltech-101, 16 shots": sixteen_shots(choice, half)}
        found |= {f"{name}, folds of the training images": in_folds(choice, seen) for name, seen in tasks.items()}
        for what, got in found.items():
            yield Row(f"{choice.label}{mark}: {what}, auto", got)
        yield Row(f"{choice.label}{mark}: mean of those of auto", float(np.mean(list(found.values()))))


def weights(half: Seen) -> Iterator[Row]:
    """Exponents of the probabilities, and the logit scale."""
    for exponent in EXPONENTS:
        choice = Choice(CHOSEN.looks, exponent)
        yield Row(f"exponent {exponent}: half of Caltech-101, zero-shot", zero_shot(choice, half))
    cosines = CHOSEN.embeddings(half) @ texts(half.classes).T
    losses = {scale: log_loss(scale * cosines, half.columns) for scale in SCALES}
    best = min(losses, key=lambda scale: losses[scale])
    yield Row("logit scale with the least log-loss, half of Caltech-101", best, details={"log_loss": losses})


def familiarity(half: Seen) -> Iterator[Row]:
    """Whether texts far from all classes of ImageNet are named worse."""
    t = texts(half.classes)
    unfamiliar = ENCODER.is_unfamiliar(t)
    right = (CHOSEN.embeddings(half) @ t.T).argmax(axis=1) == half.columns
    recalls = np.array([right[half.columns == k].mean() for k in range(len(t))])
    yield Row(
        "recall of familiar classes, mean", float(recalls[~unfamiliar].mean()), details={"n": int((~unfamiliar).sum())}
    )
    far = [name for name, is_far in zip(half.classes, unfamiliar, strict=True) if is_far]
    yield Row("recall of unfamiliar classes, mean", float(recalls[unfamiliar].mean()), details={"classes": far})


def texts(names: Sequence[str]) -> FloatArray:
    """Text vectors of classes, in the prompt that is the default."""
    prompts = [ClassPrompts(name).texts([DEFAULT_TEMPLATE])[0] for name in names]
    return embed_texts(prompts, ENCODER, cache=None)


def zero_shot(choice: Choice, seen: Seen) -> float:
    """Share of images whose nearest text is that of their class."""
    return float(np.mean((choice.embeddings(seen) @ texts(seen.classes).T).argmax(axis=1) == seen.columns))


def sixteen_shots(choice: Choice, seen: Seen) -> float:
    """Share that `auto` gets right of the images that are left after 16 of each class."""
    rng = np.random.default_rng(SEED)
    y, chosen = seen.columns, np.zeros(len(seen.labels), dtype=bool)
    for k in range(len(seen.classes)):
        chosen[rng.permutation(np.flatnonzero(y == k))[:SHOTS]] = True
    return float(np.mean(predicted(choice, seen, chosen) == y[~chosen]))


def in_folds(choice: Choice, seen: Seen) -> float:
    """Share that `auto` gets right of images that it did not see."""
    rng = np.random.default_rng(SEED)
    y = seen.columns
    fold = np.empty(len(y), dtype=int)
    for k in range(len(seen.classes)):
        rows = rng.permutation(np.flatnonzero(y == k))
        fold[rows] = np.arange(len(rows)) % FOLDS
    right = [predicted(choice, seen, fold != k) == y[fold == k] for k in range(FOLDS)]
    return float(np.mean(np.concatenate(right)))


def predicted(choice: Choice, seen: Seen, chosen: FloatArray) -> FloatArray:
    """Columns that `auto`, fitted on some of the images, gives the others."""
    X, t = choice.vectors(seen), texts(seen.classes)
    head = AutoHead(text_vectors=t, embedding_dims=t.shape[1], logit_scale=ENCODER.identity.logit_scale, seed=SEED)
    return head.fit(X[chosen], seen.columns[chosen]).predict(X[~chosen])


def log_loss(logits: FloatArray, y: FloatArray) -> float:
    """Mean negative logarithm of the probability of the right class."""
    return float(-np.mean(log_softmax(logits, axis=1)[np.arange(len(y)), y]))


if __name__ == "__main__":
    main()
