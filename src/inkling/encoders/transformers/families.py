"""Families of models of the `transformers` library, as data: what their folders hold, and how they are asked.

A new family is a row in `_KNOWN`. Sizes are read from the headers of weight files, by the names of the weights that
show them: a configuration leaves out what equals the library's default, which differs by family and release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from inkling.errors import EncoderError
from inkling.wording import excerpt

ImageOutput = Literal["features", "class_token", "pooled"]
"""Which output of the library's model is the vector of an image.

features
    What ``get_image_features`` gives: the space that images and texts share.
class_token
    The class token of the last hidden state, after the last normalisation.
pooled
    What the library's classifiers of the family read: the mean over the picture, normalised.
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
    attention
        The library's attention that the tower is loaded with, where the default goes wrong; None for the default.
    default_length
        Most tokens of a text where neither weights nor configuration say.
    """

    vocabulary: str = "embeddings.token_embedding.weight"
    positions: str | None = "embeddings.position_embedding.weight"
    reserved: int = 0
    pads_to_full_length: bool = False
    canonical: bool = False
    attention: str | None = None
    default_length: int = 77


@dataclass(frozen=True)
class LogitScale:
    """Where the factor on cosines stands.

    Attributes
    ----------
    weight
        The weight that holds it.
    divides
        Whether the weight is a temperature that cosines are divided by; else the factor is its exponential.
    most
        Key of the configuration that limits the factor, and what the library takes where it is left out; the least is
        1 then.
    otherwise
        Key of the configuration that stands in for the weight in checkpoints without it, and the library's default.
    """

    weight: str = "logit_scale"
    divides: bool = False
    most: tuple[str, float] | None = None
    otherwise: tuple[str, float] | None = None


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
        Where the factor on cosines stands; None where it is `IMAGE_ONLY_LOGIT_SCALE`.
    formerly
        Names of weights in checkpoints from before the library knew the family, by their names of today.
    processor
        Image processor of folders that don't name one.
    unused
        Beginnings of names of weights on which no vector depends: checkpoints may lack them, and the library fills
        them at random.
    code_is_known
        Whether checkpoints may name code of their own that the library has by now, so that it isn't needed.
    pools_if_asked
        Whether the library pools only where it is loaded so.
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
    logit_scale: LogitScale | None = LogitScale()
    formerly: Mapping[str, str] = field(default_factory=dict)
    processor: str = "CLIPImageProcessor"
    unused: tuple[str, ...] = ()
    code_is_known: bool = False
    pools_if_asked: bool = False
    tunes: bool = False

    @property
    def has_projection(self) -> bool:
        """Whether a projection leads from the image tower to the vectors."""
        return self.dimension == _PROJECTION


_PROJECTION = ("visual_projection.weight",)
_SIGLIP_VECTORS = ("vision_model.post_layernorm.weight",)
_CANONICAL = TextTower(pads_to_full_length=True, canonical=True)
_BERT = TextTower("embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight")
_ROBERTA = replace(_BERT, reserved=2)
_CLIP_IMAGES = ImageTower()
_SIGLIP_IMAGES = ImageTower(class_tokens=0)
_VIT = ImageTower("embeddings.patch_embeddings.projection.weight", "embeddings.position_embeddings")
_DINOV2 = replace(_VIT, interpolates=True)

_DINOV3 = replace(_DINOV2, patches="embeddings.patch_embeddings.weight", positions=None, registers=4)
_CONVNEXT = ImageTower("embeddings.patch_embeddings.weight", None, class_tokens=0, interpolates=True)

_CLIP = Family("CLIP", _CLIP_IMAGES, TextTower(), _PROJECTION, tunes=True)
_TIPSV2 = Family(
    "TIPSv2",
    replace(_DINOV2, registers=1),
    TextTower(positions=None, pads_to_full_length=True, default_length=64),
    ("vision_model.layernorm.weight",),
    logit_scale=LogitScale("temperature", divides=True, otherwise=("temperature_init_value", 0.005065968260169029)),
    processor="Tipsv2ImageProcessor",
    code_is_known=True,
    formerly={
        "vision_model.embeddings.patch_embeddings.projection.weight": "vision_encoder.patch_embed.proj.weight",
        "vision_model.embeddings.position_embeddings": "vision_encoder.pos_embed",
        "vision_model.layernorm.weight": "vision_encoder.norm.weight",
        "text_model.embeddings.token_embedding.weight": "text_encoder.token_embedding.weight",
    },
)


def _of_class_token(title: str, image: ImageTower, prefix: str, processor: str) -> Family:
    """A family of images alone, the vector of which is the class token; checkpoints of classifiers have a prefix."""
    return Family(
        title,
        image,
        None,
        ("layernorm.weight", f"{prefix}layernorm.weight"),
        image_output="class_token",
        image_prefixes=("", prefix),
        logit_scale=None,
        processor=processor,
        unused=("pooler.",),
    )


def _convnext(title: str, prefix: str) -> Family:
    """A family of convolutions; checkpoints of classifiers have a prefix."""
    return Family(
        title,
        _CONVNEXT,
        None,
        ("layernorm.weight", f"{prefix}layernorm.weight"),
        image_output="pooled",
        image_prefixes=("", prefix),
        logit_scale=None,
        processor="ConvNextImageProcessor",
    )


_KNOWN: Mapping[str, Family] = {
    "clip": _CLIP,
    "metaclip_2": replace(_CLIP, title="MetaCLIP 2"),
    "siglip": Family("SigLIP", _SIGLIP_IMAGES, _CANONICAL, _SIGLIP_VECTORS, tunes=True),
    "siglip2": Family(
        "SigLIP 2 of pictures of any shape (NaFlex)",
        replace(_SIGLIP_IMAGES, interpolates=True, reads_patches=True),
        _CANONICAL,
        _SIGLIP_VECTORS,
        processor="Siglip2ImageProcessor",
    ),
    "tipsv2": _TIPSV2,
    "aimv2": Family(
        "AIMv2-LiT",
        ImageTower("embeddings.patch_embed.weight", class_tokens=0),
        # By default, the library masks later tokens only in batches of texts of different lengths.
        TextTower(attention="eager"),
        _PROJECTION,
        logit_scale=LogitScale(most=("max_logit_scale", 100.0)),
        code_is_known=True,
    ),
    "altclip": Family("AltCLIP", _CLIP_IMAGES, _ROBERTA, _PROJECTION, text_prefixes=("text_model.roberta.",)),
    "chinese_clip": Family("Chinese-CLIP", _CLIP_IMAGES, _BERT, _PROJECTION, processor="ChineseCLIPImageProcessor"),
    "dinov2": _of_class_token("DINOv2", _DINOV2, "dinov2.", "BitImageProcessor"),
    "dinov2_with_registers": _of_class_token(
        "DINOv2 with registers", replace(_DINOV2, registers=4), "dinov2_with_registers.", "BitImageProcessor"
    ),
    "vit": _of_class_token("ViT", _VIT, "vit.", "ViTImageProcessor"),
    "dinov3_vit": Family(
        "DINOv3",
        _DINOV3,
        None,
        ("norm.weight",),
        image_output="class_token",
        image_prefixes=("",),
        logit_scale=None,
        processor="DINOv3ViTImageProcessor",
    ),
    "dinov3_convnext": Family(
        "DINOv3 of convolutions",
        replace(_CONVNEXT, patches="stages.0.downsample_layers.0.weight"),
        None,
        ("layer_norm.weight",),
        image_output="pooled",
        image_prefixes=("", "model."),
        logit_scale=None,
        processor="DINOv3ViTImageProcessor",
    ),
    "convnext": _convnext("ConvNeXt", "convnext."),
    "convnextv2": _convnext("ConvNeXt V2", "convnextv2."),
    "data2vec-vision": Family(
        "Data2Vec",
        replace(_VIT, positions=None),
        None,
        ("encoder.layer.0.layernorm_before.weight", "data2vec_vision.encoder.layer.0.layernorm_before.weight"),
        image_output="pooled",
        image_prefixes=("", "data2vec_vision."),
        logit_scale=None,
        processor="BeitImageProcessor",
        # Without weights of its own, as before fine-tuning, the pooler normalises the mean and does no more.
        unused=("pooler.",),
        pools_if_asked=True,
    ),
}
"""By ``model_type``. The SigLIP 2 models of fixed resolution say ``siglip``; ``siglip2`` are those that read
pictures of any shape."""

_DUAL_ENCODER = "vision-text-dual-encoder"
_DUAL_IMAGES: Mapping[str, ImageTower] = {
    "clip": _CLIP_IMAGES,
    "clip_vision_model": _CLIP_IMAGES,
    "siglip_vision_model": _SIGLIP_IMAGES,
    "vit": _VIT,
    "dinov2": _DINOV2,
}
_DUAL_TEXTS: Mapping[str, TextTower] = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "xlm-roberta": _ROBERTA,
}
"""The towers that a dual encoder may be made of, by the ``model_type`` of each."""

MODEL_TYPES = (*_KNOWN, _DUAL_ENCODER)


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
    if model_type == _DUAL_ENCODER:
        return _dual_encoder(config, where)
    if model_type in _KNOWN:
        return _KNOWN[model_type]
    needs_code = ", and wants to run code of its own, which Inkling never executes" if config.get("auto_map") else ""
    raise EncoderError(
        f"The model in {where} is of type '{excerpt(model_type)}'{needs_code}; known are {', '.join(MODEL_TYPES)}.",
        remedy=WAYS_ON,
    )


def _dual_encoder(config: Mapping[str, Any], where: str) -> Family:
    """A VisionTextDualEncoder is an image tower and a text tower of other models, each with a projection."""
    image, texts = (str(part(config, name).get("model_type")) for name in ("vision_config", "text_config"))
    if image not in _DUAL_IMAGES or texts not in _DUAL_TEXTS:
        raise EncoderError(
            f"The dual encoder in {where} joins '{excerpt(image)}' and '{excerpt(texts)}'; known are image towers of "
            f"type {', '.join(_DUAL_IMAGES)} and text towers of type {', '.join(_DUAL_TEXTS)}.",
            remedy=WAYS_ON,
        )
    return Family(
        "VisionTextDualEncoder",
        _DUAL_IMAGES[image],
        _DUAL_TEXTS[texts],
        _PROJECTION,
        image_prefixes=("vision_model.", "vision_model.vision_model."),
        processor="ViTImageProcessor",
    )


def part(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A tower's part of a configuration, as the library reads it: the older ``..._dict`` wins."""
    parts = (config.get(key) for key in (name, f"{name}_dict"))
    return {key: value for each in parts if isinstance(each, Mapping) for key, value in each.items()}
