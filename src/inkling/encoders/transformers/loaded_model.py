"""A model in memory. Imports torch and transformers, so it is imported when weights are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers.utils import logging as transformers_logging

from inkling.encoders.available_memory import require_memory
from inkling.encoders.devices import AUTO as AUTO_DEVICE
from inkling.encoders.devices import CPU, CUDA, MPS, require_torch_device
from inkling.encoders.precision import AUTO, BFLOAT16, INT8, WIDE
from inkling.encoders.streams import Streams
from inkling.encoders.transformers import products
from inkling.encoders.transformers.families import ImageOutput
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.encoders.transformers.products import Arithmetic
from inkling.encoders.transformers.tokens import Tokenizer
from inkling.encoders.transformers.tower import rebuild
from inkling.encoders.transformers.weights import LAYER
from inkling.errors import EncoderError
from inkling.wording import counted, excerpt

_WHOLE_MODEL = "Download the whole model again, or use the configuration that belongs to the weights."

_FLOAT32_BYTES = 4
_TOKENS_AT_ONCE = 512
"""Tokens of one pass through the image tower on a core: few enough for activations to stay in its cache, enough
for weights to be read seldom."""


class LoadedModel:
    """The towers with their weights, and the tokenizer.

    Parameters
    ----------
    folder
        Where the model lies.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    precision
        See `inkling.encoders.precision`.
    """

    def __init__(self, folder: ModelFolder, *, device: str, precision: str) -> None:
        self._folder = folder
        self._device = _choose_device(device)
        model = load_towers(folder)
        if self._device.type == "cpu":
            _rebuild_image_tower(_image_tower(model), folder, precision)
            self._streams = Streams(torch.get_num_threads())
        else:
            model = model.to(self._device, _device_dtype(precision, self._device))
        self._model = model

    def images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of prepared images (n, 3, height, width)."""
        batch = torch.from_numpy(pixels)
        with _told_if_it_cannot_run(self._folder):
            if self._device.type != "cpu":
                return self._image_vectors(batch)
            return np.concatenate(self._streams.map(self._image_vectors, self._portions(batch)))

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts; those longer than the text tower reads are cut, with a warning."""
        tokens = self._tokenizer(texts)
        if self._device.type != "cpu":
            return self._text_vectors(tokens)
        # In threads of their own, as in a forked child torch can't use the threads of the parent's main thread.
        portions = zip(*(value.tensor_split(self._streams.n_streams) for value in tokens.values()), strict=True)
        parts = [dict(zip(tokens, part, strict=True)) for part in portions if len(part[0])]
        return np.concatenate(self._streams.map(self._text_vectors, parts))

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer(self._folder)

    def _image_vectors(self, batch: Tensor) -> NDArray[np.float32]:
        with torch.inference_mode():
            pixels = batch.to(self._device, self._model.dtype)
            return _unit_vectors(image_vectors(self._model, self._folder, pixels))

    def _text_vectors(self, tokens: dict[str, Tensor]) -> NDArray[np.float32]:
        with torch.inference_mode():
            given = {name: value.to(self._device) for name, value in tokens.items()}
            return _unit_vectors(pooled(self._model.get_text_features(**given)))

    def _portions(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Equal portions, small enough for a core and as many as keep all cores busy to the end."""
        n_streams = self._streams.n_streams
        rounds = -(-len(batch) * self._folder.n_tokens // (_TOKENS_AT_ONCE * n_streams))
        return batch.tensor_split(min(len(batch), rounds * n_streams))


@contextmanager
def without_progress_bars() -> Iterator[None]:
    """Weights are read and written in a second or two, and Inkling draws its own bars and says what is wrong."""
    shown, verbosity = transformers_logging.is_progress_bar_enabled(), transformers_logging.get_verbosity()
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if shown:
            transformers_logging.enable_progress_bar()


@contextmanager
def _told_if_it_cannot_run(folder: ModelFolder) -> Iterator[None]:
    """Numbers of a configuration may contradict the weights in ways that show in no shape, such as heads."""
    try:
        yield
    except (RuntimeError, ValueError, IndexError) as error:
        raise EncoderError(
            f"The model in {folder.path} can't be run: {excerpt(error)}.",
            remedy=f"Use the {folder.config_file.name} that belongs to the weights; if memory has run out, a machine "
            "with more of it.",
        ) from error


def load_towers(folder: ModelFolder) -> Any:
    """The library's own model with its weights in float32, for inference.

    Raises
    ------
    EncoderError
        If the weights don't fit into memory, can't be read, or aren't all those of the model.
    """
    require_memory(_FLOAT32_BYTES * folder.weights.n_elements, purpose=f"The model in {folder.path}")
    texts = folder.family.texts
    options: dict[str, Any] = {"add_pooling_layer": True} if folder.family.pools_if_asked else {}
    if texts and texts.attention:
        options["attn_implementation"] = {"text_config": texts.attention}
    with without_progress_bars():
        try:
            model, info = folder.from_library(
                dtype=torch.float32,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
                **options,
            )
        except Exception as error:  # of damaged files and odd configurations, by kinds that change with releases
            raise EncoderError(
                f"The model in {folder.path} can't be loaded: {excerpt(error)}.", remedy=_WHOLE_MODEL
            ) from error
    _require_all(folder, info)
    return model.eval()


def _require_all(folder: ModelFolder, info: Mapping[str, Any]) -> None:
    """Refuse a model some weights of which the library has made up, or left unread."""
    unused = folder.family.unused
    missing = sorted(name for name in info["missing_keys"] if not any(part in name for part in unused))
    wrong = sorted(str(entry[0]) for entry in info["mismatched_keys"])
    # Buffers and heads of other tasks are left over in many a sound checkpoint; a layer in none.
    left_over = sorted(name for name in info["unexpected_keys"] if LAYER.search(name))
    for names, fault in ((missing, "lack"), (wrong, "have another shape of"), (left_over, "have, beyond the model,")):
        if names:
            raise EncoderError(
                f"The weights in {folder.path} {fault} {counted(len(names), 'tensor')} of the model that "
                f"{folder.config_file.name} describes: {excerpt(', '.join(names))}.",
                remedy=_WHOLE_MODEL,
            )


def _image_tower(model: Any) -> torch.nn.Module:
    """The image tower of a model with two, or the model itself where it is one."""
    return cast(torch.nn.Module, getattr(model, "vision_model", model))


_IMAGE_OUTPUTS: Mapping[ImageOutput, Callable[[Any, Mapping[str, Tensor]], Tensor]] = {
    "features": lambda model, inputs: pooled(model.get_image_features(**inputs)),
    "class_token": lambda model, inputs: model(**inputs).last_hidden_state[:, 0],
    "pooled": lambda model, inputs: model(**inputs).pooler_output,
}


def image_vectors(model: Any, folder: ModelFolder, pixels: Tensor) -> Tensor:
    """Vectors (n, d) of prepared images (n, 3, height, width), of any length.

    Parameters
    ----------
    model
        As `load_towers` loads it.
    folder
        Where it lies.
    pixels
        On the model's device, in its number type.
    """
    family = folder.family
    inputs = _as_patches(pixels, folder.patch) if family.image.reads_patches else {"pixel_values": pixels}
    return _IMAGE_OUTPUTS[family.image_output](model, inputs)


def _as_patches(pixels: Tensor, patch: int) -> Mapping[str, Tensor]:
    """What a model of pictures of any shape reads of pictures (n, 3, height, width) of one: patches
    (n, n_patches, height x width x 3 of a patch), all of them real, and the shape of their grid."""
    n, rows, columns = len(pixels), pixels.shape[2] // patch, pixels.shape[3] // patch
    grid = pixels.reshape(n, 3, rows, patch, columns, patch).permute(0, 2, 4, 3, 5, 1)
    return {
        "pixel_values": grid.reshape(n, rows * columns, -1),
        "pixel_attention_mask": torch.ones((n, rows * columns), dtype=torch.int64, device=pixels.device),
        "spatial_shapes": torch.tensor([[rows, columns]] * n),
    }


def _choose_device(device: str) -> torch.device:
    if device != AUTO_DEVICE:
        require_torch_device(device)  # again: an encoder may come pickled from a machine that has it
        return torch.device(device)
    available = {CUDA: torch.cuda.is_available(), MPS: torch.backends.mps.is_available(), CPU: True}
    return torch.device(next(name for name, there in available.items() if there))


def _device_dtype(precision: str, device: torch.device) -> torch.dtype:
    if precision == INT8:
        raise EncoderError(
            f"The precision int8 is for the CPU; on {device.type} use bfloat16.",
            remedy="Choose the precision bfloat16, or the device cpu.",
        )
    return torch.bfloat16 if precision == BFLOAT16 else torch.float32


def _rebuild_image_tower(vision: torch.nn.Module, folder: ModelFolder, precision: str) -> None:
    arithmetic = arithmetic_of(precision, width=folder.width)
    if precision in (BFLOAT16, INT8) and (reason := products.why_not(arithmetic)):
        raise EncoderError(f"The precision {precision} is refused: {reason}.", remedy="Use the precision auto.")
    if not rebuild(vision, arithmetic) and precision in (BFLOAT16, INT8):
        raise EncoderError(
            f"The layers of the model in {folder.path} ({folder.family.title}) have no {precision} form.",
            remedy="Use the precision auto.",
        )


def arithmetic_of(precision: str, *, width: int) -> Arithmetic:
    """How the products of an image tower are taken on the CPU, by its precision and the width of its tokens."""
    if precision == INT8:
        return "int8"
    rounds = precision == AUTO and width >= WIDE and products.has_fast_bfloat16() and not products.why_not("bfloat16")
    return "bfloat16" if rounds or precision == BFLOAT16 else "float32"


def pooled(features: Any) -> Tensor:
    """Releases of transformers differ in whether they return the vectors or an object that holds them."""
    return features if isinstance(features, Tensor) else cast(Tensor, features.pooler_output)


def _unit_vectors(vectors: Tensor) -> NDArray[np.float32]:
    vectors = vectors.to("cpu", torch.float32)
    return cast("NDArray[np.float32]", (vectors / vectors.norm(dim=-1, keepdim=True)).numpy())
