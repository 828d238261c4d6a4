"""Names that a new class may have: common nouns with their synonyms and hypernyms, from WordNet or from a list."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

from inkling.errors import InputError

NO_PARENT = -1


@dataclass(frozen=True)
class Vocabulary:
    """Meanings of words, each below a wider one.

    Attributes
    ----------
    names
        Name of each meaning.
    synonyms
        Its other words.
    parents
        Index of its hypernym, the next wider meaning; `NO_PARENT` at the top.
    is_name
        Whether it may be given as a name; the others stand above such as may.
    """

    names: tuple[str, ...]
    synonyms: tuple[tuple[str, ...], ...]
    parents: tuple[int, ...]
    is_name: tuple[bool, ...]

    @classmethod
    def of_names(cls, lines: Iterable[str]) -> Vocabulary:
        """Names from a list, one a line; empty lines do not count. Names among WordNet's nouns keep their relations.

        Raises
        ------
        InputError
            If there is no name.
        """
        wanted = dict.fromkeys(line.strip() for line in lines if line.strip())
        if not wanted:
            raise InputError("The vocabulary is empty.", remedy="Give a file with one name a line.")
        nouns = common_nouns()
        given = {nouns.meanings(name)[0]: name for name in reversed(wanted) if nouns.meanings(name)}
        unlisted = [name for name in wanted if not nouns.meanings(name)]
        rest, count = len(unlisted), len(nouns.names)
        synonyms = tuple(_others(nouns, at, given[at]) if at in given else nouns.synonyms[at] for at in range(count))
        return cls(
            (*(given.get(at, nouns.names[at]) for at in range(count)), *unlisted),
            (*synonyms, *([()] * rest)),
            (*nouns.parents, *([NO_PARENT] * rest)),
            (*(at in given for at in range(count)), *([True] * rest)),
        )

    def candidates(self) -> tuple[str, ...]:
        """Names that may be given, in order."""
        return tuple(name for name, is_name in zip(self.names, self.is_name, strict=True) if is_name)

    def meanings(self, word: str) -> tuple[int, ...]:
        """Indices of what a word can mean, best first; underscores count as spaces, and a plural as its singular."""
        key = _key(word)
        return self._meanings.get(key) or self._meanings.get(_singular(key), ())

    def ancestors(self, index: int) -> Iterator[int]:
        """Wider and wider meanings above one."""
        while (index := self.parents[index]) != NO_PARENT:
            yield index

    def related(self, words: Iterable[str]) -> frozenset[int]:
        """Meanings of the words, all wider ones and all narrower ones."""
        own = {at for word in words for at in self.meanings(word)}
        wider = {above for at in own for above in self.ancestors(at)}
        narrower = {at for at in range(len(self.names)) if not own.isdisjoint(self.ancestors(at))}
        return frozenset(own | wider | narrower)

    @cached_property
    def _meanings(self) -> dict[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {}
        # What a meaning is called comes before what it may be called too, and names before what only stands above.
        for words in (self._names_of(True), self._synonyms_of(True), self._names_of(False), self._synonyms_of(False)):
            for word, at in words:
                known = found.get(_key(word), ())
                found[_key(word)] = known if at in known else (*known, at)
        return found

    def _names_of(self, is_name: bool) -> Iterator[tuple[str, int]]:
        return ((name, at) for at, name in enumerate(self.names) if self.is_name[at] == is_name)

    def _synonyms_of(self, is_name: bool) -> Iterator[tuple[str, int]]:
        return ((word, at) for at, words in enumerate(self.synonyms) for word in words if self.is_name[at] == is_name)


@cache
def common_nouns() -> Vocabulary:
    """The embedded vocabulary: some thousand nouns for visible things. WordNet 3.0, see NOUNS-LICENSE.txt."""
    data = files("inkling.discovery").joinpath("nouns.tsv.gz").read_bytes()
    rows = [line.split("\t") for line in gzip.decompress(data).decode("utf-8").splitlines()]
    return Vocabulary(
        tuple(row[0] for row in rows),
        tuple(tuple(row[1].split("|")) if row[1] else () for row in rows),
        tuple(int(row[2]) if row[2] else NO_PARENT for row in rows),
        tuple(bool(row[3]) for row in rows),
    )


def unrelated_names(known_names: Sequence[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    """Names that no image of a known class deserves: not a known name, its synonym, nor anything wider or narrower."""
    related = vocabulary.related(known_names)
    unrelated = (at for at in range(len(vocabulary.names)) if vocabulary.is_name[at] and at not in related)
    return tuple(vocabulary.names[at] for at in unrelated)


def _others(vocabulary: Vocabulary, at: int, name: str) -> tuple[str, ...]:
    """Words of a meaning but for the one that names it."""
    return tuple(it for it in (vocabulary.names[at], *vocabulary.synonyms[at]) if _key(it) != _key(name))


def _key(word: str) -> str:
    return " ".join(word.replace("_", " ").lower().split())


def _singular(word: str) -> str:
    for ending, instead in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("sses", "ss"), ("xes", "x"), ("s", "")):
        if word.endswith(ending) and not word.endswith("ss"):
            return word.removesuffix(ending) + instead
    return word
