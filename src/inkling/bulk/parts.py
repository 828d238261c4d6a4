"""The parts of a run: Parquet files that tell which part of which run they are, and whether they are whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from inkling.bulk.shelf import Shelf

ERROR = "error"
"""Column of the reason why an image has no result; null where it has one."""
METADATA_KEY = b"inkling.part"


@dataclass(frozen=True)
class Written:
    """A part that is there.

    Attributes
    ----------
    part
        Its number, from 0.
    rows
        One for each image.
    sha256
        Of the file.
    skipped
        Path and reason of the images without a result.
    """

    part: int
    rows: int
    sha256: str
    skipped: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values, without the images skipped."""
        return {"file": name_of(self.part), "rows": self.rows, "skipped": len(self.skipped), "sha256": self.sha256}


def name_of(part: int) -> str:
    """File name of a part.

    Examples
    --------
    >>> name_of(3)
    'part-000003.parquet'
    """
    return f"part-{part:06d}.parquet"


def write_part(shelf: Shelf, part: int, table: pa.Table, *, run: str) -> Written:
    """Write the rows of a part under its name, in the place of an older file.

    Parameters
    ----------
    shelf
        Where to.
    part
        Its number.
    table
        A row for each of its images, with a column `ERROR`.
    run
        Digest of the plan.
    """
    tagged = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), METADATA_KEY: json.dumps({"run": run, "part": part}).encode()}
    )
    file = BytesIO()
    # Check sums of pages tell a damaged part from a whole one, where no manifest knows of it yet.
    parquet.write_table(tagged, file, compression="zstd", write_page_checksum=True)
    content = file.getvalue()
    shelf.put(name_of(part), content)
    return _written(part, tagged, content)


def read_part(shelf: Shelf, part: int, *, run: str) -> Written | None:
    """A part as it is there; None where it is missing, damaged, or of another run."""
    try:
        content = shelf.get(name_of(part))
        table = parquet.read_table(BytesIO(content), page_checksum_verification=True)
        tag = json.loads((table.schema.metadata or {})[METADATA_KEY])
    except FileNotFoundError:
        return None
    except (pa.ArrowException, OSError, KeyError, ValueError, RecursionError):
        return None
    return _written(part, table, content) if tag == {"run": run, "part": part} else None


def _written(part: int, table: pa.Table, content: bytes) -> Written:
    lost = table.filter(table[ERROR].is_valid()).select(["path", ERROR]).to_pylist()
    skipped = tuple((row["path"], row[ERROR]) for row in lost)
    return Written(part, table.num_rows, sha256(content).hexdigest(), skipped)
