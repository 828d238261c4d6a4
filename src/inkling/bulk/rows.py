"""Results of images as Arrow tables with a row for each image, in the order of the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from inkling.bulk.parts import ERROR
from inkling.types import ImageRecord, SkippedImage

_TEXT = pa.string()
_OF_BOXES = {"image": _TEXT, "box": pa.list_(pa.float64()), "box_unit": _TEXT, "id": _TEXT}
_ANSWER = pa.struct({"name": _TEXT, "probability": pa.float64(), "steps": pa.int64()})


def verdict_schema(*, boxes: bool, promised: Sequence[str]) -> pa.Schema:
    """Columns of verdicts, as `inkling.payloads.verdict_payload` names them.

    Parameters
    ----------
    boxes
        Whether some of the images are boxes.
    promised
        Columns of what was asked for beside labels, of `inkling.payloads.PROMISED`.
    """
    return pa.schema(
        {
            "path": _TEXT,
            **(_OF_BOXES if boxes else {}),
            "label": _TEXT,
            "probability": pa.float64(),
            "top_labels": pa.list_(_TEXT),
            "top_probabilities": pa.list_(pa.float64()),
            **({"set": pa.list_(_TEXT)} if "set" in promised else {}),
            **({"answer": _ANSWER} if "answer" in promised else {}),
            "unknown": pa.bool_(),
            "p_known": pa.float64(),
            "names": pa.list_(_TEXT),
            "memory_version": pa.int64(),
        }
    )


def in_order(
    records: Sequence[ImageRecord],
    found: Sequence[Mapping[str, Any]],
    skipped: Sequence[SkippedImage],
    schema: pa.Schema,
) -> pa.Table:
    """A row for each image: what was found, or the reason why nothing was.

    Parameters
    ----------
    records
        The images.
    found
        Rows of those that have a result, in their order, by the columns of the schema.
    skipped
        The others, in their order.
    schema
        Columns of the results; `ERROR` is added.
    """
    results, reasons = iter(found), iter(skipped)
    without = {one.path for one in skipped}
    rows = [
        {"path": record.path, ERROR: next(reasons).reason} if record.path in without else dict(next(results))
        for record in records
    ]
    return pa.Table.from_pylist(rows, schema=schema.append(pa.field(ERROR, _TEXT)))
