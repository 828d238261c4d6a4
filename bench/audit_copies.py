"""Copies that were planted among photographs, each edited in one way: how many are found, and how many others are.

Copies within the images, and in a test part that they must not be in. Two pictures that an audit takes for one, and of
which neither was planted, were looked at by eye, where there are many a sample of them: `audit_pairs.csv` has what they
show. Those that were not looked at count by the share of the sample.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from common import SHARED, Row, at_least
from inkling.auditing.checks.copies import CHECK as COPIES
from inkling.auditing.checks.near_duplicates import CHECK as NEAR_DUPLICATES
from inkling.auditing.subject import Subject
from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.samples import Samples, embed_samples
from inkling.encoders.registry import load_encoder
from inkling.images.sources import find_images
from inkling.types import ClassEntry, ImageRecord

ENCODER = "pocket"
SETS = {"Caltech-101": SHARED / "data" / "caltech101", "clothing": SHARED / "data" / "clothing"}
COPIED = 250
RECALL, PRECISION = 0.97, 0.98
SEED = 0
CHECKS = (COPIES, NEAR_DUPLICATES)
KINDS = ("exact_duplicate", "near_duplicate", "label_conflict", "leak")
SEEN = Path(__file__).with_name("audit_pairs.csv")


def _cropped(picture: Image.Image) -> Image.Image:
    """Without a twentieth of its width and height, more or less of it at either end, as the pixels happen to be."""
    w, h = picture.size
    rng = np.random.default_rng(np.asarray(picture, dtype=np.int64).sum())
    left, top = rng.uniform(0.0, 0.05, size=2) * (w, h)
    return picture.crop((round(left), round(top), round(left + 0.95 * w), round(top + 0.95 * h)))


def _resized(picture: Image.Image) -> Image.Image:
    return picture.resize((round(0.7 * picture.width), round(0.7 * picture.height)), Image.Resampling.BICUBIC)


def _coloured(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(ImageEnhance.Color(picture).enhance(0.8)).enhance(1.1)


EDITS: Mapping[str, tuple[Callable[[Image.Image], Image.Image], int]] = {
    "re-encoded at quality 40": (lambda picture: picture, 40),
    "resized to .7": (_resized, 90),
    "cropped by 5 %": (_cropped, 90),
    "flipped": (ImageOps.mirror, 90),
    "in lightly other colours": (_coloured, 90),
}
"""What each copy went through, and the quality that it was saved with."""


@dataclass(frozen=True)
class Copy:
    """An edited copy of a picture, its name for the edit, and its label."""

    path: Path
    of: Path
    edit: str
    label: str


def rows() -> Iterator[Row]:
    """Recall and precision of copies within the images, and of leaks."""
    encoder = load_encoder(ENCODER)
    seen = _seen()
    with tempfile.TemporaryDirectory() as folder, EmbeddingCache() as cache:

        def samples(records: Sequence[ImageRecord]) -> Samples:
            return embed_samples(records, encoder, cache=cache)

        for name, place in SETS.items():
            pictures = find_images(place).records
            rng = np.random.default_rng(SEED)
            copies = _copies(pictures, Path(folder) / name, rng)
            planted = [ImageRecord(str(one.path), one.label) for one in copies]
            everything = samples([*pictures, *planted])
            yield from _judged(f"{name}, copies among the images", everything, None, copies, seen)
            sources = {str(one.of) for one in copies}
            other = rng.random(len(pictures)) < 0.5
            train = [one for one, tests in zip(pictures, other, strict=True) if not tests or one.path in sources]
            kept = {one.path for one in train}
            test = [one for one in pictures if one.path not in kept]
            yield from _judged(
                f"{name}, copies in a test part", samples(train), samples([*test, *planted]), copies, seen
            )


def _copies(pictures: Sequence[ImageRecord], folder: Path, rng: np.random.Generator) -> list[Copy]:
    """Some of the pictures, each edited in one way."""
    folder.mkdir(parents=True)
    made = []
    for number, row in enumerate(rng.choice(len(pictures), COPIED, replace=False)):
        edit = list(EDITS)[number % len(EDITS)]
        change, quality = EDITS[edit]
        source = Path(pictures[row].path)
        copy = Copy(folder / f"{number}.jpg", source, edit, str(pictures[row].label))
        with Image.open(source) as picture:
            change(picture.convert("RGB")).save(copy.path, quality=quality)
        made.append(copy)
    return made


def _judged(
    what: str, samples: Samples, against: Samples | None, copies: Sequence[Copy], seen: Mapping[frozenset[str], bool]
) -> Iterator[Row]:
    """Copies that share a finding with their picture, and findings of which all files are of one picture."""
    origin = {str(one.path): str(one.of) for one in copies}
    subject = Subject(samples, tuple(ClassEntry(name) for name in sorted(set(samples.labels))), against)
    findings = [set(one.files) for check in CHECKS for one in check.find(subject) if one.kind in KINDS]
    missed = [one for one in copies if not any({str(one.path), str(one.of)} <= files for files in findings)]
    by_edit = {edit: 1 - sum(one.edit == edit for one in missed) / (COPIED / len(EDITS)) for edit in EDITS}
    shown = [frozenset(_short(origin.get(file, file)) for file in files) for files in findings]
    others = {files for files in shown if len(files) > 1}
    looked_at = [seen[files] for files in others if files in seen]
    unseen = float(np.mean(looked_at)) if looked_at else 0.0
    right = sum(1.0 if len(files) == 1 else float(seen.get(files, unseen)) for files in shown)
    touched = [one for files, one in zip(findings, shown, strict=True) if files & set(origin)]
    planted_found, planted_right = len(touched), sum(len(one) == 1 or seen.get(one, False) for one in touched)
    yield at_least(f"{what}: recall", 1 - len(missed) / len(copies), RECALL, by_edit=by_edit)
    yield at_least(
        f"{what}: precision",
        right / len(findings),
        PRECISION,
        findings=len(findings),
        with_a_planted_copy=planted_right / max(planted_found, 1),
        looked_at=len(looked_at),
        share_of_one_picture_among_them=unseen,
        not_looked_at=len(others) - len(looked_at),
    )


def _short(path: str) -> str:
    """A path within the data."""
    return Path(path).relative_to(SHARED / "data").as_posix()


def _seen() -> dict[frozenset[str], bool]:
    """Pictures that were taken for one, and whether they are, by eye."""
    with SEEN.open(encoding="utf-8", newline="") as file:
        return {frozenset(row["files"].split("|")): row["one_picture"] == "yes" for row in csv.DictReader(file)}
