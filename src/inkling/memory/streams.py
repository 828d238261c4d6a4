"""Where discovery in one pass stands, in each space. Derived: without it, a stream begins anew from the pool."""

from __future__ import annotations

import json

from sqlalchemy import Connection, select

from inkling.memory import schema
from inkling.memory.amend import Amendment
from inkling.memory.columns import array_blob, blob_arrays, json_text
from inkling.memory.discovered import StreamState
from inkling.memory.rows import Rows


def read_stream(connection: Connection, space_id: int) -> StreamState | None:
    """Where discovery in one pass stands."""
    table = schema.stream
    row = connection.execute(select(table).where(table.c.space_id == space_id)).mappings().one_or_none()
    return None if row is None else StreamState(json.loads(row["state"]), blob_arrays(row["arrays"]))


def write_stream(memory: Amendment, stream: StreamState) -> None:
    """Keep where discovery in one pass stands; it is derived, so no log accounts for it."""
    table, rows = schema.stream, Rows(memory.connection)
    rows.delete(table, table.c.space_id == memory.space_id)
    state = json_text(stream.state, what="state of a stream")
    rows.insert(table, [{"space_id": memory.space_id, "state": state, "arrays": array_blob(stream.arrays)}])
