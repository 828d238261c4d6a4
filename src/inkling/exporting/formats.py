"""The forms that an export may have. Each writes its files into a folder, and says how they are checked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkling.classifier.fitted import FittedClassifier
from inkling.encoders.base import Encoder
from inkling.encoders.precision import FLOAT16, FLOAT32, INT8
from inkling.errors import InputError
from inkling.exporting.calibration import prepared_pictures
from inkling.types import ImageRecord
from inkling.wording import quoted

if TYPE_CHECKING:
    import onnx

PROGRAMS = Path(__file__).parent / "programs"
MOST_BYTES_OF_A_MODEL = 1_900_000_000
"""Beyond it weights lie in a file of their own: a message of protobuf holds two gigabytes at most."""
REQUIREMENTS = {"numpy": "2.0", "onnxruntime": "1.20", "pillow": "11.3"}
"""Oldest releases that the programs of an export run with."""
PRECISIONS = (FLOAT32, FLOAT16, INT8)


@dataclass(frozen=True, eq=False)
class Bundle:
    """What is exported.

    Attributes
    ----------
    encoder
        Reads pictures, in float32; None where only the head is exported.
    precision
        Of the exported image tower.
    pictures
        By which int8 finds the ranges of activations.
    """

    fitted: FittedClassifier
    encoder: Encoder | None
    precision: str
    pictures: tuple[ImageRecord, ...] = ()


@dataclass(frozen=True)
class Format:
    """A form of export.

    Attributes
    ----------
    write
        Writes the files of a bundle into a folder, and returns what the manifest tells of them.
    reads_pictures
        Whether it holds the image tower, so that it is checked with pictures; else it is checked with vectors.
    precisions
        What it offers.
    """

    write: Callable[[Bundle, Path], Mapping[str, Any]]
    reads_pictures: bool
    precisions: tuple[str, ...]


def _write_head(bundle: Bundle, folder: Path) -> Mapping[str, Any]:
    from inkling.exporting.head_files import write_head
    from inkling.exporting.linear import linear_head

    head = linear_head(bundle.fitted)
    model = write_head(head, folder)
    _write_labels(bundle.fitted, folder)
    _copy(folder, "use_head.py", requirements=("numpy",))
    return {**_ends_of(model), "feature_dimension": head.feature_dimension, "logit_scale": head.logit_scale}


def write_onnx(bundle: Bundle, folder: Path) -> Mapping[str, Any]:
    """Write the whole classifier as a graph, with a program that asks it."""
    from inkling.exporting.image_side import image_side
    from inkling.exporting.model import build_model
    from inkling.exporting.precision import shrunk
    from inkling.exporting.quantisation import ENOUGH_PICTURES

    assert bundle.encoder is not None
    side = image_side(bundle.encoder)
    names = ", ".join(bundle.fitted.classes[:5]) + (", ..." if len(bundle.fitted.classes) > 5 else "")
    model = build_model(bundle.fitted, side, description=f"Image classifier made by Inkling: {names}")
    if bundle.precision != FLOAT32:
        prepared = prepared_pictures(bundle.encoder, bundle.pictures, most=ENOUGH_PICTURES)
        by_entry = {entry.name: rows for entry, rows in zip(side.entries, prepared, strict=True)}
        model = shrunk(model, bundle.precision, by_entry)
    save_model(model, folder / "model.onnx")
    _write_labels(bundle.fitted, folder)
    _copy(folder, "run.py", "pictures.py", requirements=("numpy", "onnxruntime", "pillow"))
    return _ends_of(model)


def _write_web(bundle: Bundle, folder: Path) -> Mapping[str, Any]:
    """All that `onnx` writes, by which it is checked, and the page."""
    from inkling.exporting.web_page import require_runtime, write_page

    require_runtime()
    written = write_onnx(bundle, folder)
    write_page(folder)
    return written


FORMATS: Mapping[str, Format] = {
    "onnx": Format(write_onnx, reads_pictures=True, precisions=PRECISIONS),
    "web": Format(_write_web, reads_pictures=True, precisions=PRECISIONS),
    "head": Format(_write_head, reads_pictures=False, precisions=(FLOAT32,)),
}


def format_named(name: str, *, precision: str) -> Format:
    """A form of export by its name.

    Raises
    ------
    InputError
        If there is no such form, or it doesn't offer the precision.
    """
    if name not in FORMATS:
        raise InputError(f"There is no format {quoted(name)}.", remedy=f"Choose one of: {', '.join(FORMATS)}.")
    offered = FORMATS[name].precisions
    if precision not in offered:
        raise InputError(
            f"The format '{name}' can't be exported in {quoted(precision)}.",
            remedy=f"Choose one of: {', '.join(offered)}.",
        )
    return FORMATS[name]


def require_use_of_check(format: Format, check: object) -> None:
    """Refuse pictures to check with where no picture is read.

    Raises
    ------
    InputError
        If there are such.
    """
    if check is not None and not format.reads_pictures:
        raise InputError(
            "A head alone reads no pictures: it is checked with vectors, and pictures to check with have no effect.",
            remedy="Leave --check out, in Python check, or export the whole classifier.",
        )


def save_model(model: onnx.ModelProto, file: Path) -> None:
    """Write a model; a large one with its weights in a file beside it."""
    import onnx

    apart = sum(len(tensor.raw_data) for tensor in model.graph.initializer) > MOST_BYTES_OF_A_MODEL
    onnx.save_model(model, file, save_as_external_data=apart, location=f"{file.name}.data" if apart else None)


def _write_labels(fitted: FittedClassifier, folder: Path) -> None:
    text = json.dumps(fitted.labels.tolist(), ensure_ascii=False, indent=0)
    (folder / "labels.json").write_text(text + "\n", encoding="utf-8")


def _copy(folder: Path, *programs: str, requirements: tuple[str, ...]) -> None:
    for name in programs:
        shutil.copyfile(PROGRAMS / name, folder / name)
    lines = "".join(f"{package}>={REQUIREMENTS[package]}\n" for package in requirements)
    (folder / "requirements.txt").write_text(lines, encoding="utf-8")


def _ends_of(model: onnx.ModelProto) -> dict[str, Any]:
    """Inputs and outputs of a model, and the operators that it needs."""
    import onnx

    def told(value: Any) -> dict[str, Any]:
        kind = value.type.tensor_type
        shape = [axis.dim_param or axis.dim_value for axis in kind.shape.dim]
        return {"name": value.name, "type": onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name, "shape": shape}

    return {
        "inputs": [told(one) for one in model.graph.input],
        "outputs": [told(one) for one in model.graph.output],
        "opset": {entry.domain or "ai.onnx": entry.version for entry in model.opset_import},
    }
