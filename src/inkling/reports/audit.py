"""The page of an audit: findings to look at and decide about, and corrections to save. Bounded in pictures and size."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inkling.auditing.audit import Audit
from inkling.auditing.findings import KINDS, Finding
from inkling.auditing.fix_list import shown_score, suggested
from inkling.embeddings.samples import Samples
from inkling.errors import UnreadableImageError
from inkling.filing.fix_list import COLUMNS
from inkling.images.boxes import record_of_path
from inkling.images.decode import read, thumbnail
from inkling.images.files import Files
from inkling.outputs import appearing_whole
from inkling.provenance import data_hash
from inkling.reports.formats import count
from inkling.reports.mistakes import LARGEST_THUMBNAIL
from inkling.reports.pages import page_of, template_text
from inkling.reports.portable import page_provenance, shared_folder, shown_name, shown_paths, shown_text

MOST_FINDINGS = 5_000
MOST_PICTURES = 2_000
MOST_LARGE = 240
LARGE_SIDE = 360
"""Pixels of the longer side of a picture that is read again for the page; the others are thumbnails."""
_LARGEST = 80_000
"""Bytes of such a picture."""


@dataclass(frozen=True)
class _Page:
    """What the template reads."""

    name: str
    headline: str
    notes: tuple[str, ...]
    of_classes: tuple[Finding, ...]
    n_shown: int
    command: str
    outcome: str
    provenance: Mapping[str, str]


@dataclass(frozen=True)
class _Seen:
    """An image that findings name: as the page calls it, and whence its picture is.

    Attributes
    ----------
    tested
        Whether it is one of the images that the others are compared with.
    """

    path: str
    shown: str
    label: str | None
    tested: bool
    thumbnail: bytes | None
    content_hash: str | None


def write_audit_report(path: str | Path, found: Audit, *, name: str, memory: bool = False) -> None:
    """Write the page; it appears whole.

    Parameters
    ----------
    name
        What was audited, for the title.
    memory
        Whether that is a memory.

    Raises
    ------
    InputError
        If the file can't be written.
    """
    page = render_audit_report(found, name=name, memory=memory)
    with appearing_whole(path) as draft:
        draft.write_bytes(page.encode("utf-8", "replace"))


def render_audit_report(found: Audit, *, name: str, memory: bool = False) -> str:
    """The page as HTML; parameters as for `write_audit_report`."""
    about_images = [one for one in found.findings if one.files]
    shown = _surest(about_images, MOST_FINDINGS)
    images = _images(found)
    pictures = _pictures(shown, images)
    told = shown_name(name)
    content = _Page(
        name=told,
        headline=_headline(found),
        notes=_notes(found, len(about_images) - len(shown), len(_with_pictures(shown, images)) - len(pictures)),
        of_classes=tuple(one for one in found.findings if not one.files),
        n_shown=len(shown),
        command=_command(told, memory=memory),
        outcome=_OUTCOME[memory],
        provenance=page_provenance(found.subject.samples.identity, seed=found.subject.seed),
    )
    script = template_text("audit.js")
    return page_of(
        "audit.html.j2",
        content,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data=_embedded(_data(found, shown, images, pictures)),
    )


_OUTCOME = {
    False: "The corrected copy is a new folder; nothing is moved or deleted.",
    True: "'inkling undo' takes all of them back.",
}


def _command(name: str, *, memory: bool) -> str:
    words = ["inkling", "audit", "--apply", "fixes.csv", name]
    return shlex.join(words if memory else [*words, "--output", "corrected"])


def _headline(found: Audit) -> str:
    samples, n = found.subject.samples, len(found.findings)
    where = f"{count(samples.n_images, 'image')} of {count(len(found.subject.classes), 'class', 'classes')}"
    told = f"{count(n, 'finding')} in {where}." if n else f"Nothing in {where} is worth a look."
    wrong = found.counts.get("mislabelled")
    if wrong is None or found.expected_wrong is None:
        return told
    return f"{told} Of {count(wrong, 'label')} said to be wrong, about {found.expected_wrong:.0f} are expected to be."


def _notes(found: Audit, n_left_out: int, n_unseen: int) -> tuple[str, ...]:
    none_found = [kind.replace("_", " ") for kind in found.looked_for if kind not in found.counts]
    notes = [f"Looked for, and not found: {', '.join(none_found)}."] if none_found else []
    notes += [f"Not checked: {name}; {reason}." for name, reason in found.not_checked.items()]
    if n_left_out:
        notes.append(
            f"{count(n_left_out, 'finding')} more are left out of this page, the least sure of each kind; the list of "
            "--fix-list has all."
        )
    if n_unseen:
        told = count(n_unseen, "image stands", "images stand")
        notes.append(f"{told} here without a picture, of the least sure findings: {MOST_PICTURES:,} at most have one.")
    return tuple(notes)


def _by_rank(findings: Sequence[Finding]) -> list[int]:
    """Places of findings: the surest of each kind, then those after them, and so on."""
    rank: Counter[str] = Counter()
    ranked = []
    for place, one in enumerate(findings):
        ranked.append((rank[one.kind], place))
        rank[one.kind] += 1
    return [place for _, place in sorted(ranked)]


def _surest(findings: Sequence[Finding], most: int) -> list[Finding]:
    """So many findings, the surest of each kind, in their order."""
    return [findings[place] for place in sorted(_by_rank(findings)[:most])]


def _named(findings: Sequence[Finding]) -> list[str]:
    """Paths of the images of findings, those of the surest of each kind first."""
    return list(dict.fromkeys(path for place in _by_rank(findings) for path in findings[place].files))


def _images(found: Audit) -> dict[str, _Seen]:
    """All images by their path. Paths lose the folders of this machine, as far as all share them."""
    subject = found.subject
    skipped = [one.path for one in found.skipped if one.path not in set(subject.samples.paths)]
    every = [*subject.samples.paths, *skipped]
    paths = dict(zip(every, shown_paths(every), strict=True))
    tested = subject.against
    images = (
        {}
        if tested is None
        else _seen(tested, dict(zip(tested.paths, shown_paths(tested.paths), strict=True)), tested=True)
    )
    images |= {path: _Seen(path, paths[path], None, False, None, None) for path in skipped}
    return images | _seen(subject.samples, paths, tested=False)


def _seen(samples: Samples, paths: Mapping[str, str], *, tested: bool) -> dict[str, _Seen]:
    rows = zip(samples.paths, samples.labels, samples.thumbnails, samples.content_hashes, strict=True)
    return {path: _Seen(path, paths[path], label, tested, jpeg, key) for path, label, jpeg, key in rows}


def _pictures(findings: Sequence[Finding], images: Mapping[str, _Seen]) -> dict[str, bytes]:
    """JPEG of each image, those of the surest findings read again at a larger size where their files are there."""
    pictures: dict[str, bytes] = {}
    with Files() as files:
        for place, path in enumerate(_with_pictures(findings, images)[:MOST_PICTURES]):
            small = images[path].thumbnail
            assert small is not None
            pictures[path] = (_large(images[path], files) if place < MOST_LARGE else None) or small
    return pictures


def _with_pictures(findings: Sequence[Finding], images: Mapping[str, _Seen]) -> list[str]:
    """Paths of the images that have a thumbnail of a fitting size."""
    small = {path: images[path].thumbnail for path in _named(findings) if path in images}
    return [path for path, jpeg in small.items() if jpeg is not None and len(jpeg) <= LARGEST_THUMBNAIL]


def _large(image: _Seen, files: Files) -> bytes | None:
    """The picture anew, if it is the one that was audited and doesn't swell the page."""
    try:
        content = read(record_of_path(image.path), files)
        if content.content_hash != image.content_hash:
            return None
        jpeg = thumbnail(content.decode(files, shorter_side=LARGE_SIDE), side=LARGE_SIDE)
    except UnreadableImageError:
        return None
    return jpeg if len(jpeg) <= _LARGEST else None


def _data(
    found: Audit, findings: Sequence[Finding], images: Mapping[str, _Seen], pictures: Mapping[str, bytes]
) -> dict[str, Any]:
    """What the script reads."""
    named = [path for path in dict.fromkeys(path for one in findings for path in one.files) if path in images]
    number = {path: at for at, path in enumerate(named)}
    order = {path: at for at, path in enumerate(path for path in named if path in pictures)}
    samples = found.subject.samples
    labels = [str(label) for label in samples.labels]
    folder = shared_folder(samples.paths)
    return {
        "key": f"inkling-audit-{data_hash(samples.content_hashes, labels)}",
        "columns": COLUMNS,
        "kinds": {kind: meaning for kind, meaning in KINDS.items() if kind in {one.kind for one in findings}},
        "classes": found.subject.classes,
        "images": [
            {"path": one.shown, "label": one.label, "tested": one.tested, "picture": order.get(one.path)}
            for one in map(images.__getitem__, named)
        ],
        "pictures": [base64.b64encode(pictures[path]).decode() for path in order],
        "findings": [_finding(one, number, images, folder=folder) for one in findings],
    }


def _finding(
    one: Finding, number: Mapping[str, int], images: Mapping[str, _Seen], *, folder: str | None
) -> dict[str, Any]:
    rules = suggested(one)
    one = replace(one, evidence=shown_text(one.evidence, folder=folder)) if one.kind == "unreadable" else one
    places = [at for at, path in enumerate(one.files) if path in number]
    files = [one.files[at] for at in places]
    return {
        "kind": one.kind,
        "evidence": one.evidence,
        "score": shown_score(one),
        "suggestion": one.suggestion,
        "classes": one.classes,
        "relabel": one.relabel,
        "files": [number[path] for path in files],
        "rules": [rules.get(path) for path in files],
        "told": [one.evidence_at(at, name=lambda path: _called(images.get(path), path)) for at in places],
    }


def _called(image: _Seen | None, path: str) -> str:
    """An image as a sentence names it."""
    return shown_text(path) if image is None else image.shown


def _embedded(data: Mapping[str, Any]) -> str:
    """JSON that ends no script and holds no letter that turns the order of others."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
