"""What a classifier was taught, and its form in the memory.

Here images' labels meet class texts: which samples can be taught with, how each class is put into words, and how the
whole is stored and read back.
"""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import embed_texts
from inkling.embeddings.samples import Samples
from inkling.encoders.base import Encoder
from inkling.errors import InputError
from inkling.fitting import FittedHead
from inkling.heads import head_from_state
from inkling.memory.content import ClassEntry, Exemplar, MemoryContent, Provenance
from inkling.prompts import ClassPrompts, mean_text_vector, resolve_templates
from inkling.provenance import data_hash, inkling_version, now, package_versions
from inkling.types import FloatArray, SkippedImage


@dataclass(frozen=True, eq=False)
class Taught:
    """Labelled samples, the classes in words, and the head that they make."""

    samples: Samples
    entries: tuple[ClassEntry, ...]
    fitted: FittedHead
    seed: int
    head: str

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, sorted, in the order of the head's columns."""
        return tuple(entry.name for entry in self.entries)

    @property
    def text_vectors(self) -> FloatArray | None:
        """Text vectors (n_classes, d), NaN where a class has none; None where none has."""
        return text_matrix(self.entries, self.samples.identity.dimension)


def teach(samples: Samples, entries: Sequence[ClassEntry], *, head: str, seed: int) -> Taught:
    """Fit and calibrate a head on labelled samples whose labels are among the entries."""
    entries = tuple(sorted(entries, key=lambda entry: entry.name))
    column = {entry.name: k for k, entry in enumerate(entries)}
    if len(column) < 2:
        raise InputError(
            f"A classifier needs at least two classes; the labels name {len(column)}: {', '.join(column) or 'none'}.",
            remedy="Give a folder with one subfolder a class, or a table with a column 'label'.",
        )
    identity = samples.identity
    fitted = FittedHead.fit(
        head,
        samples.X,
        np.array([column[str(label)] for label in samples.labels]),
        classes=tuple(column),
        sources=samples.sources,
        text_vectors=text_matrix(entries, identity.dimension),
        logit_scale=identity.logit_scale,
        embedding_dims=identity.dimension,
        seed=seed,
    )
    return Taught(samples, entries, fitted, seed, head)


def labelled_only(samples: Samples) -> Samples:
    """Leave out samples without a label, each with the reason.

    Raises
    ------
    InputError
        If nothing is left.
    """
    rows = [row for row, label in enumerate(samples.labels) if label is not None]
    unlabelled = [path for path, label in zip(samples.paths, samples.labels, strict=True) if label is None]
    skipped = [SkippedImage(path, "it has no label") for path in dict.fromkeys(unlabelled)]
    if not rows:
        reasons = Counter(image.reason for image in (*samples.skipped, *skipped))
        told = "; ".join(f"{count} {reason}" for reason, count in reasons.most_common(3))
        raise InputError(
            f"There are no labelled images to learn from ({told or 'the source is empty'}).",
            remedy="Give a folder with one subfolder a class, or a table with columns 'path' and 'label'.",
        )
    return samples.keep(rows, skipped) if skipped else samples


def put_into_words(
    names: Iterable[str],
    prompts: Iterable[ClassPrompts],
    *,
    encoder: Encoder,
    cache: EmbeddingCache | None,
    templates: str | Sequence[str] | None,
) -> tuple[ClassEntry, ...]:
    """Each class with its prompts and text vector; without a vector where the encoder knows none of its texts.

    Classes that only `prompts` name take part if they have a vector: their text is all that is known of them.
    """
    own = {entry.name: entry for entry in prompts}
    seen = set(names)
    if not encoder.has_texts:
        return tuple(ClassEntry(name, aliases=own[name].aliases if name in own else ()) for name in sorted(seen))
    filled = resolve_templates(templates, only=encoder.text_template)
    described = [own.get(name) or ClassPrompts(name) for name in sorted(seen | own.keys())]
    texts = {entry.name: entry.texts(filled) for entry in described}
    missing = set(encoder.missing_texts([text for some in texts.values() for text in some]))
    entries = []
    for entry in described:
        known = tuple(text for text in texts[entry.name] if text not in missing)
        vector = mean_text_vector(embed_texts(known, encoder, cache=cache)).astype(np.float32) if known else None
        if vector is not None or entry.name in seen:
            entries.append(ClassEntry(entry.name, known, entry.aliases, vector))
    return tuple(entries)


def given_entries(
    names: Iterable[str], class_names: Sequence[str], text_vectors: FloatArray | None
) -> tuple[ClassEntry, ...]:
    """Classes with text vectors that the caller brings; a row of zeros or NaN means that a class has none.

    Raises
    ------
    InputError
        If the numbers of names and vectors differ.
    """
    if text_vectors is None:
        return tuple(ClassEntry(name) for name in sorted(set(names)))
    if len(class_names) != len(text_vectors):
        raise InputError(f"Got {len(text_vectors)} text vectors for {len(class_names)} class names.")
    with_text = {}
    for name, vector in zip(class_names, np.asarray(text_vectors, dtype=np.float64), strict=True):
        length = np.linalg.norm(vector)
        with_text[str(name)] = (vector / length).astype(np.float32) if length > 0 else None
    seen = set(names)
    kept = seen | {name for name, vector in with_text.items() if vector is not None}
    return tuple(ClassEntry(name, text_vector=with_text.get(name)) for name in sorted(kept))


def text_matrix(entries: Sequence[ClassEntry], dimension: int) -> FloatArray | None:
    """Text vectors (n_classes, d), NaN where a class has none; None where none has."""
    if all(entry.text_vector is None for entry in entries):
        return None
    nothing = np.full(dimension, np.nan)
    return np.stack([nothing if entry.text_vector is None else entry.text_vector for entry in entries])


def to_memory(taught: Taught, command: Sequence[str]) -> MemoryContent:
    """What the memory keeps."""
    samples, fitted = taught.samples, taught.fitted
    labels = [str(label) for label in samples.labels]
    exemplars = zip(samples.paths, samples.content_hashes, labels, samples.views, samples.thumbnails, strict=True)
    return MemoryContent(
        encoder=samples.identity,
        classes=taught.entries,
        exemplars=tuple(Exemplar(*row) for row in exemplars),
        vectors=samples.X,
        head=fitted.head.state(),
        calibration=fitted.calibration,
        training={
            "head": taught.head,
            "finding": fitted.finding,
            "evidence": list(fitted.evidence),
            "skipped": [[image.path, image.reason] for image in samples.skipped],
        },
        provenance=Provenance(
            created=now(),
            inkling_version=inkling_version(),
            command=shlex.join(command),
            seed=taught.seed,
            versions=package_versions(),
            data_hash=data_hash(samples.content_hashes, labels),
        ),
    )


def from_memory(content: MemoryContent) -> Taught:
    """Inverse of `to_memory`."""
    exemplars = content.exemplars
    training: Mapping[str, Any] = content.training
    samples = Samples(
        identity=content.encoder,
        paths=tuple(exemplar.path for exemplar in exemplars),
        labels=tuple(exemplar.class_name for exemplar in exemplars),
        content_hashes=tuple(exemplar.content_hash for exemplar in exemplars),
        thumbnails=tuple(exemplar.thumbnail for exemplar in exemplars),
        views=tuple(exemplar.view for exemplar in exemplars),
        X=content.vectors,
        skipped=tuple(SkippedImage(path, reason) for path, reason in training["skipped"]),
    )
    fitted = FittedHead(
        head=head_from_state(content.head),
        classes=tuple(entry.name for entry in content.classes),
        temperature=float(content.calibration["temperature"]),
        calibration=content.calibration,
        finding=training["finding"],
        evidence=training["evidence"],
    )
    return Taught(samples, content.classes, fitted, content.provenance.seed, training["head"])


def current_command() -> list[str]:
    """The command line of this process, for provenance, with the program's name instead of its path."""
    return [Path(sys.argv[0]).name, *sys.argv[1:]]
