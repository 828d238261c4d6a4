"""Families of models of the `transformers` library, as data: what their folders hold, and how they are asked.

A new family is a row in `FAMILIES`. Sizes are read from the headers of weight files, by the names of the weights that
show them: a configuration leaves out what equals the library's default, which differs by family and release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from inkling.errors import EncoderError
from inkling.wording import excerpt

ImageOutput = Literal["features", "class_token"]
"""Which output of the library's model is the vector of an image.

features
    What ``get_image_features`` gives: the space that images and texts share.
class_token
    The class token of the last hidden state, after the last normalisation.
"""

IMAGE_ONLY_LOGIT_SCALE = 1 / 0.07
"""Factor on cosines for models whose weights hold none: the temperature at which the nearest neighbours of DINO vote
(Caron et al. 2021, 2104.14294, section 4) and at which CLIP's training begins. Heads calibrate their own."""

WAYS_ON = (
    "A model of another kind works as an ONNX folder with an encoder.json (docs/how-to/encoders.md), if it can be "
    "exported."
)


@dataclass(frozen=True)
class ImageTower:
    """Where the sizes of an image tower stand. Names are relative to the tower.

    Attributes
    ----------
    patches
        Weight of the patch embedding: (width, 3, height, width of a patch), or (width, 3 x height x width) where the
        model reads patches.
    positions
        Position embedding, the last but one axis of which counts the tokens; None where there is none.
    class_tokens
        Tokens besides the patches that have a position: class tokens.
    registers
        Tokens besides the patches that have none.
    interpolates
        Whether positions are interpolated to whatever size comes, so that they say nothing of it.
    reads_patches
        Whether it reads pictures of any shape, as patches with the shape of their grid (NaFlex).
    """

    patches: str = "embeddings.patch_embedding.weight"
    positions: str | None = "embeddings.position_embedding.weight"
    class_tokens: int = 1
    registers: int = 0
    interpolates: bool = False
    reads_patches: bool = False


@dataclass(frozen=True)
class TextTower:
    """How texts are read. Names are relative to the tower.

    Attributes
    ----------
    vocabulary
        Token embedding, one row for each token that there is.
    positions
        Position embedding, one row for each token of a text; None where positions are computed, and
        ``max_position_embeddings`` of the configuration counts them.
    reserved
        Rows of it that no text uses: RoBERTa begins after the number of its padding token.
    pads_to_full_length
        Whether texts are always padded to the length that the tower was trained with.
    canonical
        Whether it was trained on texts in lower case, and is asked without punctuation.
    default_length
        Most tokens of a text where neither weights nor configuration say.
    """

    vocabulary: str = "embeddings.token_embedding.weight"
    positions: str | None = "embeddings.position_embedding.weight"
    reserved: int = 0
    pads_to_full_length: bool = False
    canonical: bool = False
    default_length: int = 77


@dataclass(frozen=True)
class Family:
    """What the models of one family have in common.

    Attributes
    ----------
    title
        Name for people.
    image
        The image tower.
    texts
        The text tower; None for models of images alone.
    dimension
        Weight whose first dimension is that of the vectors; several names where checkpoints differ.
    image_output
        Which output is the vector of an image.
    image_prefixes, text_prefixes
        What stands before the names of a tower's weights; the first that is found counts.
    logit_scale
        Weight whose exponential is the factor on cosines; None where `fixed_logit_scale` is it.
    fixed_logit_scale
        Factor on cosines of models that have none of their own.
    processor
        Image processor of folders that don't name one.
    unused
        Beginnings of names of weights on which no vector depends: checkpoints may lack them, and the library fills
        them at random.
    tunes
        Whether fine-tuning knows the family.
    """

    title: str
    image: ImageTower
    texts: TextTower | None
    dimension: tuple[str, ...]
    image_output: ImageOutput = "features"
    image_prefixes: tuple[str, ...] = ("vision_model.",)
    text_prefixes: tuple[str, ...] = ("text_model.",)
    logit_scale: str | None = "logit_scale"
    fixed_logit_scale: float = IMAGE_ONLY_LOGIT_SCALE
    processor: str = "CLIPImageProcessor"
    unused: tuple[str, ...] = ()
    tunes: bool = False


_PROJECTION = ("visual_projection.weight",)
_CLIP = Family("CLIP", ImageTower(), TextTower(), _PROJECTION, tunes=True)
_SIGLIP = Family(
    "SigLIP",
    ImageTower(class_tokens=0),
    TextTower(pads_to_full_length=True, canonical=True),
    ("vision_model.post_layernorm.weight",),
    tunes=True,
)
_BERT = TextTower("embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight")
_ROBERTA = replace(_BERT, reserved=2)
_VIT = ImageTower("embeddings.patch_embeddings.projection.weight", "embeddings.position_embeddings")
_DINOV2 = replace(_VIT, interpolates=True)

FAMILIES: Mapping[str, Family] = {
    "clip": _CLIP,
    "metaclip_2": replace(_CLIP, title="MetaCLIP 2"),
    "siglip": _SIGLIP,
    "dinov2": Family(
        "DINOv2",
        _DINOV2,
        None,
        ("layernorm.weight", "dinov2.layernorm.weight"),
        image_output="class_token",
        image_prefixes=("", "dinov2."),
        logit_scale=None,
        processor="BitImageProcessor",
    ),
}
"""By ``model_type``. The SigLIP 2 models of fixed resolution say ``siglip``; ``siglip2`` are those that read
pictures of any shape."""


def family_of(config: Mapping[str, Any], *, where: str) -> Family:
    """Family of a model, by its ``config.json``.

    Parameters
    ----------
    config
        Content of the file.
    where
        The folder, for the message.

    Raises
    ------
    EncoderError
        If it is none of those that are known.
    """
    model_type = str(config.get("model_type"))
    if model_type not in FAMILIES:
        raise EncoderError(
            f"The model in {where} is of type '{excerpt(model_type)}'; known are {', '.join(FAMILIES)}.",
            remedy=WAYS_ON,
        )
    return FAMILIES[model_type]
