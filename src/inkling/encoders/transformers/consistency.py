"""Whether the small files of a model folder and its weights are of one model, found out before weights are loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from inkling.encoders.transformers.families import WAYS_ON, part
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.encoders.transformers.weights import LAYER
from inkling.errors import EncoderError
from inkling.wording import excerpt


def check_folder(folder: ModelFolder) -> None:
    """Refuse a folder whose files contradict each other, or whose model needs what it must not have.

    Raises
    ------
    EncoderError
        Says what contradicts what.
    """
    _refuse_code(folder)
    _refuse_quantised(folder)
    contradictions = [
        f"{name} is {excerpt(stated)} there and {found} here"
        for name, stated, found in _sizes(folder)
        if isinstance(stated, int) and stated != found
    ]
    if contradictions:
        raise EncoderError(
            f"The {folder.config_file.name} in {folder.path} is of another model than the weights beside it: "
            f"{'; '.join(contradictions)}.",
            remedy="Use the one that belongs to the weights, or download the whole model.",
        )


def _refuse_code(folder: ModelFolder) -> None:
    code = folder.config.get("auto_map")
    if code and not folder.family.code_is_known:
        raise EncoderError(
            f"The model in {folder.path} wants to run code of its own (auto_map in config.json, trust_remote_code in "
            "transformers): Inkling executes no code that comes with weights.",
            remedy=WAYS_ON,
        )


def _refuse_quantised(folder: ModelFolder) -> None:
    quantised = folder.config.get("quantization_config")
    if quantised:
        method = quantised.get("quant_method", "unknown") if isinstance(quantised, Mapping) else quantised
        raise EncoderError(
            f"The weights in {folder.path} are quantised ({excerpt(method)}), which isn't read.",
            remedy="Take the model in full, and choose a precision.",
        )


def _sizes(folder: ModelFolder) -> Iterator[tuple[str, Any, int | None]]:
    """Name, size by the configuration (None where it leaves it out), and size by the weights."""
    family, config = folder.family, folder.config
    two_towers = family.texts is not None
    image = part(config, "vision_config") if two_towers else config
    of_image = "vision_config." if two_towers else ""
    yield f"{of_image}hidden_size", image.get("hidden_size"), folder.width
    yield f"{of_image}patch_size", image.get("patch_size"), folder.patch
    yield from _layers(folder, f"{of_image}num_hidden_layers", image, family.image_prefixes)
    if family.texts is None:
        return
    texts = part(config, "text_config")
    vocabulary, width = folder.vocabulary
    yield "text_config.vocab_size", texts.get("vocab_size"), vocabulary
    yield "text_config.hidden_size", texts.get("hidden_size"), width
    longest = folder.text_length + family.texts.reserved
    yield "text_config.max_position_embeddings", texts.get("max_position_embeddings"), longest
    yield from _layers(folder, "text_config.num_hidden_layers", texts, family.text_prefixes)
    if family.has_projection:
        yield "projection_dim", config.get("projection_dim"), folder.dimension


def _layers(
    folder: ModelFolder, name: str, config: Mapping[str, Any], prefixes: tuple[str, ...]
) -> Iterator[tuple[str, Any, int]]:
    """Layers by the highest number among the names of weights; none where checkpoints name them in another way."""
    named = (LAYER.search(weight) for weight in folder.weights.names if weight.startswith(prefixes))
    numbers = [int(found[1]) for found in named if found]
    if numbers:
        yield name, config.get("num_hidden_layers"), max(numbers) + 1
