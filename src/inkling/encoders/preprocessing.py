"""A picture to the array that a model reads: resize, crop, rescale, normalise.

Equal bit for bit to the image processors of `transformers` on their Pillow back end, and faster: a channel
has only 256 values, so rescaling and normalising are looked up rather than computed for each pixel.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkling.errors import EncoderError
from inkling.wording import excerpt

if TYPE_CHECKING:
    from PIL.Image import Image

Size = tuple[int, int]
"""Height and width in pixels."""

_LEAST_SCALE, _MOST_SCALE, _SCALE_PRECISION = 1e-6, 100.0, 1e-5
"""Between what factors, and how finely, the size of a picture of any shape is searched for."""

LARGEST_SIZE = 10_000
"""Pixels of a side. More is a slip, and pictures of that size would fill the memory."""

BICUBIC = 3
"""`PIL.Image.Resampling.BICUBIC`, by value: configuration files name filters by number."""
BILINEAR = 2
"""`PIL.Image.Resampling.BILINEAR`."""

_CLIP = {
    "size": {"shortest_edge": 224},
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "image_mean": (0.48145466, 0.4578275, 0.40821073),
    "image_std": (0.26862954, 0.26130258, 0.27577711),
}
_SIGLIP = {
    "size": {"height": 224, "width": 224},
    "crop_size": None,
    "do_center_crop": False,
    "image_mean": (0.5, 0.5, 0.5),
    "image_std": (0.5, 0.5, 0.5),
}
_VIT = {**_SIGLIP, "resample": BILINEAR}
_DINOV3 = {**_VIT, "image_mean": (0.485, 0.456, 0.406), "image_std": (0.229, 0.224, 0.225), "resizes_floats": True}
_CONVNEXT = {**_SIGLIP, "size": {"shortest_edge": 384}, "crop_pct": 224 / 256}
_CONVNEXT_UNCROPPED = 384
"""Shorter edge from which on ConvNeXt's pictures are squeezed to a square, and not cropped."""
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "CLIPImageProcessor": _CLIP,
    "ChineseCLIPImageProcessor": _CLIP,
    "BitImageProcessor": _CLIP,
    "SiglipImageProcessor": _SIGLIP,
    "ViTImageProcessor": _VIT,
    "BeitImageProcessor": {**_SIGLIP, "crop_size": {"height": 224, "width": 224}},
    "ConvNextImageProcessor": _CONVNEXT,
    "DINOv3ViTImageProcessor": _DINOV3,
    "Tipsv2ImageProcessor": {**_VIT, "size": {"height": 448, "width": 448}, "do_normalize": False},
    "Siglip2ImageProcessor": {**_VIT, "patch_size": 16, "max_num_patches": 256},
}
"""By kind, as newer releases of the library call it, without the endings by which it tells back ends apart."""

_DEFAULTS_OF_ALL: Mapping[str, Any] = {
    "do_resize": True,
    "do_rescale": True,
    "do_normalize": True,
    "do_pad": False,
    "rescale_factor": 1 / 255,
    "resample": BICUBIC,
}


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the input of a model. Calling it is safe from several threads.

    Attributes
    ----------
    shorter_edge
        Pixels of the shorter edge after resizing with the aspect ratio kept, or None.
    resized
        Exact size after resizing without regard to the aspect ratio, or None.
    crop
        Size of the centre crop, or None. What sticks out of the picture is black.
    resample
        Number of the Pillow filter.
    rescale
        Factor on the pixel values 0 to 255; None leaves them.
    mean, std
        Subtracted from and divided into each channel after rescaling.
    """

    shorter_edge: int | None
    resized: Size | None
    crop: Size | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resample: int = BICUBIC
    rescale: float | None = 1 / 255

    @property
    def output(self) -> Size:
        """Height and width of the array.

        Raises
        ------
        EncoderError
            If pictures of different shapes give arrays of different shapes.
        """
        size = self.crop or self.resized
        if size is None:
            raise EncoderError(
                "The preprocessing neither crops nor resizes to a fixed size.",
                remedy="Models that read pictures of varying size can't be used; choose one of fixed resolution.",
            )
        return size

    @property
    def shorter_side(self) -> int:
        """Pixels of the shorter side after resizing."""
        return self.shorter_edge or min(self.resized or self.output)

    def __call__(self, image: Image) -> NDArray[np.float32]:
        """Array (3, height, width) of an RGB picture."""
        levels = self.levels(image)
        out = np.empty((3, *levels.shape[:2]), dtype=np.float32)
        for channel in range(3):
            # "clip" is the mode in which numpy writes straight into `out`; a byte never leaves the table.
            np.take(self.table[channel], levels[:, :, channel], out=out[channel], mode="clip")
        return out

    def levels(self, image: Image) -> NDArray[np.uint8]:
        """An RGB picture resized and cropped, (height, width, 3): what `table` turns into the array."""
        size = self._resized_size(image.height, image.width)
        if size != (image.height, image.width):
            image = image.resize((size[1], size[0]), resample=self.resample)
        pixels = np.asarray(image)
        return pixels if self.crop is None else _centre_crop(pixels, self.crop)

    @cached_property
    def table(self) -> NDArray[np.float32]:
        """What becomes of each of the 256 values of each channel, (3, 256), in the reference's own steps."""
        levels = np.arange(256, dtype=np.float64)
        scaled = (levels if self.rescale is None else levels * self.rescale).astype(np.float32)
        mean, std = np.asarray(self.mean, np.float32), np.asarray(self.std, np.float32)
        return np.ascontiguousarray((scaled - mean[:, None]) / std[:, None])

    def _resized_size(self, height: int, width: int) -> Size:
        if self.resized is not None:
            return self.resized
        if self.shorter_edge is None:
            return (height, width)
        longer = int(self.shorter_edge * max(height, width) / min(height, width))
        return (longer, self.shorter_edge) if width <= height else (self.shorter_edge, longer)


@dataclass(frozen=True)
class FloatPreprocessing(Preprocessing):
    """Of models whose library resizes in floating point: no grey level is rounded before it is normalised.

    The reference resizes by torch with antialiasing, whose weights are Pillow's; the two differ by rounding (1e-6).
    """

    resizes_floats: bool = True

    def __call__(self, image: Image) -> NDArray[np.float32]:
        """Array (3, height, width) of an RGB picture."""
        height, width = self._resized_size(image.height, image.width)
        bands = [band.convert("F").resize((width, height), resample=self.resample) for band in image.split()]
        pixels = np.stack([np.asarray(band) for band in bands], axis=-1)
        pixels = pixels if self.crop is None else _centre_crop(pixels, self.crop)
        scaled = pixels if self.rescale is None else pixels * np.float32(self.rescale)
        normalised = (scaled - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        return np.ascontiguousarray(normalised.transpose(2, 0, 1))


@dataclass(frozen=True)
class PatchPreprocessing(Preprocessing):
    """Of models that read pictures of any shape: the aspect ratio is kept, nearly, and sides are multiples of a patch.

    Attributes
    ----------
    patch
        Pixels of the side of a patch.
    most_patches
        How many patches a picture may have: it is made as large as that allows.
    """

    patch: int = 16
    most_patches: int = 256

    @property
    def shorter_side(self) -> int:
        """Pixels of the shorter side after resizing, at most."""
        return self.patch * math.isqrt(self.most_patches)

    def _resized_size(self, height: int, width: int) -> Size:
        """The search of the reference, step by step: another one could end at another size."""
        least, most = _LEAST_SCALE, _MOST_SCALE
        while most - least >= _SCALE_PRECISION:
            scale = (least + most) / 2
            rows, columns = self._grid(height, width, scale)
            if rows * columns <= self.most_patches:
                least = scale
            else:
                most = scale
        rows, columns = self._grid(height, width, least)
        return rows * self.patch, columns * self.patch

    def _grid(self, height: int, width: int, scale: float) -> Size:
        """Rows and columns of patches of a picture that is scaled, rounded up."""
        return max(1, math.ceil(height * scale / self.patch)), max(1, math.ceil(width * scale / self.patch))


def from_processor_config(config: Mapping[str, Any], *, default: str = "CLIPImageProcessor") -> Preprocessing:
    """Read the configuration of an image processor (``preprocessor_config.json``).

    Parameters
    ----------
    config
        Content of the file.
    default
        Kind of the image processor where the file names none.

    Raises
    ------
    EncoderError
        If it is of a kind that isn't known, or asks for a step that no known model has.
    """
    defaults = _defaults_of(config, default)
    settings = {**_DEFAULTS_OF_ALL, **defaults, **{k: v for k, v in config.items() if v is not None}}
    if settings["do_pad"]:
        raise EncoderError("The image processor pads pictures, which no known model does.")
    normalize = settings["do_normalize"]
    arithmetic: dict[str, Any] = {
        "mean": _per_channel(settings["image_mean"]) if normalize else (0.0,) * 3,
        "std": _per_channel(settings["image_std"]) if normalize else (1.0,) * 3,
        "resample": int(settings["resample"]),
        "rescale": float(settings["rescale_factor"]) if settings["do_rescale"] else None,
    }
    if "max_num_patches" in defaults:
        return checked(_of_any_shape(settings, arithmetic))
    target = _resize_target(settings["size"], defaults["size"]) if settings["do_resize"] else (None, None)
    crop = _size(settings["crop_size"]) if settings["do_center_crop"] else None
    if "crop_pct" in defaults and settings["do_resize"]:
        return checked(_of_convnext(target[0], float(settings["crop_pct"]), arithmetic))
    kind = FloatPreprocessing if "resizes_floats" in defaults else Preprocessing
    return checked(kind(*target, crop, **arithmetic))


def _of_convnext(edge: int | None, share: float, arithmetic: Mapping[str, Any]) -> Preprocessing:
    """A share of the picture is cropped, or the whole squeezed where the edge is long."""
    if edge is None:
        raise EncoderError("The image processor of a ConvNeXt must name a shortest_edge.")
    if not 0 < share <= 1:
        raise ValueError("crop_pct must be above 0 and at most 1")
    if edge >= _CONVNEXT_UNCROPPED:
        return Preprocessing(None, (edge, edge), None, **arithmetic)
    return Preprocessing(int(edge / share), None, (edge, edge), **arithmetic)


def _of_any_shape(settings: Mapping[str, Any], arithmetic: Mapping[str, Any]) -> PatchPreprocessing:
    if not settings["do_resize"]:
        raise EncoderError("The image processor doesn't resize, which a model that reads patches needs.")
    patch, most = (int(settings[key]) for key in ("patch_size", "max_num_patches"))
    if not 0 < patch <= LARGEST_SIZE or not 0 < most <= LARGEST_SIZE:
        raise ValueError(f"patch_size and max_num_patches must be from 1 to {LARGEST_SIZE}")
    return PatchPreprocessing(None, None, None, **arithmetic, patch=patch, most_patches=most)


def checked(preprocessing: Preprocessing) -> Preprocessing:
    """Refuse values by which no picture could be prepared.

    Raises
    ------
    ValueError
        If there are such.
    """
    sizes = [preprocessing.shorter_edge, *(preprocessing.resized or ()), *(preprocessing.crop or ())]
    if not all(size is None or 0 < size <= LARGEST_SIZE for size in sizes):
        raise ValueError(f"sizes must be from 1 to {LARGEST_SIZE}")
    if preprocessing.resample not in range(6):
        raise ValueError("resample must be the number of a Pillow filter, 0 to 5")
    values = (*preprocessing.mean, *preprocessing.std, preprocessing.rescale or 0.0)
    if len(preprocessing.mean) != 3 or len(preprocessing.std) != 3 or not all(map(math.isfinite, values)):
        raise ValueError("image_mean and image_std must be three numbers each")
    if not all(preprocessing.std):
        raise ValueError("image_std must not be zero")
    return preprocessing


def _defaults_of(config: Mapping[str, Any], default: str) -> Mapping[str, Any]:
    kind = str(config.get("image_processor_type") or config.get("feature_extractor_type") or default)
    plain = kind.removesuffix("Fast").removesuffix("Pil").replace("FeatureExtractor", "ImageProcessor")
    if plain not in _DEFAULTS:
        raise EncoderError(
            f"The image processor {excerpt(kind)} isn't known; known are {', '.join(_DEFAULTS)}.",
            remedy="Use the preprocessor_config.json that belongs to the model.",
        )
    return _DEFAULTS[plain]


def _resize_target(size: int | Mapping[str, int], default: Mapping[str, int]) -> tuple[int | None, Size | None]:
    """A single number is what the kind's default is: a shorter edge, or both."""
    if isinstance(size, int):
        return (size, None) if "shortest_edge" in default else (None, (size, size))
    if "shortest_edge" in size and size.get("longest_edge") is None:
        return int(size["shortest_edge"]), None
    if "height" in size and "width" in size:
        return None, _size(size)
    raise EncoderError(f"The image processor resizes to {excerpt(size)}; expected shortest_edge, or height and width.")


def _size(size: int | Mapping[str, int]) -> Size:
    return (size, size) if isinstance(size, int) else (int(size["height"]), int(size["width"]))


def _per_channel(values: float | Sequence[float]) -> tuple[float, ...]:
    return (float(values),) * 3 if isinstance(values, int | float) else tuple(float(v) for v in values)


def _centre_crop(pixels: NDArray[np.uint8], crop: Size) -> NDArray[np.uint8]:
    """The middle of a picture (height, width, 3), widened by black where it is too small."""
    rows, target_rows = _overlap(pixels.shape[0], crop[0])
    columns, target_columns = _overlap(pixels.shape[1], crop[1])
    middle = pixels[rows, columns]
    if middle.shape[:2] == crop:
        return middle
    out = np.zeros((*crop, pixels.shape[2]), dtype=pixels.dtype)
    out[target_rows, target_columns] = middle
    return out


def _overlap(length: int, crop: int) -> tuple[slice, slice]:
    """Where the crop lies in the picture, and the picture in the crop."""
    if length >= crop:
        start = (length - crop) // 2
        return slice(start, start + crop), slice(0, crop)
    start = (crop - length + 1) // 2
    return slice(0, length), slice(start, start + length)
