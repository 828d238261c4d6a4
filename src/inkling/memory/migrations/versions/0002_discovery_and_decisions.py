"""Unknown pool, proposals, links, detector, stream, statistics, and the log of events."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables; those of the first release stay as they are."""
    _create_pool()
    _create_proposals()
    _create_states_of_spaces()
    _create_log()


def _create_pool() -> None:
    op.create_table(
        "pooled",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("first_version", sa.Integer, nullable=False),
        sa.Column("first_seen", sa.Text, nullable=False),
        sa.Column("p_known", sa.Double, nullable=True),
        sa.Column("thumbnail", sa.LargeBinary, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_pooled"),
        sa.UniqueConstraint("content_hash", name="uq_pooled_content_hash"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "pooled_vector",
        sa.Column("pooled_id", sa.Integer, nullable=False),
        sa.Column("space_id", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("pooled_id", "space_id", name="pk_pooled_vector"),
        sa.ForeignKeyConstraint(["pooled_id"], ["pooled.id"], name="fk_pooled_vector_pooled_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name="fk_pooled_vector_space_id", ondelete="CASCADE"),
    )
    op.create_table(
        "link",
        sa.Column("first", sa.Text, nullable=False),
        sa.Column("second", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("first", "second", name="pk_link"),
    )


def _create_proposals() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("merged_into", sa.Integer, nullable=True),
        sa.Column("name", sa.Text, nullable=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("stability", sa.Double, nullable=False),
        sa.Column("names", sa.Text, nullable=False),
        sa.Column("nearest_class", sa.Text, nullable=True),
        sa.Column("distance", sa.Double, nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_proposal"),
        sa.ForeignKeyConstraint(["merged_into"], ["proposal.id"], name="fk_proposal_merged_into"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "proposal_member",
        sa.Column("proposal_id", sa.Integer, nullable=False),
        sa.Column("pooled_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", "pooled_id", name="pk_proposal_member"),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name="fk_proposal_member_proposal_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["pooled_id"], ["pooled.id"], name="fk_proposal_member_pooled_id"),
    )
    op.create_index("ix_proposal_member_pooled_id", "proposal_member", ["pooled_id"])


def _create_states_of_spaces() -> None:
    for table, key, texts, last in (
        ("detector", ("space_id",), ("name", "params"), ("report",)),
        ("stream", ("space_id",), ("state",), ()),
        ("statistics", ("space_id", "head"), ("head",), ()),
    ):
        op.create_table(
            table,
            sa.Column("space_id", sa.Integer, nullable=False),
            *(sa.Column(name, sa.Text, nullable=False) for name in texts),
            sa.Column("arrays", sa.LargeBinary, nullable=False),
            *(sa.Column(name, sa.Text, nullable=False) for name in last),
            sa.PrimaryKeyConstraint(*key, name=f"pk_{table}"),
            sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=f"fk_{table}_space_id", ondelete="CASCADE"),
        )


def _create_log() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("time", sa.Text, nullable=False),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("undoes", sa.Integer, nullable=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
        sa.UniqueConstraint("version", name="uq_event_version"),
        sa.ForeignKeyConstraint(["undoes"], ["event.id"], name="fk_event_undoes"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "change",
        sa.Column("event_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("row_table", sa.Text, nullable=False),
        sa.Column("row_key", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=True),
        sa.Column("blob", sa.LargeBinary, nullable=True),
        sa.Column("after", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("event_id", "position", name="pk_change"),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name="fk_change_event_id"),
    )
