"""A model folder as its small files describe it: family, preprocessing, sizes, logit scale.

Reads configuration and the headers of weight files; imports neither torch nor transformers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from inkling.encoders.files import hash_files, hash_value, read_json
from inkling.encoders.preprocessing import PatchPreprocessing, Preprocessing, Size, from_processor_config
from inkling.encoders.transformers.families import (
    IMAGE_ONLY_LOGIT_SCALE,
    Family,
    ImageTower,
    TextTower,
    family_of,
    part,
)
from inkling.encoders.transformers.weights import WeightFiles
from inkling.errors import EncoderError
from inkling.wording import excerpt

_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "tokenizer.model",
    "sentencepiece.bpe.model",
)
_VOCABULARIES = ("tokenizer.json", "vocab.json", "spiece.model", "tokenizer.model", "sentencepiece.bpe.model")
_BERT_VOCABULARY = "vocab.txt"
"""Counts in fingerprints only where there is no other vocabulary: it was left out of them before BERT's texts came."""

_PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json")

_OWN_PROCESSOR = "Use the preprocessor_config.json that belongs to the model."

_MOST_LOG_SCALE = 20.0
"""Beyond its exponential, no softmax of cosines means anything."""

_NOT_ARCHITECTURE = ("_name_or_path", "transformers_version", "dtype", "torch_dtype")
"""Keys of config.json that tell where the folder came from, not what the model computes."""


@dataclass(frozen=True)
class ModelFolder:
    """A local folder as `save_pretrained` writes it."""

    path: Path

    @cached_property
    def family(self) -> Family:
        """Family of the model.

        Raises
        ------
        EncoderError
            If it is none of those that are known.
        """
        return family_of(self.config, where=str(self.path))

    @cached_property
    def weights(self) -> WeightFiles:
        """The weight files."""
        return WeightFiles.of(self.path)

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """The model's own preprocessing, checked against the size that its image tower reads."""
        try:
            stated = {
                file: from_processor_config(config, default=self.family.processor)
                for file, config in self._processor_configs().items()
            }
        except (TypeError, ValueError, LookupError, AttributeError, OverflowError) as error:
            raise EncoderError(
                f"The image processor in {self.path} can't be read: {excerpt(error)}.", remedy=_OWN_PROCESSOR
            ) from error
        preprocessing, *others = stated.values()
        if any(other != preprocessing for other in others):
            raise EncoderError(
                f"Two files in {self.path} contradict each other: by {' and '.join(stated)}, pictures are prepared in "
                f"different ways ({_differences(preprocessing, others[0])}).",
                remedy="Remove the one that doesn't belong to the model.",
            )
        reason = self._misfit(preprocessing)
        if reason:
            raise EncoderError(f"The image processor in {self.path} {reason}.", remedy=_OWN_PROCESSOR)
        return preprocessing

    def _misfit(self, preprocessing: Preprocessing) -> str:
        """Why an image processor doesn't fit the image tower; empty where it does."""
        if self._image.reads_patches != isinstance(preprocessing, PatchPreprocessing):
            reads = "patches" if self._image.reads_patches else "pictures of one size"
            return f"is of another model: this one reads {reads}"
        if isinstance(preprocessing, PatchPreprocessing):
            cuts = preprocessing.patch
            return "" if cuts == self.patch else f"cuts patches of {cuts} pixels; the model reads {self.patch}"
        reason = self._misfit_of_size(preprocessing.output)
        return reason and f"makes {preprocessing.output} pixels of a picture; {reason}"

    def _misfit_of_size(self, output: Size) -> str:
        """What is left over of the last patches is dropped, as by the library's convolution."""
        patch, stated = self.patch, self._stated_size()
        if stated is not None and output != stated:
            return f"the model reads {stated}"
        if self._image.interpolates or self._image.positions is None:
            return "" if min(output) >= patch else f"its patches have {patch}"
        side = math.isqrt(self._positions - self._image.class_tokens)
        if (output[0] // patch, output[1] // patch) != (side, side):
            return f"the model reads {(side * patch, side * patch)}"
        return ""

    def _stated_size(self) -> Size | None:
        """Size that the configuration names, where the image tower takes that and no other."""
        own = part(self.config, "vision_config") if self.has_texts else self.config
        stated = own.get("image_size")
        return None if self._image.interpolates or not isinstance(stated, int) else (stated, stated)

    @property
    def processing_files(self) -> list[Path]:
        """Files of image processor and tokenizer: what a model of the same architecture needs beside its weights."""
        return self._those_of((*_PROCESSOR_FILES, *_TOKENIZER_FILES, _BERT_VOCABULARY))

    @property
    def has_processor(self) -> bool:
        """Whether a file says how pictures are prepared."""
        return bool(self._those_of(_PROCESSOR_FILES))

    @property
    def has_tokenizer(self) -> bool:
        """Whether a file holds the vocabulary of a tokenizer."""
        return bool(self._those_of((*_VOCABULARIES, _BERT_VOCABULARY)))

    @property
    def n_tokens(self) -> int:
        """Tokens that the image tower makes of one picture, at most."""
        preprocessing = self.preprocessing
        if isinstance(preprocessing, PatchPreprocessing):
            return preprocessing.most_patches
        height, width = preprocessing.output
        patches = (height // self.patch) * (width // self.patch)
        return patches + self._image.class_tokens + self._image.registers

    @property
    def patch(self) -> int:
        """Pixels of the side of a patch."""
        weight = self._image_weight(self._image.patches)
        return math.isqrt(self._size(weight, 1) // 3) if self._image.reads_patches else self._size(weight, 2)

    @property
    def width(self) -> int:
        """Width of the image tower."""
        return self._size(self._image_weight(self._image.patches))

    @property
    def dimension(self) -> int:
        """Dimension of the vectors: of the space that images and texts share, where there are texts."""
        return self._size(self._present(self.family.dimension))

    @property
    def has_texts(self) -> bool:
        """Whether the model has a text tower."""
        return self.family.texts is not None

    @property
    def text_tower(self) -> TextTower:
        """How texts are read.

        Raises
        ------
        EncoderError
            If the model has images alone.
        """
        if self.family.texts is None:
            raise EncoderError(
                f"The model in {self.path} is a {self.family.title}, which has no text tower.",
                remedy="Fit on images alone, or choose an encoder with texts, such as openai/clip-vit-base-patch32.",
            )
        return self.family.texts

    @property
    def text_length(self) -> int:
        """Most tokens that a text may have; 0 without a text tower."""
        texts = self.family.texts
        if texts is None:
            return 0
        if texts.positions is None:
            return int(self._stated(part(self.config, "text_config"), "max_position_embeddings", texts.default_length))
        return self._size(self._text_weight(texts.positions)) - texts.reserved

    @property
    def vocabulary(self) -> tuple[int, int]:
        """Number of tokens that the text tower knows, and width of their vectors."""
        weight = self._text_weight(self.text_tower.vocabulary)
        return self._size(weight), self._size(weight, 1)

    @cached_property
    def logit_scale(self) -> float:
        """Factor on cosines: the exponential of the model's parameter, or a fixed one where it has none.

        SigLIP's bias is left out: one number added to all logits changes neither ranking nor softmax.
        """
        scale = self.family.logit_scale
        if scale is None:
            return IMAGE_ONLY_LOGIT_SCALE
        if scale.otherwise is not None and not self.weights.has(scale.weight):
            number = self._stated(self.config, *scale.otherwise)
        else:
            number = self.weights.number(scale.weight)
        logarithm = -_logarithm(number) if scale.divides else number
        if not -_MOST_LOG_SCALE < logarithm < _MOST_LOG_SCALE:
            raise EncoderError(f"The weights in {self.path} have a {scale.weight} of {number}, which means nothing.")
        factor = math.exp(logarithm)
        return factor if scale.most is None else max(1.0, min(factor, self._stated(self.config, *scale.most)))

    def fingerprint(self, arithmetic: str) -> str:
        """Hash of whatever a vector depends on: weights, architecture, preprocessing, tokenizer, arithmetic."""
        tokenizer = self._those_of(_TOKENIZER_FILES)
        if not self._those_of(_VOCABULARIES):
            tokenizer += self._those_of((_BERT_VOCABULARY,))
        architecture = {key: value for key, value in self.config.items() if key not in _NOT_ARCHITECTURE}
        return hash_value(
            {
                "weights": hash_files(self.weights.files),
                "architecture": architecture,
                "preprocessing": asdict(self.preprocessing),
                "tokenizer": hash_files(tokenizer),
                "arithmetic": arithmetic,
                "dimension": self.dimension,
            }
        )

    def _stated(self, config: Mapping[str, Any], key: str, default: float) -> float:
        """A positive number of the configuration, or what the library takes where it is left out."""
        value = config.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise EncoderError(
                f"The config.json in {self.path} has {key} {excerpt(value)}; expected a positive number.",
                remedy="Use the config.json that belongs to the weights.",
            )
        return float(value)

    @property
    def _image(self) -> ImageTower:
        return self.family.image

    @property
    def _positions(self) -> int:
        """Positions of the image tower's own position embedding."""
        return self._size(self._image_weight(str(self._image.positions)), -2)

    def _image_weight(self, name: str) -> str:
        return self._present([prefix + name for prefix in self.family.image_prefixes])

    def _text_weight(self, name: str) -> str:
        return self._present([prefix + name for prefix in self.family.text_prefixes])

    def _present(self, names: Sequence[str]) -> str:
        """The one of some names that the weights have, or had before the library knew the family."""
        return self.weights.first([*names, *(self.family.formerly.get(name, name) for name in names)])

    def _size(self, weight: str, axis: int = 0) -> int:
        shape = self.weights.shape(weight)
        if not -len(shape) <= axis < len(shape) or not shape[axis]:
            raise EncoderError(f"The weights in {self.path} hold {weight} of shape {excerpt(shape)}.")
        return shape[axis]

    def _those_of(self, names: tuple[str, ...]) -> list[Path]:
        return [self.path / name for name in names if (self.path / name).is_file()]

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """Content of ``config.json``."""
        return read_json(self.config_file)

    @property
    def config_file(self) -> Path:
        """The file that describes the model."""
        return self.path / "config.json"

    @property
    def tokenizer_class(self) -> str | None:
        """Class of the library that reads the tokenizer; None where the folder's own files say."""
        return None

    def from_library(self, **options: Any) -> Any:
        """The library's own model with its weights; `options` are those of its ``from_pretrained``."""
        from transformers import AutoModel

        return AutoModel.from_pretrained(self.path, trust_remote_code=False, local_files_only=True, **options)

    def _processor_configs(self) -> Mapping[str, Mapping[str, Any]]:
        """The image processor by each file that describes it: newer folders nest it in processor_config.json, older
        ones have a file of its own."""
        whole, own = (self.path / name for name in _PROCESSOR_FILES)
        nested = read_json(whole).get("image_processor") if whole.is_file() else None
        found = {} if nested is None else {whole.name: dict(nested)}
        return found | {own.name: read_json(own)} if own.is_file() or not found else found


def _logarithm(number: float) -> float:
    return math.log(number) if number > 0 else math.nan


def _differences(one: Preprocessing, other: Preprocessing) -> str:
    """What two image processors do differently, by names and values."""
    values, others = asdict(one), asdict(other)
    return excerpt(
        ", ".join(f"{key}: {values[key]} or {others.get(key)}" for key in values if values[key] != others.get(key))
    )
