"""The values that travel between rooms: frozen, without behaviour beyond reading their own data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Box:
    """A rectangle of a picture, which stands for one object in it.

    Attributes
    ----------
    x, y, width, height
        Left and upper edge and the sides, in pixels of the upright picture or in shares of its sides.
    in_shares
        Whether they are shares, from 0 to 1.
    margin
        By what share of its width and height the box is widened at each of its edges, up to the picture's border.
    id
        How the source calls it, such as the id of an annotation.
    picture_size
        Width and height that the source states for the picture; another size makes the box meaningless.
    """

    x: float
    y: float
    width: float
    height: float
    in_shares: bool = False
    margin: float = 0.0
    id: str | None = None
    picture_size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Span:
    """A stretch of a file that is an image as it stands: where it begins, and how long it is, in bytes."""

    begin: int
    size: int


@dataclass(frozen=True)
class ImageRecord:
    """One image as the user names it, with its label where one is known.

    Attributes
    ----------
    path
        How the image is shown to the user: a file path or URL, ``archive.zip/member.jpg``,
        ``photo.jpg#xywh=10,20,30,40`` for a box, or a name such as ``image 3`` for pictures handed over in memory.
    label
        Class name, or None where the source does not tell.
    archive
        The file that holds the image among others, a zip, a tar or Parquet, by its path or URL; `member` is its name
        there, in Parquet the number of its row and perhaps a name after it.
    span
        The bytes of the archive that are the image's, where they are known.
    image
        A picture that was handed over in memory.
    data
        Bytes of an image file that were handed over.
    box
        The part of the picture that is meant; None for all of it.
    file
        Path of the picture where there is a box, which `path` names beside it.
    group
        Which source the image comes from, such as a burst or a video, where that is known.
    """

    path: str
    label: str | None = None
    archive: Path | str | None = None
    member: str | None = None
    image: Image | None = field(default=None, repr=False, compare=False)
    data: bytes | None = field(default=None, repr=False)
    box: Box | None = None
    file: str | None = None
    group: str | None = None
    span: Span | None = None


@dataclass(frozen=True)
class SkippedImage:
    """An image that could not be used, and why.

    Examples
    --------
    >>> from pathlib import Path
    >>> size = Path("inbox/broken.jpg").write_bytes(b"not an image")
    >>> found = list(FewShotClassifier.load("vehicles.ink").verdicts(["inbox/broken.jpg", "inbox/car-0000.png"]))
    >>> [one.path for one in found if isinstance(one, SkippedImage)]
    ['inbox/broken.jpg']
    """

    path: str
    reason: str


@dataclass(frozen=True)
class EncoderIdentity:
    """What must agree before vectors may meet: written into every artefact that is made from an encoder.

    Attributes
    ----------
    name
        Name for people, such as ``openai/clip-vit-base-patch32``.
    source
        What the user passed as ``--encoder``; the encoder can be opened again from it.
    fingerprint
        Hash of whatever its vectors depend on: weights, preprocessing, precision, dimension.
    dimension
        Length d of the vectors that images and texts share.
    feature_dimension
        Length of the second, image-side output; 0 where there is none.
    logit_scale
        Factor s on cosines before the softmax (100 for CLIP).
    precision
        One of `inkling.encoders.precision.ALL_PRECISIONS`.

    Examples
    --------
    >>> identity = load_encoder("sketch", dimensions=64).identity
    >>> identity.source, identity.dimension
    ('sketch@64', 64)
    """

    name: str
    source: str
    fingerprint: str
    dimension: int
    feature_dimension: int
    logit_scale: float
    precision: str


@dataclass(frozen=True, eq=False)
class HeadState:
    """Everything that sets a fitted head up again, in forms that any language can read.

    Attributes
    ----------
    name
        Name of the head, such as ``gda``.
    params
        What JSON can hold: hyperparameters, names, flags.
    arrays
        What the head learned, by name.
    """

    name: str
    params: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class ClassEntry:
    """A known class.

    Attributes
    ----------
    name
        Unique within a memory.
    prompts
        The texts that its text vector is the mean of.
    aliases
        Other names of it.
    text_vector
        Unit vector (d,) float32, or None where the encoder has no text for it.
    """

    name: str
    prompts: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    text_vector: Vectors | None = None


@dataclass(frozen=True)
class Exemplar:
    """One view of a labelled image that the memory was trained on.

    Attributes
    ----------
    path
        Where the image was found; it need not exist any more.
    content_hash
        Hash of the image file, the same for all of its views.
    class_name
        Name of a `ClassEntry` of the same memory.
    view
        0 for the image itself, above that its augmented views.
    thumbnail
        A small JPEG.
    """

    path: str
    content_hash: str
    class_name: str
    view: int = 0
    thumbnail: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Answer:
    """The narrowest of a class and the groups above it that is sure enough.

    Attributes
    ----------
    name
        Of the class or group; None where only "one of the known classes" is.
    probability
        That the image is of one of its classes.
    steps
        How many groups it stands above the likeliest class; 0 is the class itself.
    """

    name: str | None
    probability: float
    steps: int


@dataclass(frozen=True)
class Verdict:
    """Result of a classifier for one image.

    Attributes
    ----------
    path
        The image, as the user names it.
    label
        The likeliest class.
    probability
        Its calibrated probability.
    top_labels, top_probabilities
        The likeliest classes, best first, and their probabilities.
    memory_version
        Version of the memory that said so; None for one that was never saved.
    unknown
        Whether the image is of no known class, at the false-alarm rate that was asked for; `label` then is what it
        would have been. None where no detector could be fitted.
    p_known
        p-value of "the image is of a known class".
    names
        Where the image is unknown, what it may be instead, likeliest first; empty where nobody asked or no word is
        known.
    set
        The classes that hold the right one at the coverage that was asked for, likeliest first; None where nobody
        asked.
    answer
        A class, or the group of classes that is sure enough; None where nobody asked.

    Examples
    --------
    >>> verdict = next(FewShotClassifier.load("vehicles.ink").verdicts(["photos/test/cat/cat-0000.png"]))
    >>> verdict.label, verdict.unknown, verdict.memory_version
    ('cat', False, 3)
    """

    path: str
    label: str
    probability: float
    top_labels: tuple[str, ...]
    top_probabilities: tuple[float, ...]
    memory_version: int | None
    unknown: bool | None = None
    p_known: float | None = None
    names: tuple[str, ...] = ()
    set: tuple[str, ...] | None = None
    answer: Answer | None = None
