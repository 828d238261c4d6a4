"""A folder as OpenCLIP publishes models: read into the towers that `transformers` has for CLIP."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from inkling.encoders.files import read_json
from inkling.encoders.open_clip.configuration import FILE, WAYS_ON, clip_config, section, text_form
from inkling.encoders.open_clip.names import UNUSED, renamed
from inkling.encoders.open_clip.preprocessing import from_open_clip_config
from inkling.encoders.preprocessing import Preprocessing
from inkling.encoders.transformers.families import Family, family_of
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.encoders.transformers.weights import FORMS, Entry, WeightFiles
from inkling.errors import EncoderError
from inkling.wording import counted, excerpt

WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""The first that is there counts."""

_OWN_FILE = f"Use the {FILE} that belongs to the weights."


def is_open_clip_folder(names: Collection[str]) -> bool:
    """Whether a repository is to be taken as OpenCLIP's, by the names of its files: one that `transformers` can read
    isn't."""
    for_transformers = "config.json" in names and any(form.name in names for form in FORMS)
    return FILE in names and any(name in names for name in WEIGHTS) and not for_transformers


@dataclass(frozen=True)
class RenamedWeights(WeightFiles):
    """Weight files of OpenCLIP under the names and in the shapes of `transformers`."""

    @cached_property
    def _entries(self) -> Mapping[str, Entry]:
        given = {name: self._plain.entry(name) for name in self._plain.names}
        odd = sorted(name for name in given if not renamed(name) and name.removeprefix("text.") not in UNUSED)
        if odd:
            raise EncoderError(
                f"The OpenCLIP model {self.files[0]} has {counted(len(odd), 'tensor')} that CLIP's towers have no "
                f"place for: {excerpt(', '.join(odd))}.",
                remedy=WAYS_ON,
            )
        return {
            new.name: replace(entry, shape=new.shape(entry.shape))
            for name, entry in given.items()
            for new in renamed(name)
        }

    @cached_property
    def _plain(self) -> WeightFiles:
        return WeightFiles(self.files)


@dataclass(frozen=True)
class OpenClipFolder(ModelFolder):
    """A folder with an ``open_clip_config.json`` and the weights of a ViT model."""

    @property
    def config_file(self) -> Path:
        """The file that describes the model."""
        return self.path / FILE

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """What `transformers` would have in its ``config.json``."""
        return clip_config(self._model, where=self.config_file)

    @cached_property
    def family(self) -> Family:
        """CLIP's, with texts in the form that the configuration asks for."""
        clip = family_of(self.config, where=str(self.path))
        form = text_form(section(self._model, "text_cfg"), where=self.config_file)
        texts = clip.texts and replace(clip.texts, canonical=form == "canonical")
        return replace(clip, title="OpenCLIP", texts=texts, tunes=False)

    @cached_property
    def weights(self) -> WeightFiles:
        """The weight files, under the names of `transformers`."""
        there = [self.path / name for name in WEIGHTS if (self.path / name).is_file()]
        if not there:
            raise EncoderError(
                f"The folder {self.path} has no weights: expected one of {', '.join(WEIGHTS)}.",
                remedy="Download the whole model.",
            )
        return RenamedWeights((there[0],))

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """As ``preprocess_cfg`` says, checked against the size that the image tower reads."""
        size = section(self._model, "vision_cfg").get("image_size")
        try:
            found = from_open_clip_config(section(self._whole, "preprocess_cfg"), size=size)
        except (TypeError, ValueError, LookupError, AttributeError, OverflowError) as error:
            raise EncoderError(
                f"The preprocess_cfg in {self.config_file} can't be read: {excerpt(error)}.", remedy=_OWN_FILE
            ) from error
        reason = self._misfit(found)
        if reason:
            raise EncoderError(f"The preprocess_cfg in {self.config_file} {reason}.", remedy=_OWN_FILE)
        return found

    @property
    def has_processor(self) -> bool:
        """Always: what is left out is as OpenCLIP has it."""
        return True

    @property
    def tokenizer_class(self) -> str | None:
        """CLIP's, unless the configuration names another one."""
        return None if section(self._model, "text_cfg").get("hf_tokenizer_name") else "CLIPTokenizer"

    def from_library(self, **options: Any) -> Any:
        """The library's `CLIPModel` with these weights; `options` are those of its ``from_pretrained``."""
        from inkling.encoders.open_clip.convert import clip_model

        return clip_model(self.config, self.weights.files, **options)

    @property
    def _model(self) -> Mapping[str, Any]:
        return section(self._whole, "model_cfg")

    @cached_property
    def _whole(self) -> Mapping[str, Any]:
        return read_json(self.path / FILE)
