"""The tables of a memory. The `doc` of a column and the `about` of a table are what the reference page says.

A change here needs a new revision in `migrations/versions`; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from inkling.memory.columns import AnyText

APPLICATION_ID = 0x496E6B6C  # "Inkl" in ASCII
REVISION = "0001"

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

alembic_version = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), doc="Revision of the schema."),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
    info={"about": "Which schema the file has; Alembic's own table."},
)

space = Table(
    "space",
    metadata,
    Column("id", Integer, primary_key=True, doc="Number of the space, never given twice."),
    Column("fingerprint", Text, nullable=False, unique=True, doc="Hash of weights, preprocessing, precision."),
    Column("name", AnyText, nullable=False, doc="Name of the encoder."),
    Column("source", AnyText, nullable=False, doc="What opens the encoder again: hub name or folder."),
    Column("dimension", Integer, nullable=False, doc="Length d of the vectors that images and texts share."),
    Column("feature_dimension", Integer, nullable=False, doc="Length f of the image-side feature, or 0."),
    Column("logit_scale", Double, nullable=False, doc="Factor on cosines before the softmax."),
    Column("precision", Text, nullable=False, doc="float32, bfloat16 or int8."),
    sqlite_autoincrement=True,
    info={"about": "An encoder, and with it the space that its vectors live in."},
)

memory = Table(
    "memory",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, doc="Always 1."),
    Column("version", Integer, nullable=False, doc="Counts every write, from 1."),
    Column("space_id", ForeignKey("space.id"), nullable=False, doc="The space that is in use."),
    info={"about": "One row: the state of the memory as a whole."},
)

klass = Table(
    "class",
    metadata,
    Column("id", Integer, primary_key=True, doc="Number of the class, never given twice."),
    Column("name", AnyText, nullable=False, unique=True, doc="Name of the class."),
    Column("position", Integer, nullable=False, doc="Its column in the head, from 0."),
    sqlite_autoincrement=True,
    info={"about": "A known class. It keeps its number when the memory is fitted anew."},
)

alias = Table(
    "alias",
    metadata,
    Column("class_id", ForeignKey("class.id", ondelete="CASCADE"), primary_key=True, doc="The class."),
    Column("position", Integer, primary_key=True, doc="Order among the aliases of the class, from 0."),
    Column("name", AnyText, nullable=False, doc="Another name of the class."),
    info={"about": "Other names of the classes."},
)

prompt = Table(
    "prompt",
    metadata,
    Column("class_id", ForeignKey("class.id", ondelete="CASCADE"), primary_key=True, doc="The class."),
    Column("position", Integer, primary_key=True, doc="Order among the prompts of the class, from 0."),
    Column("text", AnyText, nullable=False, doc="The prompt as it was encoded."),
    info={"about": "The texts behind the text vector of a class."},
)

text_vector = Table(
    "text_vector",
    metadata,
    Column("class_id", ForeignKey("class.id", ondelete="CASCADE"), primary_key=True, doc="The class."),
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE"), primary_key=True, doc="The space."),
    Column("data", LargeBinary, nullable=False, doc="d float32, little-endian: the class's unit text vector."),
    info={"about": "Text vectors; a class that the encoder has no text for has none."},
)

exemplar = Table(
    "exemplar",
    metadata,
    Column("id", Integer, primary_key=True, doc="Number of the exemplar, never given twice; also its order."),
    Column("class_id", ForeignKey("class.id"), nullable=False, index=True, doc="The class that it shows."),
    Column("path", AnyText, nullable=False, doc="Where the image was found."),
    Column("content_hash", Text, nullable=False, doc="Hash of the image file."),
    Column("view", Integer, nullable=False, doc="0: the image itself; above: its augmented views."),
    sqlite_autoincrement=True,
    info={"about": "Views of labelled images that the memory was taught with."},
)

thumbnail = Table(
    "thumbnail",
    metadata,
    Column("exemplar_id", ForeignKey("exemplar.id", ondelete="CASCADE"), primary_key=True, doc="The exemplar."),
    Column("jpeg", LargeBinary, nullable=False, doc="A small JPEG."),
    info={"about": "Small pictures of the exemplars, apart from them so that a scan of exemplars stays small."},
)

vector = Table(
    "vector",
    metadata,
    Column("exemplar_id", ForeignKey("exemplar.id", ondelete="CASCADE"), primary_key=True, doc="The exemplar."),
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE"), primary_key=True, doc="The space."),
    Column("data", LargeBinary, nullable=False, doc="d + f float32, little-endian: embedding, then feature."),
    info={"about": "What an encoder made of the exemplars."},
)

head = Table(
    "head",
    metadata,
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE"), primary_key=True, doc="The space it reads."),
    Column("name", Text, nullable=False, doc="Name of the head, such as gda."),
    Column("params", Text, nullable=False, doc="JSON: hyperparameters."),
    Column("arrays", LargeBinary, nullable=False, doc="safetensors: what the head learned."),
    Column("calibration", Text, nullable=False, doc="JSON: what turns its scores into probabilities."),
    Column("training", Text, nullable=False, doc="JSON: what fitting found out."),
    info={"about": "The fitted head of a space, with its calibration."},
)

provenance = Table(
    "provenance",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False, doc="The memory version written."),
    Column("created", Text, nullable=False, doc="Time in UTC, ISO 8601."),
    Column("inkling_version", Text, nullable=False, doc="Release that wrote it."),
    Column("command", AnyText, nullable=False, doc="Command line or Python call."),
    Column("seed", BigInteger, nullable=False, doc="Seed of every random choice."),
    Column("versions", Text, nullable=False, doc="JSON: versions of the packages behind the numbers."),
    Column("data_hash", Text, nullable=False, doc="Hash over content hashes and labels of the images."),
    info={"about": "How each version of the memory came to be. Rows are added, never changed."},
)
