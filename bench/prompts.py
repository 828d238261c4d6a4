"""What a file of prompts is worth that `inkling prompts` writes: texts alone, on images that had no say in it.

Words are chosen for half of the classes. Then the classes of both halves stand against each other: images of the other
half say whether words that they were not tuned on take them away, new images of the tuned half whether the words gain.
Test parts are read for these figures alone.

On real CLIP features there are text vectors for the 1,585 names of the surrogate's vocabulary and no others, so that
synonyms are all that can be tried; `pocket` reads any text, so with it all that the search knows is tried.

    python bench/prompts.py
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from common import ROOT, SHARED, Row, at_least, record
from feature_tasks import FEATURES
from inkling.discovery.vocabulary import common_nouns
from inkling.embeddings.cache import opened_cache
from inkling.embeddings.embed import embed_texts
from inkling.embeddings.precomputed import Precomputed
from inkling.embeddings.samples import Samples, embed_samples, precomputed_samples
from inkling.encoders.base import Encoder
from inkling.encoders.registry import load_encoder
from inkling.evaluate.uncertainty import LEVEL
from inkling.heads.support import unit_rows
from inkling.images.sources import find_images
from inkling.prompting.search import search_among
from inkling.prompts import ClassPrompts, mean_text_vector, resolve_templates
from inkling.types import FloatArray

SURROGATE = ROOT / "bench" / "encoders" / "surrogate-clip-b32"
CROPS = SHARED / "data" / "coco_crops" / "few_shot"
CLOTHES = SHARED / "data" / "clothing"
IMAGENET_SHOTS, TUNING_SHOTS = 4, 3
DRAWS = 10
REPLICATES = 2000
SEED = 0


@dataclass(frozen=True, eq=False)
class Task:
    """Images to choose words by, images to judge them by, and who reads words."""

    name: str
    encoder: Encoder
    tuning: Samples
    test: Samples

    @property
    def classes(self) -> tuple[str, ...]:
        """All that have an image to tune on, sorted."""
        return tuple(sorted({str(label) for label in self.tuning.labels}))


def main() -> None:
    """Measure, print, keep."""
    rows = [row for task in tasks() for row in judged(task)]
    print(f"Kept in {record('prompts', rows, seed=SEED, draws=DRAWS).relative_to(ROOT)}")


def tasks() -> Iterator[Task]:
    """Real features with the names that have a text vector; photographs with both encoders."""
    surrogate = load_encoder(SURROGATE)
    yield Task("ImageNet-329", surrogate, *_imagenet(surrogate))
    yield Task("Caltech-43", surrogate, *_caltech(surrogate))
    pocket = load_encoder("pocket")
    for name, encoder, folder in (
        ("coco crops, surrogate", surrogate, CROPS),
        ("coco crops, pocket", pocket, CROPS),
        ("clothing, pocket", pocket, CLOTHES),
    ):
        with opened_cache(True) as cache:
            parts = [
                embed_samples(find_images(folder, split=part).records, encoder, cache=cache)
                for part in ("train", "test")
            ]
        yield Task(name, encoder, *parts)


def judged(task: Task) -> Iterator[Row]:
    """Gains on classes that the words were not tuned on, and on new images of those that they were tuned on."""
    gains: dict[str, list[FloatArray]] = {"not tuned on": [], "tuned on": []}
    changed = []
    of_class = np.array([str(label) for label in task.test.labels])
    given = _right(task, {})
    for draw in range(DRAWS):
        half = sorted(np.random.default_rng(SEED + draw).permutation(task.classes)[: len(task.classes) // 2].tolist())
        kept = [row for row, label in enumerate(task.tuning.labels) if label in half]
        found = search_among(
            task.tuning.keep(kept), [ClassPrompts(name) for name in half], common_nouns(), encoder=task.encoder
        )
        changed.append(len(found.changes) if found.gains else 0)
        gain = _right(task, {one.name: one for one in found.prompts}) - given
        is_tuned = np.isin(of_class, half)
        gains["not tuned on"].append(np.where(is_tuned, np.nan, gain))
        gains["tuned on"].append(np.where(is_tuned, gain, np.nan))
    for part, of_draws in gains.items():
        mean, low, high = _interval(np.array(of_draws), of_class)
        yield at_least(
            f"{task.name}, classes {part}: upper end of the 95 % interval of the gain in top-1",
            high,
            0.0,
            gain=mean,
            interval=[low, high],
            by_draw=[float(np.nanmean(one)) for one in of_draws],
            changed_classes=changed,
            top1_given=float(given.mean()),
            n_test=len(given),
        )


def _right(task: Task, words: Mapping[str, ClassPrompts]) -> FloatArray:
    """Whether each test image is nearest to the text of its class, by these words or the names alone, (n,)."""
    entries = [words.get(name, ClassPrompts(name)) for name in task.classes]
    template = task.encoder.text_template
    texts = [one.texts(resolve_templates(None, only=template)) for one in entries]
    vectors = [mean_text_vector(embed_texts(of_class, task.encoder, cache=None)) for of_class in texts]
    likeliest = np.array(task.classes)[(task.test.embeddings @ np.stack(vectors).T).argmax(axis=1)]
    return np.asarray(likeliest == np.array([str(label) for label in task.test.labels]), dtype=np.float64)


def _interval(gains: FloatArray, of_class: np.ndarray[Any, np.dtype[np.str_]]) -> tuple[float, float, float]:
    """Mean gain over draws and images, and its interval by resampling classes and their images (Efron 1979)."""
    seen = ~np.isnan(gains)
    total, times = np.nansum(gains, axis=0), seen.sum(axis=0)
    rows = [np.flatnonzero(of_class == name) for name in np.unique(of_class)]
    rng = np.random.default_rng(SEED)
    means = []
    for _ in range(REPLICATES):
        drawn = np.concatenate([rng.choice(rows[k], len(rows[k])) for k in rng.integers(len(rows), size=len(rows))])
        means.append(total[drawn].sum() / max(times[drawn].sum(), 1))
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(total.sum() / times.sum()), float(low), float(high)


def _imagenet(encoder: Encoder) -> tuple[Samples, Samples]:
    """Three shots of the classes with a text vector to tune on, the fourth to judge by."""
    with np.load(FEATURES / "imagenet_4shot.npz") as arrays:
        names = _vocabulary_names(arrays["text_index"])
        X = arrays["x"].reshape(len(names), IMAGENET_SHOTS, -1)
    kept = _once(names)
    return (
        _samples(encoder, X[kept, :TUNING_SHOTS].reshape(-1, X.shape[-1]), [names[k] for k in kept], TUNING_SHOTS),
        _samples(encoder, X[kept, TUNING_SHOTS], [names[k] for k in kept], 1),
    )


def _caltech(encoder: Encoder) -> tuple[Samples, Samples]:
    """The validation part to tune on, the test part to judge by: both are single views."""
    with np.load(FEATURES / "caltech101.npz") as arrays:
        names = _vocabulary_names(arrays["text_index"])
        kept = _once(names)
        parts = []
        for part in ("val", "test"):
            rows = np.flatnonzero(np.isin(arrays[f"{part}_y"], kept))
            labels = [names[k] for k in arrays[f"{part}_y"][rows]]
            parts.append(_samples(encoder, arrays[f"{part}_x"][rows], labels, 1))
    return parts[0], parts[1]


def _vocabulary_names(index: np.ndarray[Any, Any]) -> list[str]:
    """What the vocabulary calls each class; empty where it has no text vector."""
    with np.load(SHARED / "models" / "surrogate-clip-b32" / "text_vectors.npz") as table:
        return [str(table["names"][at]) if at >= 0 else "" for at in index.tolist()]


def _once(names: Sequence[str]) -> list[int]:
    """Classes with a name that no other one has."""
    return [k for k, name in enumerate(names) if name and names.count(name) == 1]


def _samples(encoder: Encoder, X: np.ndarray[Any, Any], labels: Sequence[str], each: int) -> Samples:
    names = tuple(f"{label} {number}" for number, label in enumerate(np.repeat(labels, each).tolist()))
    vectors = Precomputed(
        paths=names,
        content_hashes=names,
        labels=tuple(np.repeat(labels, each).tolist()),
        embeddings=unit_rows(X.astype(np.float64)).astype(np.float32),
        features=None,
        identity=encoder.identity,
        class_names=tuple(sorted(set(labels))),
        text_vectors=None,
    )
    return precomputed_samples(vectors)


if __name__ == "__main__":
    main()
