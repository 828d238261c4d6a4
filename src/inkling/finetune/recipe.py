"""How an encoder is fine-tuned: every option in one frozen value, and four recipes that are known to work."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Self

from inkling.errors import InputError
from inkling.wording import quoted

LOSSES = ("contrastive", "flyp", "classify")
PARTS = ("full", "image", "text", "layernorm", "projection", "lora")
BLOCKS = "blocks:"
OPTIMIZERS = ("adam", "adamw")
SCHEDULES = ("constant", "cosine")
AUGMENTATIONS = ("none", "light", "strong")
CURRICULA = ("none", "easy-first")
PRECISIONS = ("auto", "float32", "bfloat16")
LENGTHS = ("epochs", "steps", "steps_per_shot")

HIGHEST_RATE = 1.0
MOST_SHOTS = 16
"""Shots that `steps_per_shot` counts at most, as the papers do: beyond, more steps bring little."""

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "augment": AUGMENTATIONS,
    "curriculum": CURRICULA,
    "precision": PRECISIONS,
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a training does, except the data.

    Attributes
    ----------
    train
        What is trained: ``full``, ``image`` or ``text`` (one tower with its projection), ``blocks:N`` (the last N
        blocks of the image tower and what follows them), ``layernorm`` (of both towers), ``projection`` (the last map
        of the image tower), or ``lora`` (low-rank additions to query, key and value of every block of both towers).
    loss
        ``contrastive`` (images and prompts of one image per class), ``flyp`` (the same for repeated classes) or
        ``classify`` (cross-entropy against the text vectors of all classes).
    epochs, steps, steps_per_shot
        Length of the training; exactly one is given. An epoch draws as many images as there are; shots are images
        per class, `MOST_SHOTS` at most.
    head_share
        Share of the steps, the last ones, that leave the encoder alone and train one vector per class, starting from
        the text vectors (Farina et al. 2025).
    batch_size
        Images of one step over all processes; None takes one for each class times `images_per_class`.
    images_per_class
        Images of a class that are drawn together; None spreads the batch over as many classes as it can.
    optimizer, learning_rate, weight_decay
        ``adam`` adds weight decay to the gradient, ``adamw`` decouples it.
    schedule, warmup
        ``constant`` or ``cosine`` (to zero), after a linear warm-up over this share of the steps.
    gradient_clip
        Largest norm of the gradient of all that is trained.
    accumulation
        Parts in which the images of a step pass through the towers. The gradient is that of the whole batch, at the
        cost of a second forward pass.
    gradient_checkpointing
        Recompute activations in the backward pass: less memory, more time.
    precision
        ``auto`` takes bfloat16 products on a GPU and float32 on the CPU. Weights are float32 always.
    augment
        ``none``, ``light`` (crop, flip, mild colour) or ``strong`` (harder crops and colour, turns, erasing).
    curriculum
        ``none``, or ``easy-first``: images of a class come in the order of their zero-shot margin.
    lora_rank, lora_alpha, lora_dropout
        Of the low-rank additions W + (alpha / rank) B A.
    holdout
        Share of each class that is held out to watch the training and to choose its best moment; 0 for none.
    patience
        Epochs without a lower held-out loss after which the training stops; None never stops early.
    interpolate
        Share a of the tuned weights in (1 - a) w0 + a w1; None chooses it out of fold.
    folds
        Trainings that choose it.
    seed
        Of every random choice.
    """

    train: str
    loss: str
    epochs: int | None = None
    steps: int | None = None
    steps_per_shot: int | None = None
    head_share: float = 0.0
    batch_size: int | None = None
    images_per_class: int | None = None
    optimizer: str = "adamw"
    learning_rate: float = 1e-5
    weight_decay: float = 0.01
    schedule: str = "cosine"
    warmup: float = 0.0
    gradient_clip: float = 1.0
    accumulation: int = 1
    gradient_checkpointing: bool = False
    precision: str = "auto"
    augment: str = "none"
    curriculum: str = "none"
    lora_rank: int = 2
    lora_alpha: float = 1.0
    lora_dropout: float = 0.25
    holdout: float = 0.0
    patience: int | None = None
    interpolate: float | None = None
    folds: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            _check_choice(name, getattr(self, name), choices)
        _check_parts(self.train)
        _check_length(self)
        _check_numbers(self)
        _check_agreement(self)

    @property
    def n_blocks(self) -> int | None:
        """N of ``blocks:N``, else None."""
        return int(self.train.removeprefix(BLOCKS)) if self.train.startswith(BLOCKS) else None

    def changed(self, **options: Any) -> Self:
        """This recipe with other options; those that are None stay, and a new length replaces the old one.

        Raises
        ------
        InputError
            If an option does not exist or does not fit.
        """
        given = {name: value for name, value in options.items() if value is not None}
        known = [field.name for field in fields(self)]
        for name in given:
            _check_choice("option", name, tuple(known))
        if set(given) & set(LENGTHS):
            given = dict.fromkeys(LENGTHS) | given
        return replace(self, **given)

    def to_json(self) -> dict[str, Any]:
        """All options as JSON holds them."""
        return asdict(self)


def preset(name: str) -> Recipe:
    """One of `PRESETS` by name.

    Raises
    ------
    InputError
        If there is none.
    """
    _check_choice("preset", name, tuple(PRESETS))
    return PRESETS[name]


def _check_choice(what: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        near = get_close_matches(str(value), choices, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise InputError(f"The {what} '{value}' isn't known.{hint}", remedy=f"Choose one of: {', '.join(choices)}.")


def _check_parts(train: str) -> None:
    if not train.startswith(BLOCKS):
        _check_choice("part to train", train, (*PARTS, f"{BLOCKS}N"))
    number = train.removeprefix(BLOCKS)
    if train.startswith(BLOCKS) and not (number.isdecimal() and int(number) >= 1):
        raise InputError(
            f"'{train}' must name a number of blocks, 1 or more.", remedy="Write it as blocks:2, for the last two."
        )


def _check_length(recipe: Recipe) -> None:
    given = [name for name in LENGTHS if getattr(recipe, name) is not None]
    if len(given) != 1:
        raise InputError(
            f"The length of a training is given by one of {', '.join(LENGTHS)}; got {', '.join(given) or 'none'}.",
            remedy="Give exactly one of them.",
        )
    _check_number(given[0], getattr(recipe, given[0]), at_least=1)


def _check_numbers(recipe: Recipe) -> None:
    for name in ("batch_size", "images_per_class", "patience"):
        if getattr(recipe, name) is not None:
            _check_number(name, getattr(recipe, name), at_least=1)
    for name in ("accumulation", "lora_rank"):
        _check_number(name, getattr(recipe, name), at_least=1)
    _check_number("folds", recipe.folds, at_least=2)
    _check_number("seed", recipe.seed, at_least=0)
    _check_number("weight_decay", recipe.weight_decay, at_least=0)
    for name in ("gradient_clip", "lora_alpha"):
        _check_number(name, getattr(recipe, name), above=0)
    for name in ("warmup", "lora_dropout", "holdout", "head_share"):
        _check_number(name, getattr(recipe, name), at_least=0, below=1)
    if recipe.interpolate is not None:
        _check_number("interpolate", recipe.interpolate, at_least=0, at_most=1)
    _check_rate(recipe.learning_rate)


def _check_rate(rate: float) -> None:
    if not (math.isfinite(rate) and 0 < rate <= HIGHEST_RATE):
        raise InputError(
            f"The learning rate must be above 0 and at most {HIGHEST_RATE:g}, got {rate!r}.",
            remedy="Usual are 1e-7 to 1e-5 for whole towers, 1e-5 to 1e-3 for LoRA, LayerNorms and projections.",
        )


def _check_number(
    name: str,
    value: float,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    at_most: float = math.inf,
    below: float = math.inf,
) -> None:
    fits = name not in _WHOLE or (isinstance(value, int) and not isinstance(value, bool))
    if not (fits and math.isfinite(value) and at_least <= value <= at_most and above < value < below):
        bounds = {"at least": at_least, "above": above, "at most": at_most, "below": below}
        told = " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if math.isfinite(bound))
        kind = "a whole number" if name in _WHOLE else "a number"
        raise InputError(
            f"{name} must be {kind}, {told}, got {quoted(value)}.", remedy="Leave it out to keep what the preset says."
        )


_WHOLE = frozenset(
    (*LENGTHS, "batch_size", "images_per_class", "patience", "accumulation", "lora_rank", "folds", "seed")
)


def _check_agreement(recipe: Recipe) -> None:
    """Options that cannot go together."""
    if recipe.loss == "contrastive" and recipe.images_per_class not in (None, 1):
        raise InputError(
            f"The contrastive loss takes one image of each class in a batch, not {recipe.images_per_class}.",
            remedy="Use the loss flyp, which knows repeated classes, or leave images_per_class out.",
        )
    group = recipe.images_per_class
    if group and recipe.batch_size and recipe.batch_size % group:
        raise InputError(
            f"A batch of {recipe.batch_size} cannot be made of groups of {group} images of a class.",
            remedy=f"Choose a batch size that {group} divides.",
        )
    if recipe.patience is not None and recipe.holdout == 0:
        raise InputError(
            "Stopping early needs images that are held out, and holdout is 0.", remedy="Set holdout, such as 0.2."
        )


PRESETS: Mapping[str, Recipe] = {
    "original": Recipe(
        train="full",
        loss="contrastive",
        epochs=24,
        optimizer="adam",
        learning_rate=1e-7,
        weight_decay=1e-4,
        schedule="constant",
    ),
    "lora": Recipe(
        train="lora",
        loss="classify",
        steps_per_shot=500,
        batch_size=32,
        learning_rate=2e-4,
        augment="light",
    ),
    "two-stage": Recipe(
        train="layernorm",
        loss="classify",
        steps_per_shot=300,
        head_share=0.4,
        batch_size=32,
        learning_rate=2e-4,
        augment="light",
    ),
    "last-blocks": Recipe(
        train="blocks:2",
        loss="classify",
        epochs=20,
        batch_size=32,
        learning_rate=1e-5,
        warmup=0.1,
        augment="light",
    ),
}
"""``original``: the experiment that the project grew out of, all weights by Adam at 1e-7 over batches of one image per
class. ``lora``: Zanella and Ben Ayed 2024, 2405.18541. ``two-stage``: LayerNorms, then a head that starts from text,
Farina et al. 2025. ``last-blocks``: two blocks of the image tower, text vectors computed once."""
