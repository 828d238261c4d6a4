"""Embeddings as an npz file, which numpy alone opens: for light installations, which have no Parquet.

Keys are those of `inkling.embeddings.precomputed`. All rows are in memory when the file is written; for more images
than fit there, write Parquet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.embeddings.embed import Embedded, joined
from inkling.labels import Kind
from inkling.outputs import appearing_whole
from inkling.types import EncoderIdentity

NO_LABEL = NO_GROUP = ""


def write_npz(
    path: str | Path, parts: Iterable[Embedded], identity: EncoderIdentity, label_kind: Kind = Kind.TEXT
) -> int:
    """Write embedded images; the file appears under its name when it is complete.

    Parameters
    ----------
    path
        File to write or replace.
    parts
        Batches, as `iter_embedded` yields them.
    identity
        Encoder that made them.
    label_kind
        What the labels are of. Beside images without a label they become text: an array has no number for those.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    whole = joined(list(parts), identity)
    with appearing_whole(path) as draft, draft.open("wb") as file:
        np.savez(file, allow_pickle=False, **_arrays(whole, identity, label_kind))
    return len(whole.records)


def _arrays(whole: Embedded, identity: EncoderIdentity, kind: Kind) -> dict[str, NDArray[Any]]:
    labels = [record.label for record in whole.records]
    groups = [record.group for record in whole.records]
    arrays: dict[str, NDArray[Any]] = {
        "paths": np.array([record.path for record in whole.records], dtype=np.str_),
        "content_hashes": np.array(whole.content_hashes, dtype=np.str_),
        "embeddings": whole.embeddings,
        "encoder": np.array(json.dumps(asdict(identity))),
    }
    known = [label for label in labels if label is not None]
    if known and len(known) == len(labels) and kind is not Kind.TEXT:
        arrays["labels"] = kind.array(known)
    elif known:
        arrays["labels"] = np.array([NO_LABEL if label is None else label for label in labels], dtype=np.str_)
    if any(groups):
        arrays["groups"] = np.array([NO_GROUP if group is None else group for group in groups], dtype=np.str_)
    if whole.features is not None:
        arrays["features"] = whole.features
    return arrays
