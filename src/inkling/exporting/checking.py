"""Asks the classifier and an exported folder, in a fresh process, about the same pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from inkling.classifier.fitted import FittedClassifier, reopen_encoder
from inkling.embeddings.cache import opened_cache
from inkling.embeddings.embed import Progress
from inkling.embeddings.samples import Samples, embed_samples
from inkling.encoders.base import Encoder
from inkling.encoders.composed import parts_of
from inkling.encoders.precision import FLOAT32, PRECISIONS
from inkling.encoders.registry import load_encoder
from inkling.errors import EncoderError, InputError, UnreadableImageError
from inkling.exporting.parity import Answers, Expected, Parity, compare, expected_answers
from inkling.images.archives import is_local_file, record_of
from inkling.images.boxes import BoxReading
from inkling.images.decode import as_file, read
from inkling.images.files import Files
from inkling.images.sources import find_images
from inkling.types import EncoderIdentity, FloatArray, ImageRecord, SkippedImage
from inkling.wording import counted, excerpt

MOST_EXEMPLARS = 200
"""Pictures of the memory that an export is checked on, spread over its classes; ``--check`` takes all it is given."""
MOST_VECTORS, RANDOM_VECTORS = 1000, 100
"""The classifier's own vectors and others that a head alone is checked on."""
_DECODED_AT_ONCE = 8
_AT_ONCE = 500
"""Pictures of one process: a command line has its limits."""
_CHECK = "Name a folder with pictures to check with: --check DIR, in Python the option check."


@dataclass(frozen=True)
class Pictures:
    """What an export is checked with.

    Attributes
    ----------
    records
        The pictures, with their labels where these are known.
    of
        Where they come from: ``exemplars``, or the folder that was named.
    """

    records: tuple[ImageRecord, ...]
    of: str


@dataclass(frozen=True, eq=False)
class Asked:
    """What the classifier itself answers.

    Attributes
    ----------
    expected
        Its answers.
    records
        The pictures that they are for.
    skipped
        Pictures that can't be read, and why.
    """

    expected: Expected
    records: tuple[ImageRecord, ...]
    skipped: tuple[SkippedImage, ...]


def pictures_to_check(fitted: FittedClassifier, check: str | Path | None, boxes: BoxReading | None = None) -> Pictures:
    """Pictures of a folder, or exemplars that are where they were, the same number of each class as far as there are.

    Raises
    ------
    InputError
        If there are none.
    """
    if check is not None:
        return Pictures(tuple(find_images(str(check), split="test", boxes=boxes).records), str(check))
    samples = fitted.samples
    first = {key: row for row, key in reversed(list(enumerate(samples.content_hashes))) if samples.views[row] == 0}
    by_class: dict[str | None, list[int]] = {}
    for row in sorted(first.values()):
        by_class.setdefault(samples.labels[row], []).append(row)
    in_turn = (row for turn in zip_longest(*by_class.values()) for row in turn if row is not None)
    found = (record_of(samples.paths[row], samples.labels[row]) for row in in_turn)
    there = (one for one in found if one.archive or not is_local_file(one) or Path(one.file or one.path).is_file())
    records = tuple(islice(there, MOST_EXEMPLARS))
    if not records:
        raise InputError(_why_none(samples.paths), remedy=_CHECK)
    return Pictures(records, "exemplars")


def _why_none(paths: Sequence[str]) -> str:
    if not paths:
        return "There is no picture to check the export with: the classes are known by their texts alone."
    return f"None of the {counted(len(paths), 'exemplar')} is where it was; the first was {excerpt(paths[0])}."


def reference_encoder(made_with: EncoderIdentity, encoder: Encoder) -> Encoder:
    """The encoder in float32, which is what a graph computes in: on some processors `auto` rounds to bfloat16."""
    if made_with.precision not in PRECISIONS or made_with.precision == FLOAT32:
        return encoder
    try:
        return load_encoder(encoder.identity.source, device="cpu", precision=FLOAT32)
    except EncoderError:  # one that was handed over, and has no name to be opened by
        return encoder


def opened_encoder(made_with: EncoderIdentity, encoder: Any) -> Encoder:
    """The encoder of a classifier, which must be the one that its vectors were made with.

    Raises
    ------
    EncoderError
        If there is none, as for vectors of the caller's own, or it is not where it was.
    """
    try:
        return reopen_encoder(made_with, encoder)
    except EncoderError as error:
        if "fitted on vectors" in error.message:
            raise EncoderError(
                "The classifier was fitted on vectors, not by an encoder that could read pictures.",
                remedy="Only its head can be exported: --format head, in Python format='head'.",
            ) from error
        raise


def ask_classifier(
    fitted: FittedClassifier, encoder: Encoder, pictures: Pictures, *, cache: Any, progress: Progress | None
) -> Asked:
    """Answers of the classifier for the pictures that can be read.

    Raises
    ------
    InputError
        If none can be read.
    """
    with opened_cache(cache) as opened:
        if reads_one_scale(encoder):
            parts = [embed_samples(pictures.records, encoder, cache=opened, progress=progress)]
        else:
            parts = list(_embedded_at_one_scale(pictures.records, encoder, progress=progress))
    paths = tuple(path for part in parts for path in part.paths)
    skipped = tuple(image for part in parts for image in part.skipped)
    if not paths:
        reason = skipped[0].reason if skipped else "there is none"
        raise InputError(f"None of the pictures to check the export with can be used: {reason}.", remedy=_CHECK)
    labels = tuple(label for part in parts for label in part.labels)
    expected = expected_answers(fitted, np.concatenate([part.X for part in parts]), paths=paths, labels=labels)
    records = {record.path: record for record in pictures.records}
    return Asked(expected, tuple(records[path] for path in paths), skipped)


def reads_one_scale(encoder: Encoder) -> bool:
    """Whether large JPEGs are decoded at one scale for all parts of an encoder, as an export must do."""
    return len({part.shorter_side for part in parts_of(encoder)}) == 1


def _embedded_at_one_scale(
    records: Sequence[ImageRecord], encoder: Encoder, *, progress: Progress | None
) -> Iterator[Samples]:
    """Samples of pictures that are decoded once for all parts of an encoder, a few at a time."""
    with Files() as files:
        for at in range(0, len(records), _DECODED_AT_ONCE):
            decoded, skipped = [], []
            for record in records[at : at + _DECODED_AT_ONCE]:
                try:
                    picture = read(record, files).decode(files, shorter_side=encoder.shorter_side)
                    decoded.append(replace(record, image=picture))
                except UnreadableImageError as error:
                    skipped.append(SkippedImage(record.path, error.message))
            yield embed_samples(decoded, encoder, cache=None).also_skipped(skipped)
            if progress is not None:
                progress(min(at + _DECODED_AT_ONCE, len(records)), len(records))


def ask_folder(folder: Path, records: Sequence[ImageRecord], *, progress: Progress | None = None) -> Answers:
    """Answers of an exported folder by its own program, in a process of its own.

    Raises
    ------
    InputError
        If the program fails, or can't read a picture.
    """
    told: list[dict[str, Any]] = []
    with _as_files(records) as files:
        for at in range(0, len(files), _AT_ONCE):
            told += run_program(folder, "run.py", "--all", *files[at : at + _AT_ONCE])
            if progress is not None:
                progress(len(told), len(files))
    unread = next((number for number, one in enumerate(told) if "error" in one), None)
    if unread is not None:
        raise InputError(
            f"The exported folder's run.py can't read '{records[unread].path}', which Inkling reads: "
            f"{excerpt(told[unread]['error'])}.",
            remedy="Check with other pictures: --check DIR, in Python the option check.",
        )
    has_detector = told[0]["unknown"] is not None
    return Answers(
        paths=tuple(record.path for record in records),
        probabilities=np.array([one["probabilities"] for one in told]),
        unknown=np.array([one["unknown"] for one in told]) if has_detector else None,
        p_known=np.array([one["p_known"] for one in told]) if has_detector else None,
    )


def head_parity(folder: Path, fitted: FittedClassifier) -> Parity:
    """How an exported head compares with the classifier: on its vectors, and on some drawn at random.

    Of its arrays, by the program in a process of its own, and of its graph the one that differs more.
    """
    fitted, identity = replace(fitted, detector=None), fitted.samples.identity
    width = identity.dimension + identity.feature_dimension
    drawn = np.random.default_rng(0).normal(size=(RANDOM_VECTORS, width)).astype(np.float32)
    own = fitted.samples.X[:: max(1, len(fitted.samples.X) // MOST_VECTORS)]
    X = np.concatenate([own, drawn])
    names = tuple(f"vector {number}" for number in range(len(X)))
    expected = expected_answers(fitted, X, paths=names, labels=(None,) * len(X))
    with TemporaryDirectory() as scratch:
        np.save(Path(scratch, "vectors.npy"), X)
        by_arrays = run_program(folder, "use_head.py", str(Path(scratch, "vectors.npy")))
    found = [np.array([one["all"] for one in by_arrays]), _by_graph(folder / "head.onnx", X, identity.dimension)]
    compared = [compare(expected, Answers(names, p, None, None)) for p in found]
    return max(compared, key=lambda one: (len(one.differing), one.probability_difference))


def _by_graph(model: Path, X: FloatArray, dimension: int) -> FloatArray:
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    given = {"embedding": X[:, :dimension], "feature": X[:, dimension:]}
    read = {one.name for one in session.get_inputs()}
    p: FloatArray = session.run(["probabilities"], {name: block for name, block in given.items() if name in read})[0]
    return p


def run_program(folder: Path, program: str, *arguments: str) -> list[dict[str, Any]]:
    """Lines of JSON that a program of an exported folder prints.

    Raises
    ------
    InputError
        If it prints anything else.
    """
    done = subprocess.run(
        # -B: no compiled files are to be left in the folder.
        [sys.executable, "-B", program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    try:
        told = [json.loads(line) for line in done.stdout.splitlines()]
    except (ValueError, RecursionError):
        told = []
    if not told:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
        raise InputError(
            f"The exported folder's {program} doesn't run here: {excerpt(lines[-1])}.",
            remedy="It needs the packages of requirements.txt in this Python too, as the export is checked with it.",
        )
    return told


@contextmanager
def _as_files(records: Sequence[ImageRecord]) -> Iterator[list[str]]:
    """Paths of pictures as files; what lies elsewhere is copied, and boxes cut out, until the end."""
    with TemporaryDirectory() as scratch, Files() as files:
        paths = []
        for number, record in enumerate(records):
            path = Path(record.path).absolute()
            if record.box is not None or not is_local_file(record):
                suffix, data = as_file(record, files)
                path = Path(scratch, f"{number}{suffix}")
                path.write_bytes(data)
            paths.append(str(path))
        yield paths
