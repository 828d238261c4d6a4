"""What is done to the images of a part. A job travels to other processes; opened there, it does the work.

No cache is used: the parts are what is kept, and batches are the same wherever they are made.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from inkling.bulk.rows import in_order, verdict_schema
from inkling.embeddings.embed import embed_images
from inkling.embeddings.parquet import embedded_rows, embedded_schema
from inkling.embeddings.samples import samples_of
from inkling.encoders.identity import check_encoder
from inkling.encoders.registry import load_same_encoder
from inkling.labels import Kind
from inkling.payloads import verdict_payload
from inkling.types import EncoderIdentity, ImageRecord

if TYPE_CHECKING:
    from inkling.classifier.promises import Promises

THUMBNAIL = "thumbnail"
"""Column of small pictures beside vectors, as JPEG."""
Work = Callable[[Sequence[ImageRecord]], pa.Table]
"""Makes a row for each image of a part."""


class Job(Protocol):
    """Opened once by each process that works."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Folders that must be there wherever it is opened."""

    def open(self, *, threads: int | None = None) -> Work:
        """Load what the work takes; so many threads decode, None: one for each processor."""


@dataclass(frozen=True)
class EmbedJob:
    """Images to vectors.

    Attributes
    ----------
    encoder
        The one that makes them, wherever the job is opened.
    device
        As for `inkling.encoders.registry.load_encoder`.
    label_kind
        What the labels of the images are of.
    thumbnails
        Whether small pictures stand beside the vectors.
    """

    encoder: EncoderIdentity
    device: str = "auto"
    label_kind: Kind = Kind.TEXT
    thumbnails: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        """The encoder, where it is a folder; names are looked up where it is opened."""
        return (self.encoder.source,)

    def open(self, *, threads: int | None = None) -> Work:
        """Open the encoder.

        Raises
        ------
        EncoderMismatchError
            If another one stands here in its place.
        """
        encoder = load_same_encoder(self.encoder, device=self.device)
        check_encoder(self.encoder, encoder.identity, made="The run was begun")
        schema = embedded_schema(encoder.identity, self.label_kind)
        if self.thumbnails:
            schema = schema.append(pa.field(THUMBNAIL, pa.binary()))

        def work(records: Sequence[ImageRecord]) -> pa.Table:
            embedded = embed_images(records, encoder, cache=None, threads=threads)
            rows = embedded_rows(embedded, self.label_kind)
            if self.thumbnails:
                rows = [row | {THUMBNAIL: one} for row, one in zip(rows, embedded.thumbnails, strict=True)]
            return in_order(records, rows, embedded.skipped, schema)

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

    def open(self, *, threads: int | None = None) -> Work:
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
            embedded = embed_images(records, encoder, cache=None, threads=threads)
            samples = samples_of(embedded, encoder.identity)
            verdicts = classifier.judge(samples, top=self.top, names=self.names, promises=promises)
            return in_order(records, [verdict_payload(one) for one in verdicts], embedded.skipped, schema)

        weakref.finalize(work, folder.cleanup)
        return work
