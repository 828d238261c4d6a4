"""What a memory holds, as values. Neither SQL nor files here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from inkling.errors import InputError
from inkling.types import ClassEntry, EncoderIdentity, Exemplar, HeadState, Vectors

WITHOUT_DETECTOR = "unknown images are not told: the memory has no detector of them"
"""What is said once a detector is taken out; as long as there is one, it speaks for itself."""

SETS = "sets"
"""Key of the calibration under which stands what prediction sets rest on: figures of thousands of images."""
PARENTS = "parents"
"""Key of the training findings under which stand the groups of classes that the user gave, by the name of a child."""
VIEWS = "views"
"""Key of the training findings under which stands of how many views each vector is the mean, where somebody said it."""
UNLABELLED = "unlabelled"
"""Key of the training findings under which stands how many images without labels were offered to the head."""
ONE_PASS = "one_pass"
"""Key of the training findings under which stands how many vectors were learned from in one pass, and how many kept."""
HEAD_BYTES = 990_000_000  # SQLite's limit of one value is a little above
SEED_LIMIT = 2**63


@dataclass(frozen=True)
class Provenance:
    """How a version of the memory came to be.

    Attributes
    ----------
    created
        Time in UTC, ISO 8601.
    inkling_version
        Release that wrote it.
    command
        Command line, or the Python call.
    seed
        Seed of every random choice.
    versions
        Versions of the packages that the numbers depend on.
    data_hash
        Hash over content hashes and labels of the images.
    """

    created: str
    inkling_version: str
    command: str
    seed: int
    versions: Mapping[str, str]
    data_hash: str


@dataclass(frozen=True, eq=False)
class DetectorState:
    """What tells unknown images, in forms that any language can read.

    Attributes
    ----------
    name
        Name of the score.
    params
        What JSON can hold: settings and thresholds.
    arrays
        What it learned, by name.
    report
        What its calibration found out, as JSON can hold it.
    """

    name: str
    params: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]
    report: Mapping[str, Any]


def unknown_finding(training: Mapping[str, Any], report: Mapping[str, Any] | None) -> str:
    """What is known of telling unknown images, in one sentence.

    Parameters
    ----------
    training
        As in `MemoryContent`: says why there is no detector.
    report
        That of the detector, None where there is none.
    """
    if report is None:
        return str(training.get("unknown", WITHOUT_DETECTOR))
    if "finding" in report:
        return str(report["finding"])
    calibration = report["calibration"]  # as an earlier release wrote it
    return f"at {100 * calibration['false_alarms']:.3g} % false alarms requested, from {calibration['n']} images"


@dataclass(frozen=True, eq=False)
class MemoryContent:
    """Everything that a memory knows at one version.

    Attributes
    ----------
    encoder
        Encoder of all vectors, of the head and of the calibration.
    classes
        Known classes in the order of the head's columns.
    exemplars
        Their training images.
    vectors
        One row per exemplar, (n_exemplars, d + f) float32: embedding, then feature.
    head
        The fitted head.
    calibration
        What turns scores into probabilities, as JSON can hold it.
    training
        What fitting found out, as JSON can hold it.
    provenance
        How it came to be.
    detector
        The detector of unknown images, where there is one.
    statistics
        What decisions need to fit the head again in closed form, by name. Derived: it is written, not read.
    """

    encoder: EncoderIdentity
    classes: tuple[ClassEntry, ...]
    exemplars: tuple[Exemplar, ...]
    vectors: Vectors
    head: HeadState
    calibration: Mapping[str, Any]
    training: Mapping[str, Any]
    provenance: Provenance
    detector: DetectorState | None = None
    statistics: Mapping[str, NDArray[Any]] | None = None


@dataclass(frozen=True, eq=False)
class StoredMemory:
    """Content as read from a file.

    Attributes
    ----------
    content
        What it knows.
    version
        The version that it had there; 1 for a new memory.
    class_ids
        Number of each class, in their order. A class keeps it under any name, and no other class ever gets it.
    """

    content: MemoryContent
    version: int
    class_ids: tuple[int, ...]


def check_content(content: MemoryContent) -> None:
    """Refuse content that contradicts itself, before anything is written.

    Raises
    ------
    InputError
        If a class name occurs twice, an exemplar belongs to no class, or vectors have the wrong shape.
    """
    _check_names(content)
    _check_sizes(content)
    expected = (len(content.exemplars), content.encoder.dimension + content.encoder.feature_dimension)
    if content.vectors.shape != expected:
        raise InputError(
            f"Vectors of shape {expected} were expected, one row per exemplar with the encoder's embedding "
            f"and feature in it; they have shape {content.vectors.shape}.",
            remedy="Hand over the exemplars and their vectors in the same order and number.",
        )
    for entry in content.classes:
        if entry.text_vector is not None and entry.text_vector.shape != (content.encoder.dimension,):
            raise InputError(
                f"The text vector of class {entry.name!r} has shape {entry.text_vector.shape}; "
                f"the encoder's is ({content.encoder.dimension},).",
                remedy="Encode the class's prompts with the encoder that the memory is made with.",
            )


def _check_names(content: MemoryContent) -> None:
    counts = Counter(entry.name for entry in content.classes)
    repeated = sorted(name for name, count in counts.items() if count > 1)
    if repeated:
        raise InputError(
            f"Class names must be unique; these occur more than once: {', '.join(map(repr, repeated))}.",
            remedy="Merge the classes or rename all but one of each.",
        )
    strays = sorted({exemplar.class_name for exemplar in content.exemplars} - counts.keys())
    if strays:
        raise InputError(
            f"Some exemplars belong to classes that are not listed: {', '.join(map(repr, strays))}.",
            remedy="Add these classes, or leave their exemplars out.",
        )


def _check_sizes(content: MemoryContent) -> None:
    size = sum(array.nbytes for array in content.head.arrays.values())
    if size > HEAD_BYTES:
        raise InputError(
            f"The arrays of head {content.head.name!r} take {size / 1e9:.1f} GB; a memory holds at most "
            f"{HEAD_BYTES / 1e9:.1f} GB of them.",
            remedy="Choose a head that keeps no copy of the exemplars, such as gda or prototype.",
        )
    if not -SEED_LIMIT <= content.provenance.seed < SEED_LIMIT:
        raise InputError(
            f"The seed {content.provenance.seed} does not fit into 64 bits.", remedy="Choose a smaller seed."
        )
