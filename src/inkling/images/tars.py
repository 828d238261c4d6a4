"""Tar shards as WebDataset has them: pictures, and beside them files that tell their classes. No picture is opened.

The files whose names agree up to the first dot of the base name are one sample (Aizman, Maltby, Breuel 2019, "High
Performance I/O For Large Scale Deep Learning").
"""

from __future__ import annotations

import json
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from inkling.errors import InputError
from inkling.images.layout import HIDDEN, IMAGE_SUFFIXES, NOT_UTF8, is_hidden, is_utf8, kind_to_ignore
from inkling.images.places import Place, StoreError, Url, unreachable
from inkling.images.shard import Shard, ShardPicture, plain_name
from inkling.labels import LONGEST_NAME
from inkling.types import Span
from inkling.wording import excerpt, quoted

LINK = "link in the tar"
DEVICE = "device, pipe or sparse file in the tar"
REPEATED_IN_TAR = "repeated name in the tar"
SECOND_PICTURE = "further picture of a sample"
NO_LABEL_READ = "label that cannot be read"
NO_CLASS_NAMED = "text of more than a name"

_CLS, _JSON, _TXT = "cls", "json", "txt"
_MOST_LABEL_BYTES = 1 << 20
_BLOCK = 512
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "Zstandard"}


@dataclass
class _Sample:
    """What one key holds: pictures by their names, and the texts of the files that tell its class."""

    pictures: dict[PurePosixPath, ShardPicture] = field(default_factory=dict)
    told: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))


def list_tar(place: Place) -> Shard:
    """Pictures of a tar shard, with where they lie in it, and with what stands beside them as a label.

    The class is ``"label"`` of a ``.json``, else what a ``.cls`` says, else the one line of a ``.txt``, unless there is
    a ``.json`` beside it: then it is a caption.

    Raises
    ------
    InputError
        If it cannot be reached, is no tar, packed, damaged or cut off, or gives one key two labels.
    """
    ignored: Counter[str] = Counter()
    samples: dict[str, _Sample] = defaultdict(_Sample)
    try:
        with _open(place) as tar:
            for info in _members(tar):
                _take(tar, info, samples, ignored)
    except (StoreError, FileNotFoundError, PermissionError) as error:
        raise unreachable(place, error) from error
    except Exception as error:  # a damaged header raises almost anything
        raise InputError(
            f"'{place}' cannot be read as a tar file: {excerpt(error)}.",
            remedy="It must be a plain .tar, not packed as a whole. Copy it again, or leave it out.",
        ) from error
    return Shard(tuple(_pictures(samples, place, ignored)), +ignored)


def _open(place: Place) -> tarfile.TarFile:
    with place.open("rb") as file:
        head = file.read(8)
    for mark, name in _PACKED.items():
        if head.startswith(mark):
            raise tarfile.ReadError(f"it is packed by {name}, and no picture can be read without all before it")
    return tarfile.open(fileobj=place.open("rb"), mode="r:") if isinstance(place, Url) else tarfile.open(place, "r:")


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """All members; a damaged header in the midst, at which the standard library would stop, is an error."""
    last = -1
    while (info := tar.next()) is not None:
        if info.size < 0 or info.offset_data <= last:  # headers that lead back would never end
            raise tarfile.ReadError("a header leads backwards")
        last = info.offset_data
        yield info
        tar.members = []  # type: ignore[attr-defined]  # documented so: it would hold all headers until the end
    file = tar.fileobj
    assert file is not None
    file.seek(tar.offset)
    if any(file.read(_BLOCK)):
        raise tarfile.ReadError(f"the header at byte {tar.offset} is damaged")


def _take(tar: tarfile.TarFile, info: tarfile.TarInfo, samples: dict[str, _Sample], ignored: Counter[str]) -> None:
    if info.isdir():
        return
    if info.issym() or info.islnk():
        ignored[LINK] += 1
        return
    if not info.isreg() or info.issparse():
        ignored[DEVICE] += 1
        return
    name = plain_name(info.name)
    if any(map(is_hidden, name.parts)):
        ignored[HIDDEN] += 1
        return
    if not is_utf8(str(name)):
        ignored[NOT_UTF8] += 1
        return
    base, _, ending = name.name.partition(".")
    key, ending = str(name.parent / base), ending.lower()
    if name.suffix.lower() in IMAGE_SUFFIXES:
        pictures = samples[key].pictures
        ignored[REPEATED_IN_TAR] += name in pictures  # of one name the last is the one that counts
        pictures[name] = ShardPicture(str(name), name, span=Span(info.offset_data, info.size))
    elif ending in (_CLS, _JSON, _TXT) and info.size <= _MOST_LABEL_BYTES:
        content = tar.extractfile(info)
        samples[key].told[ending].append(b"" if content is None else content.read())
    else:
        ignored[kind_to_ignore(name.name) or "other"] += 1


def _pictures(samples: Mapping[str, _Sample], place: Place, ignored: Counter[str]) -> Iterator[ShardPicture]:
    for key, sample in samples.items():
        if not sample.pictures:
            ignored.update({f".{ending}": len(contents) for ending, contents in sample.told.items()})
            continue
        label = _label(sample, f"'{place}' gives {quoted(key)}", ignored)
        # 'a.jpg' is the picture of a sample that has 'a.mask.png', too.
        plain = [one for one in sample.pictures.values() if one.name.name.count(".") == 1]
        ignored[SECOND_PICTURE] += len(sample.pictures) - len(plain) if plain else 0
        for one in plain or sample.pictures.values():
            yield ShardPicture(one.member, one.name, label, one.span)


def _label(sample: _Sample, whose: str, ignored: Counter[str]) -> Any:
    """The label of a sample; None where it has none.

    Raises
    ------
    InputError
        If two of its files differ. A number beside a name is the place of the class in a list.
    """
    readers = {_JSON: _of_json, _CLS: _of_cls}
    found: list[Any] = []
    for ending, read in readers.items():
        for content in sample.told[ending]:
            try:
                found.append(read(content))
            except (ValueError, RecursionError):
                ignored[NO_LABEL_READ] += 1
    found = [one for one in found if one is not None]
    for kind in (int, str):
        some = {one for one in found if isinstance(one, kind)}
        if len(some) > 1:
            first, second = sorted(map(str, some))[:2]
            raise InputError(
                f"{whose} two labels: {quoted(first)} and {quoted(second)}.", remedy="Keep one label for each key."
            )
    if found or sample.told[_JSON]:
        return next((one for one in found if isinstance(one, str)), found[0] if found else None)
    return _of_texts(sample.told[_TXT], whose, ignored)


def _of_texts(contents: list[bytes], whose: str, ignored: Counter[str]) -> str | None:
    texts = {content.decode("utf-8", "replace").strip() for content in contents}
    lines = sorted(text for text in texts if len(text) <= LONGEST_NAME and len(text.splitlines()) == 1)
    ignored[NO_CLASS_NAMED] += sum(map(bool, texts)) - len(lines)
    if len(lines) > 1:
        raise InputError(
            f"{whose} two labels: {quoted(lines[0])} and {quoted(lines[1])}.", remedy="Keep one label for each key."
        )
    return lines[0] if lines else None


def _of_cls(content: bytes) -> int | str | None:
    text = content.decode().strip()
    try:
        return int(text)
    except ValueError:
        return text or None


def _of_json(content: bytes) -> int | str | None:
    document = json.loads(content)
    label = document.get("label") if isinstance(document, dict) else None
    if label is None or isinstance(label, int | str):
        return label
    raise ValueError
