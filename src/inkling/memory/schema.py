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
REVISION = "0003"

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
    Column("position", Integer, nullable=False, doc="Order of its column in the head."),
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
    info={"about": "Views of labelled images that the memory was trained on."},
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
    Column("arrays", LargeBinary, nullable=False, doc="safetensors, packed: what the head learned."),
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

pooled = Table(
    "pooled",
    metadata,
    Column("id", Integer, primary_key=True, doc="Number of the pooled image, never given twice."),
    Column("path", AnyText, nullable=False, doc="Where the image was found."),
    Column("content_hash", Text, nullable=False, unique=True, doc="Hash of the image file."),
    Column("state", Text, nullable=False, doc="waiting, accepted or discarded."),
    Column("first_version", Integer, nullable=False, doc="The memory version that first saw it."),
    Column("first_seen", Text, nullable=False, doc="Time in UTC, ISO 8601."),
    Column("p_known", Double, nullable=True, doc="p-value of its being of a known class, when it was first seen."),
    Column("thumbnail", LargeBinary, nullable=True, doc="A small JPEG."),
    sqlite_autoincrement=True,
    info={"about": "The unknown pool: images unlike every known class, and what became of them."},
)

pooled_vector = Table(
    "pooled_vector",
    metadata,
    Column("pooled_id", ForeignKey("pooled.id", ondelete="CASCADE"), primary_key=True, doc="The pooled image."),
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE"), primary_key=True, doc="The space."),
    Column("data", LargeBinary, nullable=False, doc="d + f float32, little-endian: embedding, then feature."),
    info={"about": "What an encoder made of the pooled images."},
)

proposal = Table(
    "proposal",
    metadata,
    Column("id", Integer, primary_key=True, doc="Number of the proposal, never given twice."),
    Column("state", Text, nullable=False, doc="open, accepted, merged, split, discarded or withdrawn."),
    Column(
        "merged_into",
        ForeignKey("proposal.id"),
        nullable=True,
        doc="The proposal that took the place of a merged or withdrawn one.",
    ),
    Column("name", AnyText, nullable=True, doc="Name that a person gave it."),
    Column("size", Integer, nullable=False, doc="Different pictures among its images: near-duplicates count once."),
    Column("stability", Double, nullable=False, doc="How surely it is found again in resampled images, 0 to 1."),
    Column("names", Text, nullable=False, doc="JSON: likely names, best first, with the evidence for each."),
    Column("nearest_class", AnyText, nullable=True, doc="The known class that was nearest when it was proposed."),
    Column("distance", Double, nullable=True, doc="How far that class is."),
    Column("version", Integer, nullable=False, doc="The memory version that wrote it."),
    sqlite_autoincrement=True,
    info={"about": "Clusters of pooled images, proposed as classes, and what was decided about them."},
)

proposal_member = Table(
    "proposal_member",
    metadata,
    Column("proposal_id", ForeignKey("proposal.id", ondelete="CASCADE"), primary_key=True, doc="The proposal."),
    Column("pooled_id", ForeignKey("pooled.id"), primary_key=True, index=True, doc="An image of it."),
    Column("position", Integer, nullable=False, doc="Order among its images, nearest to the centre first."),
    Column(
        "picture",
        Integer,
        nullable=True,
        doc="Members with the same number are near-duplicates; null: a picture of its own.",
        info={"added": True},
    ),
    info={"about": "Which pooled images a proposal is made of."},
)

link = Table(
    "link",
    metadata,
    Column("first", Text, primary_key=True, doc="Content hash of an image, the smaller of the two."),
    Column("second", Text, primary_key=True, doc="Content hash of another."),
    Column("kind", Text, nullable=False, doc="must: one class; cannot: two classes."),
    info={
        "about": "Constraints on pairs of images that follow from decisions. They hold wherever the images are kept."
    },
)

detector = Table(
    "detector",
    metadata,
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE"), primary_key=True, doc="The space it reads."),
    Column("name", Text, nullable=False, doc="Name of the score that tells unknown images."),
    Column(
        "params",
        Text,
        nullable=False,
        doc="JSON: settings and thresholds. `of exemplars` has digests of arrays that are the exemplars' vectors.",
    ),
    Column("arrays", LargeBinary, nullable=False, doc="safetensors, packed: what the detector learned, but for those."),
    Column("report", Text, nullable=False, doc="JSON: what its calibration found out."),
    info={"about": "What tells unknown images in a space; memories without one have no row."},
)

stream = Table(
    "stream",
    metadata,
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE"), primary_key=True, doc="The space it is in."),
    Column("state", Text, nullable=False, doc="JSON: where discovery in one pass stands."),
    Column("arrays", LargeBinary, nullable=False, doc="safetensors, packed: its clusters."),
    info={
        "about": "Where discovery on a stream of images goes on. Derived: without it, the stream begins anew "
        "from the pool."
    },
)

statistics = Table(
    "statistics",
    metadata,
    Column("space_id", ForeignKey("space.id", ondelete="CASCADE"), primary_key=True, doc="The space they are in."),
    Column("head", Text, primary_key=True, doc="Hash of the head that they belong to."),
    Column(
        "arrays",
        LargeBinary,
        nullable=False,
        doc="safetensors, packed: class sums, counts, scatter of exemplars.",
    ),
    info={
        "about": "What closed-form heads need of the exemplars, for the head in use and the one before it. Derived: "
        "without it, the vectors are read again."
    },
)

event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True, doc="Number of the event, in their order."),
    Column("version", Integer, nullable=False, unique=True, doc="The memory version that it made."),
    Column("time", Text, nullable=False, doc="Time in UTC, ISO 8601."),
    Column("verb", Text, nullable=False, doc="What was done."),
    Column("arguments", Text, nullable=False, doc="JSON: what it was done with."),
    Column("outcome", Text, nullable=False, doc="JSON: what came of it."),
    Column("undoes", ForeignKey("event.id"), nullable=True, doc="The event that this one took back."),
    Column("digest", Text, nullable=False, doc="Digest of all that the memory held afterwards."),
    sqlite_autoincrement=True,
    info={"about": "The log. Rows are added, never changed."},
)

change = Table(
    "change",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True, doc="The event."),
    Column("position", Integer, primary_key=True, doc="Order among the changes of the event, from 0."),
    Column("row_table", Text, nullable=False, doc="The table of the row that was changed."),
    Column("row_key", Text, nullable=False, doc="JSON: its primary key."),
    Column("before", Text, nullable=True, doc="JSON: what its changed columns held before; null for a new row."),
    Column("blob", LargeBinary, nullable=True, doc="What its column of bytes held before."),
    Column("after", Text, nullable=True, doc="Hash of the row afterwards; null for a row taken out."),
    info={"about": "The inverse of each event that can be taken back, row by row."},
)
