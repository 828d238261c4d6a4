"""`encoder.json` of an ONNX encoder folder, checked key by key.

```json
{
  "name": "my-encoder",
  "model": "model.onnx",
  "input": {"name": "pixel_values", "size": 224, "resize": "shorter_side", "interpolation": "bicubic",
            "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
  "outputs": {"embeddings": "image_embeds", "features": "features"},
  "dimension": 512,
  "feature_dimension": 2560,
  "logit_scale": 100.0,
  "texts": {"table": "text_vectors.npz", "template": "a {}"},
  "licence": "Apache-2.0",
  "source": "where it comes from"
}
```

Paths are relative to the folder. `resize` is ``shorter_side`` (the aspect ratio is kept, the centre is cropped) or
``square`` (both sides are resized). An open text side is ``{"model": "text.onnx", "tokenizer": "tokenizer.json",
"input": "input_ids", "output": "text_embeds", "max_length": 77}``, with ``"pad_to": 64`` where the model always
reads that many tokens, and ``"lower_case": true`` where it was trained so.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkling.encoders.files import read_json
from inkling.encoders.onnx.graph import Graph, read_graph
from inkling.encoders.precision import FLOAT32
from inkling.encoders.preprocessing import LARGEST_SIZE, Preprocessing
from inkling.encoders.text_forms import TextForm
from inkling.errors import EncoderError
from inkling.wording import excerpt, quoted, visible

FILE = "encoder.json"

INTERPOLATIONS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}
"""Numbers of the Pillow filters."""

_RESIZES = ("shorter_side", "square")

_REQUIRED = object()

_LARGEST = 100_000
"""Numbers above this are slips."""


@dataclass(frozen=True)
class TextTable:
    """A closed vocabulary: vectors of names, each made from one prompt.

    Attributes
    ----------
    file
        npz with `names` (n,) and `vectors` (n, d).
    template
        The prompt that the vectors were made from, with ``{}`` in the name's place.
    """

    file: Path
    template: str


@dataclass(frozen=True)
class TextModel:
    """An open text side: an ONNX model and a tokenizer of the `tokenizers` library.

    Attributes
    ----------
    file, external
        The model, and files beside it that hold its weights.
    tokenizer
        The tokenizer.
    input, output
        Names of token numbers and text vectors.
    max_length
        Most tokens of a text; longer ones are cut.
    pad_to
        How many tokens the model always reads; None where it reads texts at their own length.
    form
        What becomes of a text before it is cut into tokens.
    alone
        Whether texts are run one by one, as the model rounds by the range of all that it is given.
    pad_token, pad_side
        What texts are padded with, and where; None leaves it to the tokenizer's own file.
    masks_padding
        Whether a mask, where the model reads one, leaves out the padding.
    tries_padding
        Whether one text, padded and not, is to show if the model was made for padded texts.
    vocabulary
        Tokens that the model has vectors for, where that is known.
    """

    file: Path
    tokenizer: Path
    input: str
    output: str
    max_length: int
    pad_to: int | None
    form: TextForm
    external: tuple[Path, ...] = ()
    alone: bool = False
    pad_token: str | None = None
    pad_side: str = "right"
    masks_padding: bool = True
    tries_padding: bool = False
    vocabulary: int | None = None


@dataclass(frozen=True)
class Description:
    """An ONNX encoder, as its `encoder.json` or the files of a repository describe it, with paths resolved.

    Attributes
    ----------
    embeddings, features
        Names of outputs. Where `embeddings` has a vector for each token, the first one counts, the class token's.
    external
        Files beside `model` that hold its weights.
    alone
        Whether images are run one by one, as the model rounds by the range of all that it is given.
    precision
        Of the files.
    """

    name: str
    model: Path
    input: str
    preprocessing: Preprocessing
    embeddings: str
    features: str | None
    dimension: int
    feature_dimension: int
    logit_scale: float
    texts: TextTable | TextModel | None
    licence: str
    source: str
    external: tuple[Path, ...] = ()
    alone: bool = False
    precision: str = FLOAT32


def read_description(folder: Path) -> Description:
    """Read and check the `encoder.json` of a folder.

    Raises
    ------
    EncoderError
        Names the key or the file that is missing or wrong.
    """
    root = _Section(read_json(folder / FILE), folder / FILE)
    outputs, model_input = root.section("outputs"), root.section("input")
    features, model = outputs.optional("features", str), root.file("model")
    graph = _readable(model)
    return Description(
        name=root.get("name", str, default=folder.resolve().name),
        model=model,
        input=model_input.get("name", str, default="pixel_values"),
        preprocessing=_read_preprocessing(model_input),
        embeddings=outputs.get("embeddings", str),
        features=features,
        dimension=root.get("dimension", int),
        feature_dimension=root.get("feature_dimension", int) if features else 0,
        logit_scale=root.number("logit_scale"),
        texts=_read_texts(root.section("texts")) if root.has("texts") else None,
        licence=root.get("licence", str),
        source=root.get("source", str),
        external=graph.external if graph else (),
        alone=graph is not None and graph.rounds_as_it_runs,
    )


def _readable(model: Path) -> Graph | None:
    """What a model tells of itself; None where it can't be read, which shows when it is loaded."""
    try:
        return read_graph(model)
    except EncoderError:
        return None


def _read_preprocessing(section: _Section) -> Preprocessing:
    size = section.get("size", int)
    if size > LARGEST_SIZE:
        raise section.wrong("size", f"at most {LARGEST_SIZE}", size)
    square = section.choice("resize", _RESIZES) == "square"
    return Preprocessing(
        shorter_edge=None if square else size,
        resized=(size, size) if square else None,
        crop=None if square else (size, size),
        mean=section.three_numbers("mean"),
        std=section.three_numbers("std", above=0),
        resample=INTERPOLATIONS[section.choice("interpolation", tuple(INTERPOLATIONS))],
    )


def _read_texts(section: _Section) -> TextTable | TextModel:
    if section.has("table"):
        template = section.get("template", str)
        if template.count("{}") != 1:
            raise section.wrong("template", "a prompt with one {} in the name's place", template)
        return TextTable(section.file("table"), template)
    model = section.file("model")
    graph = _readable(model)
    return TextModel(
        file=model,
        tokenizer=section.file("tokenizer"),
        input=section.get("input", str, default="input_ids"),
        output=section.get("output", str, default="text_embeds"),
        max_length=section.get("max_length", int, default=77),
        pad_to=section.optional("pad_to", int),
        form="lower" if section.get("lower_case", bool, default=False) else "as_is",
        external=graph.external if graph else (),
        alone=graph is not None and graph.rounds_as_it_runs,
    )


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -sys.float_info.max <= value <= sys.float_info.max  # false for NaN too


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for the file system
        return False


@dataclass(frozen=True)
class _Section:
    """A JSON object whose keys are read one at a time, with errors that name the key and the file."""

    values: Mapping[str, Any]
    file_read: Path
    prefix: str = ""

    def has(self, key: str) -> bool:
        return self.values.get(key) is not None

    def wrong(self, key: str, expected: str, found: object) -> EncoderError:
        return EncoderError(
            f"{self.file_read}: '{self.prefix}{key}' must be {expected}, not {quoted(found)}.",
            remedy="The how-to on encoders shows a complete encoder.json.",
        )

    def get(self, key: str, kind: type[Any], *, default: Any = _REQUIRED) -> Any:
        value = self.values.get(key)
        if value is None:
            if default is not _REQUIRED:
                return default
            raise EncoderError(
                f"{self.file_read} lacks '{self.prefix}{key}' ({kind.__name__}).",
                remedy="The how-to on encoders shows a complete encoder.json.",
            )
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(key, f"of type {kind.__name__}", value)
        if kind is int and not 0 < value <= _LARGEST:
            raise self.wrong(key, f"positive and at most {_LARGEST}", value)
        if kind is str and visible(value) != value:
            raise self.wrong(key, "text in one line", value)
        return value

    def optional(self, key: str, kind: type[Any]) -> Any:
        return self.get(key, kind, default=None)

    def number(self, key: str) -> float:
        value = self.get(key, object)
        if not _is_number(value) or value <= 0:
            raise self.wrong(key, "a positive number", value)
        return float(value)

    def three_numbers(self, key: str, *, above: float = -math.inf) -> tuple[float, ...]:
        values = self.get(key, list)
        if len(values) != 3 or not all(_is_number(value) and value > above for value in values):
            least = "" if above == -math.inf else f" above {above:.0f}"
            raise self.wrong(key, f"three numbers{least}, for red, green and blue", values)
        return tuple(float(value) for value in values)

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.get(key, str)
        if value not in allowed:
            raise self.wrong(key, f"one of {', '.join(allowed)}", value)
        return str(value)

    def section(self, key: str) -> _Section:
        return _Section(self.get(key, dict), self.file_read, f"{self.prefix}{key}.")

    def file(self, key: str) -> Path:
        path = self.file_read.parent / self.get(key, str)
        if not _is_file(path):
            raise EncoderError(
                f"{self.file_read}: the file that '{self.prefix}{key}' names doesn't exist: {excerpt(str(path))}.",
                remedy="Paths are relative to the folder of encoder.json.",
            )
        return Path(path.resolve())
