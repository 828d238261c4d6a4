"""Names and folders to encoders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

from inkling.encoders import hub, plugins
from inkling.encoders.base import Encoder
from inkling.encoders.cards import HUB_CARDS, EncoderCard
from inkling.encoders.cut import cut, without_cut
from inkling.encoders.devices import check_device
from inkling.encoders.joined import PLUS, JoinedEncoder, split_source
from inkling.encoders.kinds import EMBEDDED, FOLDERS
from inkling.encoders.precision import AUTO, possible_names
from inkling.errors import EncoderError, InklingError
from inkling.types import EncoderIdentity


def load_encoder(
    source: str | Path, *, device: str = "auto", precision: str = AUTO, dimensions: int | None = None
) -> Encoder:
    """Open an encoder. Weights are loaded when the first image or text is encoded.

    Parameters
    ----------
    source
        ``sketch``, a folder with an `encoder.json` (ONNX), a repository of ONNX files, a folder with a `config.json`
        (`transformers`), the name of an encoder that another package registers, or that of a model on the hub, such
        as ``openai/clip-vit-base-patch32``. A folder wins over a hub name. Several joined by ``+`` are one encoder: the
        first gives embedding and texts, all give features. ``name@256`` cuts embeddings as `dimensions` does.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    precision
        One of `inkling.encoders.precision.ALL_PRECISIONS`.
    dimensions
        How many dimensions of the embedding are kept, for models trained so that the first stand for all
        (Matryoshka). Of joined encoders, the first is cut. None keeps them all.

    Raises
    ------
    EncoderError
        If there is no such encoder, or it is incomplete.
    InputError
        If there is no such device.

    Examples
    --------
    >>> encoder = load_encoder("sketch")
    >>> encoder.encode_texts(["a photo of a cat."]).shape
    (1, 128)
    """
    check_device(device)
    if not str(source).strip():
        raise EncoderError("The name of the encoder is empty.", remedy=hub.WAYS_ON)
    parts = split_source(str(source), _is_there)
    if len(parts) == 1:
        return cut(_open(parts[0], device=device, precision=precision), dimensions)
    opened = _open_each(parts, device=device, precision=precision)
    return cut(JoinedEncoder(opened, precision=precision), dimensions)


def load_same_encoder(made_with: EncoderIdentity, source: str | Path | None = None, *, device: str = "auto") -> Encoder:
    """Open the encoder that vectors were made with, in the precision that they were made in.

    Parameters
    ----------
    made_with
        As it was kept with the vectors, by this release or an earlier one.
    source
        Where the encoder is now; None looks where it was.
    device
        As for `load_encoder`.

    Returns
    -------
    Encoder
        One with the same fingerprint if there is one; the caller compares.

    Raises
    ------
    EncoderError
        If there is no such encoder, or it is incomplete.
    """
    where = made_with.source if source is None else source
    first, *others = _candidates(where, made_with, device=device)
    return next((one for one in (first, *others) if one.identity.fingerprint == made_with.fingerprint), first)


def known_encoders() -> tuple[EncoderCard, ...]:
    """Encoders worth knowing, the embedded ones first, then those that other packages register.

    Any other CLIP or SigLIP model on the hub works too.
    """
    return (*(kind.card() for kind in EMBEDDED.values()), *plugins.cards(EMBEDDED), *HUB_CARDS)


def _candidates(where: str | Path, made_with: EncoderIdentity, *, device: str) -> Iterator[Encoder]:
    """What stands there, in the precisions that it may have been used in, and cut where it has become longer."""
    for precision in possible_names(made_with.precision):
        whole = load_encoder(where, device=device, precision=precision)
        yield whole
        if whole.identity.dimension > made_with.dimension > 0:
            yield cut(whole, made_with.dimension)


def _open_each(parts: Sequence[str], *, device: str, precision: str) -> list[Encoder]:
    """Encoders to be joined; what is wrong with any of them is said in one message."""
    opened: list[Encoder] = []
    errors: list[InklingError] = []
    for number, part in enumerate(parts, start=1):
        try:
            if not part:
                raise EncoderError("A name is missing.", remedy=f"Join encoders as in 'A{PLUS}B'.")
            opened.append(_open(part, device=device, precision=precision))
        except InklingError as error:
            named = f"Part {number} of the joined encoders, '{part}', can't be used: {error.message}"
            errors.append(type(error)(named, remedy=error.remedy))
    if len(errors) > 1:
        remedies = dict.fromkeys(error.remedy for error in errors if error.remedy)
        raise EncoderError("\n".join(error.message for error in errors), remedy="\n".join(remedies) or None)
    if errors:
        raise errors[0]
    return opened


def _open(text: str, *, device: str, precision: str) -> Encoder:
    """One encoder, which may be cut."""
    if text in EMBEDDED:
        return EMBEDDED[text].open(device=device, precision=precision)
    path = _place(text)
    if path is not None:
        # From the root, so that a memory finds its encoder from any working directory.
        return _open_folder(path, name=None, source=str(path.absolute()), device=device, precision=precision)
    whole, dimensions = without_cut(text)
    if dimensions is not None:
        return cut(_open(whole, device=device, precision=precision), dimensions)
    if not _looks_local(text):
        if registered := plugins.open_registered(text, device=device, precision=precision):
            return registered
        if hub.HUB_NAME.fullmatch(text):
            return _open_folder(_find(text, precision), name=text, source=text, device=device, precision=precision)
    raise EncoderError(f"There is no encoder '{text}'.{_did_you_mean(text)}", remedy=hub.WAYS_ON)


def _is_there(text: str) -> bool:
    """Whether a text, cut or not, is a name of an embedded encoder or the path of something."""
    return any(name in EMBEDDED or _place(name) is not None for name in (text, without_cut(text)[0]))


def _place(text: str) -> Path | None:
    """The folder or file of that name; None where there is none, and for what can be no name."""
    try:
        path = Path(os.path.expanduser(text))  # noqa: PTH111 - the method fails where there is no home folder
        return path if path.exists() else None
    except (OSError, ValueError):  # longer than a name may be, or with a null byte
        return None


def _open_folder(folder: Path, *, name: str | None, source: str, device: str, precision: str) -> Encoder:
    kind = next((kind for kind in FOLDERS if kind.is_kind_of(folder)), None)
    if kind is not None:
        return kind.open(folder, name=name, source=source, device=device, precision=precision)
    expected = list(dict.fromkeys(" and ".join(kind.files) for kind in FOLDERS))
    if folder.is_file():
        raise EncoderError(
            f"The encoder {folder} is a file; expected a folder.",
            remedy=f"Give the folder that holds it, with one of {', '.join(expected)}.",
        )
    raise EncoderError(
        f"The folder {folder} holds no encoder: it has none of {', '.join(expected)}.", remedy=hub.WAYS_ON
    )


def _find(name: str, precision: str) -> Path:
    try:
        return hub.find_folder(name, precision=precision)
    except EncoderError as error:
        raise EncoderError(f"{error.message}{_did_you_mean(name)}", remedy=error.remedy) from error


def _looks_local(text: str) -> bool:
    return text.startswith((".", "~", os.sep)) or text.endswith(("/", os.sep))


def _did_you_mean(text: str) -> str:
    names = {name.lower(): name for name in (*(card.name for card in HUB_CARDS), *EMBEDDED, *plugins.names())}
    # Of several with the same short name the first one is meant.
    short_names = {name.partition("/")[2]: name for name in reversed(names.values()) if "/" in name}
    choices = names | short_names
    if text in names.values():
        return ""
    close = get_close_matches(text.lower(), list(choices), n=1, cutoff=0.6)
    return f" Did you mean '{choices[close[0]]}'?" if close else ""
