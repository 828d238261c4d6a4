"""Schema of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    _create_spaces()
    _create_classes()
    _create_exemplars()
    _create_heads()


def _create_spaces() -> None:
    op.create_table(
        "space",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("dimension", sa.Integer, nullable=False),
        sa.Column("feature_dimension", sa.Integer, nullable=False),
        sa.Column("logit_scale", sa.Double, nullable=False),
        sa.Column("precision", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_space"),
        sa.UniqueConstraint("fingerprint", name="uq_space_fingerprint"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "memory",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("space_id", sa.Integer, nullable=False),
        sa.CheckConstraint("id = 1", name="ck_memory_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_memory"),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name="fk_memory_space_id"),
    )


def _create_classes() -> None:
    op.create_table(
        "class",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_class"),
        sa.UniqueConstraint("name", name="uq_class_name"),
        sqlite_autoincrement=True,
    )
    for table, content in (("alias", "name"), ("prompt", "text")):
        op.create_table(
            table,
            sa.Column("class_id", sa.Integer, nullable=False),
            sa.Column("position", sa.Integer, nullable=False),
            sa.Column(content, sa.Text, nullable=False),
            sa.PrimaryKeyConstraint("class_id", "position", name=f"pk_{table}"),
            sa.ForeignKeyConstraint(["class_id"], ["class.id"], name=f"fk_{table}_class_id", ondelete="CASCADE"),
        )
    _create_vectors("text_vector", of="class")


def _create_exemplars() -> None:
    op.create_table(
        "exemplar",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("class_id", sa.Integer, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("view", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_exemplar"),
        sa.ForeignKeyConstraint(["class_id"], ["class.id"], name="fk_exemplar_class_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_exemplar_class_id", "exemplar", ["class_id"])
    op.create_table(
        "thumbnail",
        sa.Column("exemplar_id", sa.Integer, nullable=False),
        sa.Column("jpeg", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("exemplar_id", name="pk_thumbnail"),
        sa.ForeignKeyConstraint(["exemplar_id"], ["exemplar.id"], name="fk_thumbnail_exemplar_id", ondelete="CASCADE"),
    )
    _create_vectors("vector", of="exemplar")


def _create_vectors(table: str, *, of: str) -> None:
    op.create_table(
        table,
        sa.Column(f"{of}_id", sa.Integer, nullable=False),
        sa.Column("space_id", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint(f"{of}_id", "space_id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint([f"{of}_id"], [f"{of}.id"], name=f"fk_{table}_{of}_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=f"fk_{table}_space_id", ondelete="CASCADE"),
    )


def _create_heads() -> None:
    op.create_table(
        "head",
        sa.Column("space_id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("params", sa.Text, nullable=False),
        sa.Column("arrays", sa.LargeBinary, nullable=False),
        sa.Column("calibration", sa.Text, nullable=False),
        sa.Column("training", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("space_id", name="pk_head"),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name="fk_head_space_id", ondelete="CASCADE"),
    )
    op.create_table(
        "provenance",
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("inkling_version", sa.Text, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("versions", sa.Text, nullable=False),
        sa.Column("data_hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_provenance"),
    )
