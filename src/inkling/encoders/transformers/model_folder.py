"""A CLIP or SigLIP model folder as its small files describe it: family, preprocessing, sizes, logit scale.

Reads configuration and the headers of weight files; imports neither torch nor transformers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from inkling.encoders.files import hash_files, hash_value, read_json
from inkling.encoders.preprocessing import Preprocessing, from_processor_config
from inkling.encoders.transformers.weights import WeightFiles
from inkling.errors import EncoderError
from inkling.wording import excerpt

_PATCHES = "vision_model.embeddings.patch_embedding.weight"
_POSITIONS = "vision_model.embeddings.position_embedding.weight"
_TEXT_POSITIONS = "text_model.embeddings.position_embedding.weight"

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

_PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json")

_MOST_LOG_SCALE = 20.0
"""Beyond its exponential, no softmax of cosines means anything."""

_NOT_ARCHITECTURE = ("_name_or_path", "transformers_version", "dtype", "torch_dtype")
"""Keys of config.json that tell where the folder came from, not what the model computes."""


@dataclass(frozen=True)
class Family:
    """What the models of one family have in common.

    Attributes
    ----------
    class_tokens
        Tokens of the image tower besides the patches.
    width_of_space
        Weight whose first dimension is that of the space which images and texts share.
    pads_to_full_length
        Whether texts are always padded to the length that the text tower was trained with.
    lower_cases
        Whether it was trained on lower-cased texts.
    """

    class_tokens: int
    width_of_space: str
    pads_to_full_length: bool
    lower_cases: bool


_CLIP = Family(1, "visual_projection.weight", pads_to_full_length=False, lower_cases=False)
_SIGLIP = Family(0, "vision_model.post_layernorm.weight", pads_to_full_length=True, lower_cases=True)

FAMILIES: Mapping[str, Family] = {"clip": _CLIP, "metaclip_2": _CLIP, "siglip": _SIGLIP}
"""By ``model_type``. The SigLIP 2 models of fixed resolution say ``siglip``; ``siglip2`` are those that read
pictures of any shape."""


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
            If it is neither of CLIP's nor of SigLIP's.
        """
        model_type = str(self._config.get("model_type"))
        if model_type not in FAMILIES:
            raise EncoderError(
                f"The model in {self.path} is of type '{excerpt(model_type)}'; known are {', '.join(FAMILIES)}.",
                remedy="Choose a CLIP model, or a SigLIP or SigLIP 2 model of fixed resolution "
                "(such as google/siglip2-base-patch16-224).",
            )
        return FAMILIES[model_type]

    @cached_property
    def weights(self) -> WeightFiles:
        """The weight files."""
        return WeightFiles.of(self.path)

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """The model's own preprocessing, checked against the size that its image tower reads."""
        try:
            preprocessing = from_processor_config(self._processor_config())
            side = math.isqrt(self.n_tokens - self.family.class_tokens) * self._size(_PATCHES, 2)
        except (TypeError, ValueError, LookupError, AttributeError, OverflowError) as error:
            raise EncoderError(
                f"The image processor in {self.path} can't be read: {excerpt(error)}.",
                remedy="Use the preprocessor_config.json that belongs to the model.",
            ) from error
        if preprocessing.output != (side, side):
            raise EncoderError(
                f"The image processor in {self.path} makes {preprocessing.output} pixels of a picture; "
                f"the model reads {(side, side)}.",
                remedy="Use the preprocessor_config.json that belongs to the model.",
            )
        return preprocessing

    @property
    def processing_files(self) -> list[Path]:
        """Files of image processor and tokenizer: what a model of the same architecture needs beside its weights."""
        return self._those_of(_PROCESSOR_FILES + _TOKENIZER_FILES)

    @property
    def n_tokens(self) -> int:
        """Tokens that the image tower makes of one picture."""
        return self._size(_POSITIONS)

    @property
    def width(self) -> int:
        """Width of the image tower."""
        return self._size(_PATCHES)

    @property
    def dimension(self) -> int:
        """Dimension of the space that images and texts share."""
        return self._size(self.family.width_of_space)

    @property
    def text_length(self) -> int:
        """Most tokens that a text may have."""
        return self._size(_TEXT_POSITIONS)

    @cached_property
    def logit_scale(self) -> float:
        """Factor on cosines: the exponential of the model's parameter.

        SigLIP's bias is left out: one number added to all logits changes neither ranking nor softmax.
        """
        logarithm = self.weights.number("logit_scale")
        if not -_MOST_LOG_SCALE < logarithm < _MOST_LOG_SCALE:
            raise EncoderError(f"The weights in {self.path} have a logit_scale of exp({logarithm}).")
        return math.exp(logarithm)

    def fingerprint(self, arithmetic: str) -> str:
        """Hash of whatever a vector depends on: weights, architecture, preprocessing, tokenizer, arithmetic."""
        tokenizer = self._those_of(_TOKENIZER_FILES)
        architecture = {key: value for key, value in self._config.items() if key not in _NOT_ARCHITECTURE}
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

    def _size(self, weight: str, axis: int = 0) -> int:
        shape = self.weights.shape(weight)
        if axis >= len(shape) or not shape[axis]:
            raise EncoderError(f"The weights in {self.path} hold {weight} of shape {excerpt(shape)}.")
        return shape[axis]

    def _those_of(self, names: tuple[str, ...]) -> list[Path]:
        return [self.path / name for name in names if (self.path / name).is_file()]

    @cached_property
    def _config(self) -> Mapping[str, Any]:
        return read_json(self.path / "config.json")

    def _processor_config(self) -> Mapping[str, Any]:
        """Newer folders nest it in processor_config.json, older ones have a file of its own."""
        whole = self.path / "processor_config.json"
        if whole.is_file() and "image_processor" in (nested := read_json(whole)):
            return dict(nested["image_processor"])
        return read_json(self.path / "preprocessor_config.json")
