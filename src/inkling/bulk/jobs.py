"""What is done to the images of a part. A job travels to other processes; opened there, it does the work."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from inkling.bulk.rows import in_order, verdict_schema
from inkling.embeddings.embed import Embedded, embed_images
from inkling.embeddings.parquet import embedded_rows, embedded_schema
from inkling.embeddings.samples import samples_of
from inkling.encoders.base import Encoder
from inkling.encoders.registry import load_encoder
from inkling.labels import Kind
from inkling.payloads import verdict_payload
from inkling.types import ImageRecord

if TYPE_CHECKING:
    from inkling.classifier.promises import Promises

Work = Callable[[Sequence[ImageRecord]], pa.Table]
"""Makes a row for each image of a part."""


class Job(Protocol):
    """Opened once by each process that works."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Folders that must be there wherever it is opened."""

    def open(self) -> Work:
        """Load what the work takes."""


@dataclass(frozen=True)
class EmbedJob:
    """Images to vectors.

    Attributes
    ----------
    encoder
        Name or folder.
    device, precision, dimensions
        As for `inkling.encoders.registry.load_encoder`.
    label_kind
        What the labels of the images are of.
    """

    encoder: str
    device: str = "auto"
    precision: str = "auto"
    dimensions: int | None = None
    label_kind: Kind = Kind.TEXT

    @property
    def needs(self) -> tuple[str, ...]:
        """The encoder, where it is a folder; names are looked up where it is opened."""
        return (self.encoder,)

    def open(self) -> Work:
        """Open the encoder."""
        encoder = load_encoder(self.encoder, device=self.device, precision=self.precision, dimensions=self.dimensions)
        schema = embedded_schema(encoder.identity, self.label_kind)

        def work(records: Sequence[ImageRecord]) -> pa.Table:
            embedded = _embedded(records, encoder)
            return in_order(records, embedded_rows(embedded, self.label_kind), embedded.skipped, schema)

        return work


@dataclass(frozen=True)
class PredictJob:
    """Images to verdicts of one version of a memory, which travels along.

    Attributes
    ----------
    memory
        The bytes of a memory file.
    encoder
        Where its encoder is.
    device
        As for `load_encoder`.
    top, names
        Classes to name, and likely names of unknown images.
    vocabulary
        As `inkling.classifier.vocabularies.read_vocabulary` takes it, or None.
    promises_of
        What else is asked for, of a classifier.
    boxes
        Whether some of the images are boxes.
    promised
        Columns of what else is asked for.
    """

    memory: bytes = field(repr=False)
    encoder: str
    device: str
    top: int
    names: int
    vocabulary: Any
    promises_of: Callable[[Any], Promises]
    boxes: bool
    promised: tuple[str, ...]

    @property
    def needs(self) -> tuple[str, ...]:
        """As for `EmbedJob`."""
        return (self.encoder,)

    def open(self) -> Work:
        """Open the memory and its encoder."""
        from inkling.classifier.few_shot import FewShotClassifier

        folder = tempfile.TemporaryDirectory()  # kept as long as the work: some of it is read when it is asked for
        path = Path(folder.name) / "memory.ink"
        path.write_bytes(self.memory)
        classifier = FewShotClassifier.load(
            path, encoder=self.encoder, vocabulary=self.vocabulary, device=self.device, cache=False
        )
        promises, encoder = self.promises_of(classifier), classifier.encoder
        schema = verdict_schema(boxes=self.boxes, promised=self.promised)

        def work(records: Sequence[ImageRecord]) -> pa.Table:
            embedded = _embedded(records, encoder)
            samples = samples_of(embedded, encoder.identity)
            verdicts = classifier.judge(samples, top=self.top, names=self.names, promises=promises)
            return in_order(records, [verdict_payload(one) for one in verdicts], embedded.skipped, schema)

        weakref.finalize(work, folder.cleanup)
        return work


def _embedded(records: Sequence[ImageRecord], encoder: Encoder) -> Embedded:
    """Vectors without a cache: the parts are what is kept, and batches are the same wherever they are made."""
    return embed_images(records, encoder, cache=None)
