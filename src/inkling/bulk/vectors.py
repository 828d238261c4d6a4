"""Vectors out of the parts of a run, in the form in which one process makes them."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from inkling.bulk.jobs import THUMBNAIL
from inkling.bulk.parts import ERROR, name_of
from inkling.bulk.plan import Plan
from inkling.bulk.shelf import Shelf
from inkling.embeddings.embed import Embedded, joined
from inkling.embeddings.parquet import list_matrix
from inkling.errors import InputError
from inkling.types import EncoderIdentity, ImageRecord, SkippedImage


def embedded_in(shelf: Shelf, plan: Plan, records: Sequence[ImageRecord], encoder: EncoderIdentity) -> Embedded:
    """What `inkling.embeddings.embed.embed_images` returns for the images of a run of `EmbedJob` with thumbnails.

    Parameters
    ----------
    shelf
        Where its parts are.
    plan
        Of the run, which is complete.
    records
        Its images.
    encoder
        That made the vectors.

    Raises
    ------
    InputError
        If a part was damaged meanwhile.
    """
    parts = [_embedded(_table(shelf, part), records[plan.rows(part)], encoder) for part in range(plan.n_parts)]
    return joined(parts, encoder)


def _table(shelf: Shelf, part: int) -> pa.Table:
    try:
        return parquet.read_table(BytesIO(shelf.get(name_of(part))), page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{name_of(part)} at {shelf} has been damaged or removed since it was written.",
            remedy="Have it done again with --resume (in Python, resume=True).",
        ) from error


def _embedded(table: pa.Table, records: Sequence[ImageRecord], encoder: EncoderIdentity) -> Embedded:
    found = table.filter(table[ERROR].is_null())
    reasons = table[ERROR].to_pylist()
    content_hashes = tuple(found["content_hash"].to_pylist())
    return Embedded(
        records=tuple(record for record, reason in zip(records, reasons, strict=True) if reason is None),
        content_hashes=content_hashes,
        embeddings=_matrix(found, "embedding", encoder.dimension),
        features=_matrix(found, "feature", encoder.feature_dimension) if encoder.feature_dimension else None,
        thumbnails=tuple(found[THUMBNAIL].to_pylist()),
        skipped=tuple(
            SkippedImage(record.path, reason)
            for record, reason in zip(records, reasons, strict=True)
            if reason is not None
        ),
        n_encoded=len(set(content_hashes)),
    )


def _matrix(table: pa.Table, name: str, width: int) -> NDArray[np.float32]:
    return np.asarray(list_matrix(table[name], name), dtype=np.float32).reshape(-1, width)
