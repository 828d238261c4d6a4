"""Ways to put a class into texts: other templates, its wider meaning, synonyms, plural, capital letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from inkling.discovery.vocabulary import Vocabulary
from inkling.prompts import ClassPrompts

MOST_MEANINGS = 3
"""Of a word, best first."""
MOST_PARENTS = 2
"""Wider meanings above each."""
MOST_SYNONYMS = 4


@dataclass(frozen=True)
class Wording:
    """One way to describe a class.

    Attributes
    ----------
    prompts
        As a file of prompts holds it.
    what
        What is done to the name, in a few words.
    """

    prompts: ClassPrompts
    what: str


def wordings(given: ClassPrompts, vocabulary: Vocabulary, *, templates: Sequence[str]) -> tuple[Wording, ...]:
    """Ways to describe a class, the given one first; none twice.

    Parameters
    ----------
    given
        As it is described now.
    vocabulary
        Knows wider meanings and synonyms.
    templates
        Those that hold where a class has no prompts of its own.
    """
    found: dict[tuple[str, ...], Wording] = {}
    for one in (Wording(given, "as given"), *_others(given, vocabulary, templates)):
        found.setdefault(one.prompts.texts(templates), one)
    return tuple(found.values())


def _others(given: ClassPrompts, vocabulary: Vocabulary, templates: Sequence[str]) -> Iterator[Wording]:
    if given.aliases:
        yield Wording(replace(given, aliases=()), "without its aliases")
    if given.disambiguation:
        yield Wording(replace(given, disambiguation=None), "without its disambiguation")
    meanings = vocabulary.meanings(given.name)[:MOST_MEANINGS]
    for meaning in meanings:
        for parent in list(vocabulary.ancestors(meaning))[:MOST_PARENTS]:
            wider = with_article(vocabulary.names[parent])
            yield Wording(replace(given, disambiguation=wider), f"with its wider meaning, '{wider}'")
    synonyms = _synonyms(given, vocabulary, meanings)
    for word in synonyms:
        yield Wording(replace(given, aliases=(*given.aliases, word)), f"with the alias '{word}'")
    if len(synonyms) > 1:
        yield Wording(replace(given, aliases=(*given.aliases, *synonyms)), "with its synonyms")
    if not given.prompts:
        name = " ".join(given.name.replace("_", " ").split())
        for spoken, what in ((plural(name), "in the plural"), (name.title(), "with capital letters")):
            yield Wording(replace(given, prompts=tuple(_filled(one, spoken) for one in templates)), what)


def _synonyms(given: ClassPrompts, vocabulary: Vocabulary, meanings: Sequence[int]) -> tuple[str, ...]:
    words = (word for at in meanings for word in (vocabulary.names[at], *vocabulary.synonyms[at]))
    known = {given.name.replace("_", " ").lower(), *(alias.lower() for alias in given.aliases)}
    return tuple(dict.fromkeys(word for word in words if word.lower() not in known))[:MOST_SYNONYMS]


def with_article(noun: str) -> str:
    """ "a bird", "an animal".

    Examples
    --------
    >>> with_article("animal")
    'an animal'
    """
    return f"{'an' if noun[:1].lower() in tuple('aeiou') else 'a'} {noun}"


def plural(noun: str) -> str:
    """The usual plural of an English noun.

    Examples
    --------
    >>> plural("bus"), plural("berry"), plural("car")
    ('buses', 'berries', 'cars')
    """
    if noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "z", "ch", "sh")) else "s")


def _filled(template: str, name: str) -> str:
    """The template with a plural or a proper name in it, whose article would be wrong."""
    for article in ("a {}", "an {}", "the {}", "one {}"):
        template = template.replace(article, "{}")
    return template.replace("{}", name)
