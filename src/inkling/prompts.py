"""Class names to the texts that describe them, and texts to one vector a class.

Class text vectors are t_k = norm(mean over prompts of norm(E(prompt))): Radford et al. 2021, 2103.00020.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inkling.errors import InputError
from inkling.images.layout import is_utf8
from inkling.images.tables import read_csv
from inkling.labels import class_name, require_class_name
from inkling.types import FloatArray
from inkling.wording import excerpt, quoted

if TYPE_CHECKING:
    from yaml import Node

DEFAULT_TEMPLATE = "a photo of a {}."

SIMPLE_TEMPLATES = (
    "a photo of a {}.",
    "a photo of the {}.",
    "a photo of one {} up close.",
    "a photo of many {}.",
    "a painting of a {}.",
    "a {} on a clean background.",
    "a blurred photo of a {}.",
)

_CONDITIONS = (
    "good",
    "bad",
    "bright",
    "dark",
    "sharp",
    "blurry",
    "clean",
    "dirty",
    "small",
    "large",
    "strange",
    "nice",
)
_VIEWS = ("photo", "close-up", "cropped photo", "black and white photo", "low-resolution photo", "pixelated photo")
_MEDIA = (
    "painting",
    "drawing",
    "sketch",
    "rendering",
    "sculpture",
    "tattoo",
    "toy",
    "plush",
    "cartoon",
    "embroidery",
    "doodle",
    "origami",
)

IMAGENET_TEMPLATES = (
    *(f"a photo of {article} {condition} {{}}." for condition in _CONDITIONS for article in ("a", "the")),
    *(f"a {view} of {article} {{}}." for view in _VIEWS for article in ("a", "the")),
    *(f"a {medium} of {article} {{}}." for medium in _MEDIA for article in ("a", "the")),
    "a photo of many {}.",
    "a photo of my {}.",
    "a photo of one {}.",
    "a photo of a hidden {}.",
    "a {} in a video game.",
    "there is a {} in the picture.",
    "itap of a {}.",
    "a snapshot of the {} from behind.",
)

TEMPLATE_SETS: Mapping[str, tuple[str, ...]] = {
    "default": (DEFAULT_TEMPLATE,),
    "simple": SIMPLE_TEMPLATES,
    "imagenet": IMAGENET_TEMPLATES,
}
"""Sets by name: one prompt; a few that vary the view; and many, after the prompt ensemble for ImageNet of the paper."""

_YAML_NULL = "tag:yaml.org,2002:null"
_YAML_KEYS = frozenset({"prompts", "aliases", "disambiguation"})
_YAML_FORM = 'Such as: crane: {prompts: ["a photo of a {}."], disambiguation: a bird}. Within a list, {} needs quotes.'
_CSV_FORM = "Its first line must name the columns: class, and any of prompt, alias, disambiguation"


@dataclass(frozen=True)
class ClassPrompts:
    """The texts that describe a class.

    Attributes
    ----------
    name
        Name of the class.
    prompts
        Templates with ``{}`` in the name's place, or whole prompts; empty takes the templates of the run.
    aliases
        Other names that fill the templates as well, and count alike.
    disambiguation
        What tells the word's meaning: "a bird" makes "crane, a bird" of "crane".

    Examples
    --------
    >>> crane = ClassPrompts("crane", aliases=("whooping crane",), disambiguation="a bird")
    >>> FewShotClassifier("sketch", prompts=[crane]).prompts[0].name
    'crane'
    """

    name: str
    prompts: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    disambiguation: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", require_class_name(self.name))
        for field in ("prompts", "aliases"):
            if isinstance(getattr(self, field), str):
                raise InputError(f"The {field} of class '{self.name}' must be several texts.", remedy="Write (text,).")
            if not all(text.strip() for text in getattr(self, field)):
                raise InputError(
                    f"One of the {field} of class '{self.name}' is empty.", remedy="Write a text, or leave it out."
                )

    def texts(self, templates: Sequence[str]) -> tuple[str, ...]:
        """All texts of the class, none twice.

        Examples
        --------
        >>> ClassPrompts("crane", disambiguation="a bird").texts(["a photo of a {}."])
        ('a photo of a crane, a bird.',)
        """
        spoken = [" ".join(name.replace("_", " ").split()) for name in (self.name, *self.aliases)]
        if self.disambiguation:
            spoken = [f"{name}, {self.disambiguation}" for name in spoken]
        filled = [template.replace("{}", name) for template in self.prompts or templates for name in spoken]
        return tuple(dict.fromkeys(filled))


def resolve_templates(choice: str | Sequence[str] | None, *, only: str | None = None) -> tuple[str, ...]:
    """Templates by the name of a set, or as given.

    Parameters
    ----------
    choice
        ``default``, ``simple``, ``imagenet``, one template, or several. None: `only`, else the default.
    only
        The one prompt that an encoder with a closed vocabulary knows.

    Raises
    ------
    InputError
        If a template has no place for the name.
    """
    if choice is None:
        return (only or DEFAULT_TEMPLATE,)
    if isinstance(choice, str):
        if choice in TEMPLATE_SETS:
            return TEMPLATE_SETS[choice]
        choice = (choice,)
    if not choice:
        raise InputError("There are no templates.", remedy="Give one or several, or None for the default.")
    for template in choice:
        if "{}" not in template:
            near = get_close_matches(template, TEMPLATE_SETS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise InputError(
                f"'{excerpt(template)}' is neither a set of templates ({', '.join(TEMPLATE_SETS)}) nor a "
                f"template.{hint}",
                remedy="Write {} where the class name goes, such as 'a photo of a {}.'.",
            )
    return tuple(choice)


def read_prompts(path: str | Path) -> dict[str, ClassPrompts]:
    """Prompts by class, from a YAML or a CSV file.

    YAML: ``crane: {prompts: [...], aliases: [...], disambiguation: a bird}``; a text or a list alone means prompts.
    CSV: columns ``class`` and any of ``prompt``, ``alias``, ``disambiguation``, a class on as many rows as it needs.

    Raises
    ------
    InputError
        If the file is missing or has another form.
    """
    path = Path(path)
    reader = {".yaml": _read_yaml, ".yml": _read_yaml, ".csv": _read_csv, ".tsv": _read_csv}.get(path.suffix.lower())
    if not path.is_file():
        raise InputError(f"The file of prompts '{path}' does not exist.", remedy="Name a .yaml or .csv file.")
    if reader is None:
        raise InputError(
            f"Prompts are read from YAML or CSV; '{path}' is neither.", remedy="Name a .yaml or .csv file."
        )
    return {entry.name: entry for entry in reader(path)}


def _read_yaml(path: Path) -> list[ClassPrompts]:
    import yaml

    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise InputError(f"'{path}' must map class names to prompts.", remedy=_YAML_FORM)
        names = [_yaml_name(key, path) for key, _ in root.value]
        entries = [loader.construct_document(value) for _, value in root.value]
    except InputError:
        raise
    except Exception as error:  # values of tags and dates that do not parse raise almost anything, deep nesting too
        told = excerpt(error).replace(' in "<unicode string>",', "")
        raise InputError(f"'{path}' cannot be read as YAML: {told}.", remedy=_YAML_FORM) from error
    _require_once(names, path)
    return [_from_yaml(name, entry, path) for name, entry in zip(names, entries, strict=True)]


def _yaml_name(key: Node, path: Path) -> str:
    """The name as it is spelled: YAML would read ``012`` as ten, ``12:30`` as 750 and ``no`` as a truth value."""
    name = class_name(key.value) if isinstance(key.value, str) else None
    if name is None or key.tag == _YAML_NULL:
        raise InputError(f"'{path}' has a class without a name.", remedy="Put its name in quotes.")
    return name


def _require_once(names: Sequence[str], path: Path) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise InputError(
            f"'{path}' has the class '{excerpt(repeated[0])}' more than once.", remedy="Put its texts into one entry."
        )


def _from_yaml(name: str, entry: Any, path: Path) -> ClassPrompts:
    if not isinstance(entry, dict):
        return ClassPrompts(name, prompts=_texts(entry, f"entry of '{name}'", path))
    unknown = set(entry) - _YAML_KEYS
    if unknown:
        raise InputError(
            f"Class '{excerpt(name)}' in '{path}' has unknown keys: {', '.join(sorted(map(excerpt, unknown)))}.",
            remedy=f"The keys are {', '.join(sorted(_YAML_KEYS))}.",
        )
    disambiguations = _texts(entry.get("disambiguation"), f"disambiguation of '{name}'", path)
    return ClassPrompts(
        name,
        prompts=_texts(entry.get("prompts"), f"prompts of '{name}'", path),
        aliases=_texts(entry.get("aliases"), f"aliases of '{name}'", path),
        disambiguation=_only(disambiguations, name, path),
    )


def _texts(value: Any, what: str, path: Path) -> tuple[str, ...]:
    texts = [] if value is None else value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) and text.strip() and is_utf8(text) for text in texts):
        raise InputError(
            f"The {excerpt(what)} in '{path}' must be a text or a list of texts, got {quoted(value)}.",
            remedy=_YAML_FORM,
        )
    return tuple(text.strip() for text in texts)


def _read_csv(path: Path) -> list[ClassPrompts]:
    columns = read_csv(path, key="class", header=_CSV_FORM)
    names = [class_name(name) for name in columns["class"]]

    def texts(name: str, key: str) -> tuple[str, ...]:
        cells = zip(names, columns.get(key, [None] * len(names)), strict=True)
        return tuple(dict.fromkeys(cell for row_name, cell in cells if row_name == name and cell is not None))

    return [
        ClassPrompts(
            name, texts(name, "prompt"), texts(name, "alias"), _only(texts(name, "disambiguation"), name, path)
        )
        for name in dict.fromkeys(names)
        if name is not None
    ]


def _only(disambiguations: tuple[str, ...], name: str, path: Path) -> str | None:
    if len(disambiguations) > 1:
        raise InputError(
            f"Class '{excerpt(name)}' in '{path}' has {len(disambiguations)} disambiguations: "
            f"{excerpt(', '.join(disambiguations))}.",
            remedy="Keep one; other names go under aliases, other texts under prompts.",
        )
    return disambiguations[0] if disambiguations else None


def mean_text_vector(vectors: FloatArray) -> FloatArray:
    """Unit mean of unit vectors (n_prompts, d) of one class, (d,)."""
    mean = np.asarray(vectors, dtype=np.float64).mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))
