"""Files that hold many pictures, as other programs write them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tests.images.pictures import encoded, photo


def png(seed: int = 0) -> bytes:
    """A small picture; each seed has another."""
    return encoded(photo(seed, size=(6, 4)), "PNG")


def tar_of(*members: tuple[str, bytes]) -> bytes:
    """A tar with these members, in this order."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def hub_parquet(
    path: Path,
    pictures: Sequence[Mapping[str, Any] | None],
    labels: Sequence[int],
    names: Sequence[str],
    **options: Any,
) -> Path:
    """A Parquet file with pictures and numbered classes, with the metadata that the library `datasets` writes."""
    image = pa.array(pictures, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    features = {"image": {"_type": "Image"}, "label": {"names": list(names), "_type": "ClassLabel"}}
    told = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    table = pa.table({"image": image, "label": pa.array(labels, pa.int64())}).replace_schema_metadata(told)
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path, **options)
    return path
