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
from inkling.outputs import appearing_whole
from inkling.types import EncoderIdentity

NO_LABEL = ""


def write_npz(path: str | Path, parts: Iterable[Embedded], identity: EncoderIdentity) -> int:
    """Write embedded images; the file appears under its name when it is complete.

    Parameters
    ----------
    path
        File to write or replace.
    parts
        Batches, as `iter_embedded` yields them.
    identity
        Encoder that made them.

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
        np.savez(file, allow_pickle=False, **_arrays(whole, identity))
    return len(whole.records)


def _arrays(whole: Embedded, identity: EncoderIdentity) -> dict[str, NDArray[Any]]:
    labels = [record.label for record in whole.records]
    arrays: dict[str, NDArray[Any]] = {
        "paths": np.array([record.path for record in whole.records], dtype=np.str_),
        "content_hashes": np.array(whole.content_hashes, dtype=np.str_),
        "embeddings": whole.embeddings,
        "encoder": np.array(json.dumps(asdict(identity))),
    }
    if any(label is not None for label in labels):
        arrays["labels"] = np.array([NO_LABEL if label is None else label for label in labels], dtype=np.str_)
    if whole.features is not None:
        arrays["features"] = whole.features
    return arrays
