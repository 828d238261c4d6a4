"""A repository of ONNX files to the description of an encoder: inputs and outputs from the graphs, the rest from JSON.

Of several outputs the vector of an image or a text is, in this order,

1. what is named as a vector of the shared space (`image_embeds`, `text_embeds` and the like, see `_VECTORS`);
2. for families whose towers end in that space without a projection (SigLIP), `pooler_output`; for image towers alone,
   what the family says: the class token of `last_hidden_state`, or `pooler_output`;
3. the only output that has a row for each input.

Whatever fits none of these is refused: another output would give numbers, and wrong ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from inkling.encoders.files import read_json
from inkling.encoders.onnx.description import Description, TextModel
from inkling.encoders.onnx.graph import Graph, Value, read_graph
from inkling.encoders.onnx.repository import Choice, choose, names_in
from inkling.encoders.onnx.session import Session
from inkling.encoders.open_clip.configuration import section, text_form
from inkling.encoders.open_clip.preprocessing import from_open_clip_config, is_open_clip
from inkling.encoders.preprocessing import Preprocessing, from_processor_config
from inkling.encoders.text_forms import TextForm
from inkling.encoders.transformers.families import IMAGE_ONLY_LOGIT_SCALE, MODEL_TYPES, Family, family_of
from inkling.errors import EncoderError
from inkling.wording import excerpt

LOGIT_SCALE = 100.0
"""Factor on cosines of models with two towers. Their files don't hold the trained one: ``logit_scale_init_value`` is
where training began. CLIP's training ends at its bound, 100; SigLIP's trained values lie a little above. Heads
calibrate their own."""

_VECTORS = {
    "images": ("image_embeds", "image_embeddings", "l2norm_image_embeddings", "image_features"),
    "texts": ("text_embeds", "text_embeddings", "l2norm_text_embeddings", "text_features"),
}
_ANY_VECTORS = ("embedding", "embeddings", "sentence_embedding")
_POOLED, _HIDDEN = "pooler_output", "last_hidden_state"

_POOLED_IN_THE_SPACE = ("siglip", "siglip2")
"""Families whose towers end in the space that images and texts share, without a projection."""

_TOKENS = ("input_ids", "text", "tokens")
_BESIDE_TOKENS = ("attention_mask", "token_type_ids", "position_ids")
_PIXELS = ("pixel_values", "image", "images", "pixels", "input")

_MOST_TOKENS_TRIED = 512
"""Longer texts aren't padded to their full length to see whether that matters."""

_PADS_LEFT = ("Gemma",)
"""Beginnings of names of tokenizers that pad on the left."""

_LENGTHS = {"siglip": 64, "siglip2": 64}
"""Tokens of a text by family, where no file says."""

_ENCODER_JSON = (
    "Write an encoder.json that names inputs and outputs (docs/how-to/encoders.md), or export the model again."
)


def read_repository(folder: Path, *, name: str | None, precision: str) -> Description:
    """Describe the encoder in a repository of ONNX files.

    Parameters
    ----------
    folder
        Where its files lie.
    name
        Name for people; None takes the folder's.
    precision
        Of the files to use.

    Raises
    ------
    EncoderError
        If files are missing, damaged or contradict each other.
    """
    choice = choose(names_in(folder), precision=precision, where=f"The repository {folder}")
    reading = _Reading(folder, choice)
    texts, dimension = reading.texts, reading.dimension
    return Description(
        name=name or folder.resolve().name,
        model=reading.images.file,
        input=reading.pixels.name,
        preprocessing=reading.preprocessing,
        embeddings=reading.image_vectors.name,
        features=None,
        dimension=dimension,
        feature_dimension=0,
        logit_scale=LOGIT_SCALE if texts else IMAGE_ONLY_LOGIT_SCALE,
        texts=texts,
        licence="as its publisher states",
        source=name or str(folder),
        external=reading.images.external,
        alone=reading.images.rounds_as_it_runs,
        precision=choice.precision,
    )


@dataclass(frozen=True)
class _Reading:
    """The files of a repository that were chosen, as far as they have been read."""

    folder: Path
    choice: Choice

    @cached_property
    def images(self) -> Graph:
        return read_graph((self.folder / self.choice.images).absolute())

    @cached_property
    def text_graph(self) -> Graph | None:
        """The text tower; None where there is none, as in a file of one image tower."""
        if self.choice.texts is None:
            return None
        graph = self.images if self.choice.texts == self.choice.images else None
        graph = graph or read_graph((self.folder / self.choice.texts).absolute())
        return graph if any(value.name in _TOKENS or value.is_integer for value in graph.inputs) else None

    @cached_property
    def config(self) -> Mapping[str, Any]:
        return read_json(self.folder / "config.json")

    @property
    def model_type(self) -> str:
        return str(self.config.get("model_type"))

    @property
    def family(self) -> Family | None:
        """Family of the model, where it is one that `transformers` would open too."""
        return family_of(self.config, where=str(self.folder)) if self.model_type in MODEL_TYPES else None

    @cached_property
    def pixels(self) -> Value:
        """The input that reads pictures."""
        graph = self.images
        found = [v for v in graph.inputs if v.name in _PIXELS] or [v for v in graph.inputs if v.is_float]
        if len(found) != 1 or found[0].rank not in (None, 4):
            raise _odd(graph, "input for pictures (n, 3, height, width)", graph.inputs)
        return found[0]

    @cached_property
    def image_vectors(self) -> Value:
        names = [*_VECTORS["images"], *_ANY_VECTORS]
        if self.text_graph is None and self.family is not None and self.family.texts is None:
            names += [_HIDDEN] if self.family.image_output == "class_token" else [_POOLED]
        return self._vectors(self.images, names, "images")

    def _vectors(self, graph: Graph, names: Sequence[str], what: str) -> Value:
        names = [*names, _POOLED] if self.model_type in _POOLED_IN_THE_SPACE else names
        named = (value for name in names for value in graph.outputs if value.name == name)
        flat = [v for v in graph.outputs if v.is_float and v.rank == 2 and v.name != _POOLED]
        found = next(named, flat[0] if len(flat) == 1 and self.choice.images != self.choice.texts else None)
        if found is None:
            raise _odd(graph, f"output that is known to be the vectors of {what}", graph.outputs)
        return found

    @cached_property
    def dimension(self) -> int:
        """Of the vectors: as the graphs say, or as a run shows."""
        value = self.image_vectors
        found = value.size(-1) or self._tried()
        stated = self.config.get("projection_dim") or self.config.get("embed_dim")
        if self.text_graph is not None and isinstance(stated, int) and stated != found:
            raise EncoderError(
                f"{self.folder / 'config.json'} says that vectors have {stated} numbers; {value.name} of "
                f"{self.images.file} has {found}.",
                remedy="Use the config.json that belongs to the model.",
            )
        return found

    def _tried(self) -> int:
        session = Session(self.images.file, device="cpu")
        picture = np.zeros((1, 3, *self.preprocessing.output), np.float32)
        tokens = np.zeros((1, 2), np.int64)
        beside = {name: np.ones_like(tokens) for name in session.inputs if name in (*_TOKENS, *_BESIDE_TOKENS)}
        (vectors,) = session.run([self.image_vectors.name], {**beside, self.pixels.name: picture})
        return int(vectors.shape[-1])

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """The model's own preprocessing, checked against the size that its image tower reads."""
        file = self.folder / self.choice.layout.processor
        try:
            found = self._preprocessing(file)
            output = found.output
        except (TypeError, ValueError, LookupError, AttributeError, OverflowError) as error:
            raise EncoderError(
                f"The image processor {file} can't be read: {excerpt(error)}.",
                remedy="Use the file that belongs to the model.",
            ) from error
        read = (self.pixels.size(2), self.pixels.size(3))
        if any(size is not None and size != made for size, made in zip(read, output, strict=True)):
            raise EncoderError(
                f"The image processor {file} makes {output} pixels of a picture; {self.images.file} reads {read}.",
                remedy="Use the file that belongs to the model.",
            )
        return found

    def _preprocessing(self, file: Path) -> Preprocessing:
        whole = self.folder / "processor_config.json"
        nested = read_json(whole).get("image_processor") if whole.is_file() else None
        config = nested if isinstance(nested, dict) else read_json(file)
        if self.choice.layout.is_open_clip or is_open_clip(config):
            return from_open_clip_config(config, size=section(self.config, "vision_cfg").get("image_size"))
        return from_processor_config(config, default=self.family.processor if self.family else "CLIPImageProcessor")

    @cached_property
    def texts(self) -> TextModel | None:
        """The text side, as its graph and its tokenizer's files describe it."""
        graph = self.text_graph
        if graph is None:
            return None
        tokens = self._token_input(graph)
        vectors = self._vectors(graph, [*_VECTORS["texts"], *_ANY_VECTORS], "texts")
        self._check_space(graph, vectors)
        fixed, stated = tokens.size(1), self._stated_length()
        longest = min(fixed or stated, stated)
        pads = fixed or (longest if self._pads_to_full_length else None)
        masked = any(value.name == "attention_mask" for value in graph.inputs)
        tokenizer = self._file(self.choice.tokenizer)
        settings = self._tokenizer_config
        return TextModel(
            file=graph.file,
            tokenizer=tokenizer,
            input=tokens.name,
            output=vectors.name,
            max_length=longest,
            pad_to=pads,
            form=self._form,
            external=graph.external,
            alone=graph.rounds_as_it_runs,
            pad_token=_token(settings.get("pad_token")),
            pad_side="left" if settings.get("padding_side", self._usual_side) == "left" else "right",
            masks_padding="attention_mask" in settings.get("model_input_names", ["attention_mask"]),
            tries_padding=pads is None and not masked and longest <= _MOST_TOKENS_TRIED,
            vocabulary=graph.rows_of_table(tokens.name),
        )

    def _token_input(self, graph: Graph) -> Value:
        named = [value for name in _TOKENS for value in graph.inputs if value.name == name]
        whole = [value for value in graph.inputs if value.is_integer and value.name not in _BESIDE_TOKENS]
        known = {*_BESIDE_TOKENS, self.pixels.name if graph is self.images else ""}
        found = next(iter(named), whole[0] if len(whole) == 1 else None)
        if found is None or any(value.name not in known | {found.name} for value in graph.inputs):
            raise _odd(graph, f"set of inputs for texts, token numbers and {', '.join(_BESIDE_TOKENS)}", graph.inputs)
        return found

    def _check_space(self, graph: Graph, vectors: Value) -> None:
        size = vectors.size(-1)
        if size is not None and size != self.dimension:
            raise EncoderError(
                f"Vectors of texts ({vectors.name} of {graph.file.name}) have {size} numbers, those of images "
                f"({self.image_vectors.name} of {self.images.file.name}) {self.dimension}: they aren't of one space.",
                remedy="Use two towers that were exported with their projections.",
            )

    def _stated_length(self) -> int:
        """Most tokens of a text, by the model's configuration, the tokenizer's, or the family."""
        lengths = (
            section(self.config, "text_cfg").get("context_length"),
            section(self.config, "text_config").get("max_position_embeddings"),
            self._tokenizer_config.get("model_max_length"),
        )
        default = 77 if self.family is None or self.family.texts is None else self.family.texts.default_length
        stated = next((n for n in lengths if isinstance(n, int) and not isinstance(n, bool) and 0 < n < 100_000), None)
        return stated or _LENGTHS.get(self.model_type, default)

    @property
    def _pads_to_full_length(self) -> bool:
        texts = self.family.texts if self.family else None
        return self.choice.layout.is_open_clip or (texts is not None and texts.pads_to_full_length)

    @property
    def _form(self) -> TextForm:
        if not self.choice.layout.is_open_clip:
            texts = self.family.texts if self.family else None
            return "canonical" if texts is not None and texts.canonical else "as_is"
        return text_form(section(self.config, "text_cfg"), where=self.folder / "config.json")

    @property
    def _usual_side(self) -> str:
        """Where the library pads unless the configuration of the tokenizer says: a matter of the tokenizer's kind."""
        return "left" if str(self._tokenizer_config.get("tokenizer_class")).startswith(_PADS_LEFT) else "right"

    @cached_property
    def _tokenizer_config(self) -> Mapping[str, Any]:
        path = self.folder / self.choice.tokenizer_config
        return read_json(path) if path.is_file() else {}

    def _file(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise EncoderError(
                f"The repository {self.folder} has a text tower and no {name}.",
                remedy="Copy the tokenizer.json of the model that was exported, or remove the text tower to do without "
                "texts.",
            )
        return path.absolute()


def _token(named: object) -> str | None:
    """A special token: files name it, or describe it."""
    content = named.get("content") if isinstance(named, dict) else named
    return content if isinstance(content, str) else None


def _odd(graph: Graph, what: str, there: Sequence[Value]) -> EncoderError:
    named = ", ".join(f"{value.name} {str(value.shape or '?').replace('None', 'n')}" for value in there)
    return EncoderError(f"The ONNX model {graph.file} has no {what}; it has {excerpt(named)}.", remedy=_ENCODER_JSON)
