"""Write the vocabulary of common nouns from WordNet 3.0, filtered by a list of common English words.

Kept are visible things: animals, artefacts, body parts, food, natural objects, plants. A noun counts as common
if it is in the list of words; of compounds such as "fire engine", those that WordNet met in texts. Hypernyms are kept
above what is kept, whether common or not.

On Debian the sources are in the packages `wordnet-base` and `wamerican`:

    python tools/build_vocabulary.py /usr/share/wordnet /usr/share/dict/american-english
"""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src" / "inkling" / "discovery" / "nouns.tsv.gz"
VISIBLE = {"05", "06", "08", "13", "17", "20"}
"""Lexicographer files of WordNet: animal, artifact, body, food, object, plant. Persons are mostly roles that no picture
shows, such as heirs."""
SENSES = 2
"""A word is taken for its first visible sense, if that is among so many: "baseball" is a game first, then a ball."""


@dataclass(frozen=True)
class Synset:
    """One meaning: its words, best first, its lexicographer file and its hypernyms."""

    file: str
    words: tuple[str, ...]
    hypernyms: tuple[str, ...]


def main() -> None:
    """Read, choose, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wordnet", type=Path, help="folder with data.noun and index.noun")
    parser.add_argument("words", type=Path, help="common words, one a line")
    arguments = parser.parse_args()
    synsets = dict(_synsets(arguments.wordnet / "data.noun"))
    common = {word for word in arguments.words.read_text(encoding="utf-8").split() if word.islower() and word.isalpha()}
    names = dict(_chosen(arguments.wordnet / "index.noun", synsets, common))
    lines = list(_lines(synsets, names))
    text = "".join(f"{line}\n" for line in lines)
    # Without a time stamp the same sources give the same bytes.
    TARGET.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{len(names)} names, {len(lines) - len(names)} hypernyms above them, {TARGET.stat().st_size} bytes")


def _synsets(path: Path) -> Iterator[tuple[str, Synset]]:
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith("  "):
            continue
        fields = line.partition(" | ")[0].split()
        n_words = int(fields[3], 16)
        words = tuple(word.replace("_", " ") for word in fields[4 : 4 + 2 * n_words : 2])
        pointers = fields[5 + 2 * n_words :]
        hypernyms = tuple(pointers[at + 1] for at in range(0, len(pointers), 4) if pointers[at] == "@")
        yield fields[0], Synset(fields[1], words, hypernyms)


def _chosen(path: Path, synsets: dict[str, Synset], common: set[str]) -> Iterator[tuple[str, str]]:
    """Senses to keep, each with its name: the first of its words that stands for this sense before any other."""
    sense_of = dict(_visible_senses(path, synsets, common))
    for sense in sorted(set(sense_of.values())):
        yield sense, next(word for word in synsets[sense].words if sense_of.get(word) == sense)


def _visible_senses(path: Path, synsets: dict[str, Synset], common: set[str]) -> Iterator[tuple[str, str]]:
    """Common words, and the sense of each."""
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith("  "):
            continue
        fields = line.split()
        word, n_senses = fields[0].replace("_", " "), int(fields[2])
        tagged, senses = int(fields[-n_senses - 1]), fields[-n_senses:][:SENSES]
        sense = next((it for it in senses if synsets[it].file in VISIBLE), None)
        if sense is not None and word in synsets[sense].words and _is_common(word, tagged, common):
            yield word, sense


def _is_common(word: str, tagged: int, common: set[str]) -> bool:
    parts = word.split()
    return common.issuperset(parts) and (len(parts) == 1 or tagged > 0)


def _lines(synsets: dict[str, Synset], names: dict[str, str]) -> Iterator[str]:
    """Name, other words, line of the parent, and whether it is a name to give or a hypernym alone."""
    order = sorted(names) + sorted(_above(synsets, names))
    line_of = {offset: number for number, offset in enumerate(order)}
    for offset in order:
        synset = synsets[offset]
        name = names.get(offset, synset.words[0])
        others = "|".join(word for word in synset.words if word != name)
        parent = str(line_of[synset.hypernyms[0]]) if synset.hypernyms else ""
        yield "\t".join((name, others, parent, "1" if offset in names else ""))


def _above(synsets: dict[str, Synset], names: dict[str, str]) -> set[str]:
    """Hypernyms of what is kept that are not kept themselves."""
    above: set[str] = set()
    for offset in names:
        while synsets[offset].hypernyms:
            offset = synsets[offset].hypernyms[0]
            if offset not in names:
                above.add(offset)
    return above


if __name__ == "__main__":
    main()
