"""ONNX repositories as people publish them, without an `encoder.json`: which of their files are used, and for what.

Three layouts are known: that of transformers.js (towers in a folder ``onnx``), that of Optimum (the same files at the
top), and that of Immich (folders ``visual`` and ``textual``, with OpenCLIP's configuration). Names of files end in the
precision of their weights. A choice is made from the names of files alone, so that it serves a folder and the listing
of a hub alike, and only what is wanted is downloaded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from inkling.encoders.precision import ALL_PRECISIONS, AUTO, BNB4, FLOAT16, FLOAT32, INT8, Q4, Q4F16, check_precision
from inkling.encoders.transformers.families import MODEL_TYPES
from inkling.encoders.transformers.weights import FORMS
from inkling.errors import EncoderError

ENDINGS: Mapping[str, tuple[str, ...]] = {
    FLOAT32: ("",),
    FLOAT16: ("_fp16",),
    INT8: ("_quantized", "_int8", "_q8", "_uint8"),
    Q4: ("_q4",),
    Q4F16: ("_q4f16",),
    BNB4: ("_bnb4",),
}
"""By precision: how names of its files end, the first that is there counts."""

_TOKENIZER = "tokenizer.json"
_TOKENIZER_CONFIG = "tokenizer_config.json"


@dataclass(frozen=True)
class Layout:
    """Where the files of one kind of repository lie; ``{}`` stands for the ending of a precision.

    Attributes
    ----------
    title
        Name for people.
    images, texts
        The towers.
    both
        Both in one file, or an image tower that stands alone; None where the layout has no such file.
    processor
        Configuration of the image processor.
    tokenizer_folder
        Where the files of the tokenizer lie, with a slash at its end.
    is_open_clip
        Whether ``config.json`` is OpenCLIP's.
    """

    title: str
    images: str
    texts: str
    both: str | None
    processor: str
    tokenizer_folder: str = ""
    is_open_clip: bool = False


LAYOUTS = (
    Layout(
        "transformers.js",
        "onnx/vision_model{}.onnx",
        "onnx/text_model{}.onnx",
        "onnx/model{}.onnx",
        "preprocessor_config.json",
    ),
    Layout(
        "Immich",
        "visual/model{}.onnx",
        "textual/model{}.onnx",
        None,
        "visual/preprocess_cfg.json",
        tokenizer_folder="textual/",
        is_open_clip=True,
    ),
    Layout("Optimum", "vision_model{}.onnx", "text_model{}.onnx", "model{}.onnx", "preprocessor_config.json"),
)


@dataclass(frozen=True)
class Choice:
    """Files of a repository for one precision, by their paths within it.

    Attributes
    ----------
    layout
        Of the repository.
    precision
        Of the files; never ``auto``.
    images, texts
        The towers, which may be one file; `texts` is None where there is no text tower.
    """

    layout: Layout
    precision: str
    images: str
    texts: str | None

    @property
    def tokenizer(self) -> str:
        """The tokenizer's file."""
        return self.layout.tokenizer_folder + _TOKENIZER

    @property
    def tokenizer_config(self) -> str:
        """What else is known of the tokenizer."""
        return self.layout.tokenizer_folder + _TOKENIZER_CONFIG

    @property
    def patterns(self) -> list[str]:
        """Patterns of the files that are wanted, weights beside a model included (``model.onnx_data``)."""
        small = ["config.json", self.layout.processor, "processor_config.json", self.tokenizer, self.tokenizer_config]
        return small + [f"{name}*" for name in dict.fromkeys((self.images, self.texts)) if name]


def names_in(folder: Path) -> set[str]:
    """Paths of the files that may belong to a layout, relative to a folder."""
    patterns = [name for layout in LAYOUTS for name in (layout.images, layout.texts, layout.processor)]
    folders = {Path(name).parent for name in ("config.json", *patterns)}
    files = (path for place in folders for path in (folder / place).glob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in files}


def layout_of(names: Collection[str]) -> Layout | None:
    """Layout of a repository by the names of its files, in whatever precision; None where it is of none."""
    if "config.json" not in names:
        return None
    return next((layout for layout in LAYOUTS if _offered(layout, names)), None)


def is_repository(names: Collection[str], model_type: object = None) -> bool:
    """Whether a repository is to be taken as one of ONNX files.

    Weights of `transformers` come first, of families that are known.

    Parameters
    ----------
    names
        Paths of its files.
    model_type
        Of its ``config.json``, where that is known.
    """
    has_weights = any(form.name in names for form in FORMS)
    return layout_of(names) is not None and not (has_weights and model_type in MODEL_TYPES)


def choose(names: Collection[str], *, precision: str, where: str) -> Choice:
    """Choose the files of a precision.

    Parameters
    ----------
    names
        Paths of the files of a repository.
    precision
        As the user gave it; ``auto`` is float32.
    where
        The repository, for the message.

    Raises
    ------
    EncoderError
        If it has none in that precision.
    """
    check_precision(precision, offered=ALL_PRECISIONS)
    layout = layout_of(names)
    if layout is None:
        raise EncoderError(
            f"{where} holds no ONNX files of a known layout.",
            remedy="Known are: " + "; ".join(f"{one.title} ({one.images.format('')})" for one in LAYOUTS) + ".",
        )
    wanted = FLOAT32 if precision == AUTO else precision
    offered = _offered(layout, names)
    if wanted not in offered:
        raise EncoderError(
            f"{where} has no ONNX files of the precision {precision}; it has {', '.join(offered)}.",
            remedy=f"Use the precision {next(iter(offered))}.",
        )
    return Choice(layout, wanted, *offered[wanted])


def _offered(layout: Layout, names: Collection[str]) -> dict[str, tuple[str, str | None]]:
    """Files of both towers by the precisions that a repository has. Towers in files of their own come first."""
    offered: dict[str, tuple[str, str | None]] = {}
    has_texts = any(_first(layout.texts, precision, names) for precision in ENDINGS)
    for precision in ENDINGS:
        images, texts = (_first(pattern, precision, names) for pattern in (layout.images, layout.texts))
        both = _first(layout.both, precision, names)
        if images and (texts or not has_texts):
            offered[precision] = (images, texts)
        elif both:
            offered[precision] = (both, both)
    return offered


def _first(pattern: str | None, precision: str, names: Collection[str]) -> str | None:
    if pattern is None:
        return None
    return next((name for ending in ENDINGS[precision] if (name := pattern.format(ending)) in names), None)
