"""What a page may tell of where it was made: it travels, so folders of this machine and passwords stay behind."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from inkling.provenance import current_command, inkling_version, now, package_versions
from inkling.redaction import redacted
from inkling.types import EncoderIdentity

PROGRAM = "inkling"
_SPLITS = frozenset({"train", "training", "test", "testing", "val", "valid", "validation", "dev"})
_ROOTED = re.compile(r"(?<![\w./\\:~-])(?:~|[A-Za-z]:(?=[\\/]))?[\\/](?:[^\s/\\'\"]+[\\/])+[^\s/\\'\",;]*")
"""A path from the root or the home folder, with one folder in it at least."""


def shown_name(name: str) -> str:
    """A file or folder as a title names it: by its own name; a part such as ``test`` together with its folder."""
    plain = redacted(name).partition("?")[0] if "://" in name else name
    path = _path(plain)
    if not path.name:
        return plain
    kept = path.parts[-2:] if path.name.lower() in _SPLITS and len(path.parts) > 1 else path.parts[-1:]
    return "/".join(part for part in kept if part != path.anchor and part not in ("..", "~"))


def is_rooted(name: str) -> bool:
    """Whether a name tells folders of this machine: a path from the root, from the home folder or upwards, or a URL."""
    return _path(name).is_absolute() or name.startswith("~") or ".." in _path(name).parts or "://" in name


def shown_paths(paths: Sequence[str]) -> tuple[str, ...]:
    """Paths as given; those from the root without the folders that all of them share."""
    shared = shared_folder(paths)
    return tuple(_within(path, shared) if _path(path).is_absolute() else path for path in paths)


def shared_folder(paths: Sequence[str]) -> str | None:
    """The folder that all paths from the root are in; None where there is none below the root."""
    rooted = [path for path in paths if _path(path).is_absolute()]
    shared = _shared([str(_path(path).parent) for path in rooted]) if rooted else None
    return shared if shared is not None and _path(shared).name else None


def shown_text(text: str, *, folder: str | None = None) -> str:
    """A text in which paths from the root are cut to their last name, and passwords are left out.

    Parameters
    ----------
    folder
        One whose name is cut off even where it holds spaces, as that of the working folder and the home folder are.
    """
    home = os.path.expanduser("~")  # noqa: PTH111 - unlike Path.home, it gives something where there is none
    for known in filter(None, (folder, str(Path.cwd()), home)):
        if len(known) > 1:
            text = text.replace(f"{known}/", "")
    return _ROOTED.sub(lambda found: shown_name(found[0].rstrip("\\/")), redacted(text))


def shown_command() -> str:
    """The command of this run, as somebody else could give it."""
    command = current_command()
    try:
        _, *words = shlex.split(command)
    except ValueError:
        return shown_text(command)
    return shlex.join([PROGRAM, *map(_shown_word, words)])


def _shown_word(word: str) -> str:
    """A word of a command, which is a path as a whole, an option with one, or neither."""
    option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return f"{option}{equals}{shown_name(value) if is_rooted(value) else shown_text(value)}"


def page_provenance(encoder: EncoderIdentity | None = None, **more: object) -> dict[str, str]:
    """What stands at the foot of a page, in order: encoder, what the page adds by name, command, date and versions."""
    own = {} if encoder is None else {"Encoder": encoder.name, "Encoder fingerprint": encoder.fingerprint}
    added = {name.replace("_", " ").capitalize(): value for name, value in more.items() if value is not None}
    packages = ", ".join(f"{name} {number}" for name, number in package_versions().items())
    made = {"Command": shown_command(), "Date": now(), "Inkling": inkling_version(), "Packages": packages}
    return without_places({**own, **added, **made})


def without_places(provenance: Mapping[str, object]) -> dict[str, str]:
    """The same as text that may travel."""
    return {name: shown_text(str(value)) for name, value in provenance.items()}


def _path(text: str) -> PurePath:
    windows = PureWindowsPath(text)
    return windows if windows.drive else PurePosixPath(text)


def _shared(folders: Sequence[str]) -> str | None:
    try:
        return os.path.commonpath(folders)
    except ValueError:
        return None


def _within(path: str, shared: str | None) -> str:
    """Below the shared folder; where there is none but the root, the file's name and its folder."""
    own = _path(path)
    if shared is None:
        return "/".join(own.parts[-2:]) if len(own.parts) > 2 else own.name
    return own.relative_to(shared).as_posix()
