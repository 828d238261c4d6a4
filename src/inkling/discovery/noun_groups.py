"""Groups of classes by what their names mean: the hypernyms that several of them share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from inkling.discovery.naming import MIN_DEPTH
from inkling.discovery.vocabulary import Vocabulary, common_nouns
from inkling.errors import InputError
from inkling.heads.hierarchy import Hierarchy


def noun_groups(classes: Sequence[str], vocabulary: Vocabulary | None = None) -> Hierarchy:
    """Which hypernyms the names of classes share, each the narrowest of those that hold the same classes.

    A hypernym near the top, such as "artifact", is no group: it says nothing. A name is taken in its first meaning,
    one of several words that is no noun by its last: "moon orchid" is an orchid.

    Raises
    ------
    InputError
        If no two classes share one.

    Examples
    --------
    >>> noun_groups(["bus", "car", "cat", "dog"]).above("bus")
    ('transport',)
    """
    nouns = common_nouns() if vocabulary is None else vocabulary
    ways = {name: _told(nouns, at) for name in classes if (at := _meaning(nouns, name)) is not None}
    held: dict[int, frozenset[str]] = {}
    for group in {group for way in ways.values() for group in way}:
        held[group] = frozenset(name for name, way in ways.items() if group in way)
    pairs = []
    names = _different_names(nouns, held, classes)
    for name, way in ways.items():
        narrowest = [at for step, at in enumerate(way) if _tells_more(held, way, step)]
        chain = [name, *(names[at] for at in narrowest if names[at] != name)]
        pairs += list(pairwise(chain))
    if not pairs:
        raise InputError(
            "The names of the classes share no wider meaning among common nouns.",
            remedy="Give groups of your own: --parents FILE.csv, in Python parents, with columns 'child' and 'parent'.",
        )
    return Hierarchy.of(pairs)


def _meaning(nouns: Vocabulary, name: str) -> int | None:
    """What a name means: as a whole, else by the first of its words between commas, else by its last word."""
    plain = name.replace("_", " ").strip()
    for words in (plain, *(part.strip() for part in plain.split(",")), plain.split(",")[0].rpartition(" ")[2]):
        if words and nouns.meanings(words):
            return nouns.meanings(words)[0]
    return None


def _told(nouns: Vocabulary, at: int) -> tuple[int, ...]:
    """A meaning and the wider ones that say something, narrowest first."""
    way = (at, *nouns.ancestors(at))
    depths = range(len(way) - 1, -1, -1)
    return tuple(one for one, depth in zip(way, depths, strict=True) if depth >= MIN_DEPTH)


def _tells_more(held: dict[int, frozenset[str]], way: Sequence[int], step: int) -> bool:
    """Whether a meaning holds several classes, and more than the narrower one before it."""
    of_this = held[way[step]]
    return len(of_this) > 1 and (step == 0 or len(of_this) > len(held[way[step - 1]]))


def _different_names(nouns: Vocabulary, groups: Iterable[int], classes: Sequence[str]) -> dict[int, str]:
    """A name of its own for each group: that of the class that means it, else a word that nothing else is called."""
    means = [(nouns.meanings(name)[:1], name) for name in classes]
    taken = set(classes)
    given: dict[int, str] = {}
    for at in sorted(groups):
        own = [name for meanings, name in means if meanings == (at,)]
        free = (word for word in (nouns.names[at], *nouns.synonyms[at]) if word not in taken)
        given[at] = own[0] if len(own) == 1 else next(free, f"{nouns.names[at]} {at}")
        taken.add(given[at])
    return given
