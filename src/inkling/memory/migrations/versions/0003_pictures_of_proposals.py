"""Near-duplicates among the members of a proposal; where a stream stands is derived, and outside the digest."""

import json
from datetime import UTC, datetime
from hashlib import blake2b

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

MODULUS = 1 << 128


def upgrade() -> None:
    """Add the column, and begin streams anew, with an event that says so."""
    op.add_column("proposal_member", sa.Column("picture", sa.Integer, nullable=True))
    connection = op.get_bind()
    streams = connection.execute(sa.text("SELECT space_id, state, arrays FROM stream")).all()
    if not streams:
        return
    connection.execute(sa.text("DELETE FROM stream"))
    logged = connection.execute(sa.text("SELECT digest FROM event ORDER BY id DESC LIMIT 1")).scalar()
    if logged is not None:
        _log(connection, (int(logged, 16) - sum(_hash(*row) for row in streams)) % MODULUS)


def _hash(space_id: int, state: str, arrays: bytes) -> int:
    """What the row of a stream added to the digest."""
    hashed = blake2b(json.dumps(["stream", space_id, state, True]).encode(), digest_size=16)
    hashed.update(arrays)
    return int.from_bytes(hashed.digest(), "big")


def _log(connection: sa.Connection, digest: int) -> None:
    connection.execute(sa.text("UPDATE memory SET version = version + 1"))
    connection.execute(
        sa.text(
            "INSERT INTO event (version, time, verb, arguments, outcome, undoes, digest) "
            "VALUES ((SELECT version FROM memory), :time, 'upgrade', :arguments, :outcome, NULL, :digest)"
        ),
        {
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "arguments": json.dumps({"schema": revision}),
            "outcome": json.dumps({"streams": "begin anew"}),
            "digest": f"{digest:032x}",
        },
    )
