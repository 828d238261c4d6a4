"""Names and folders to encoders."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from inkling.encoders import hub
from inkling.encoders.base import Encoder
from inkling.encoders.cards import HUB_CARDS, EncoderCard
from inkling.encoders.devices import check_device
from inkling.encoders.kinds import EMBEDDED, FOLDERS
from inkling.encoders.precision import AUTO, possible_names
from inkling.errors import EncoderError
from inkling.types import EncoderIdentity


def load_encoder(source: str | Path, *, device: str = "auto", precision: str = AUTO) -> Encoder:
    """Open an encoder. Weights are loaded when the first image or text is encoded.

    Parameters
    ----------
    source
        ``sketch``, a folder with an `encoder.json` (ONNX), a folder with a `config.json` (`transformers`), or the
        name of a model on the hub, such as ``openai/clip-vit-base-patch32``. A folder wins over a hub name.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    precision
        One of `inkling.encoders.precision.PRECISIONS`.

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
    text = str(source)
    if text in EMBEDDED:
        return EMBEDDED[text].open(device=device, precision=precision)
    path = Path(os.path.expanduser(source))  # noqa: PTH111 - the method fails where there is no home folder
    if path.exists():
        # From the root, so that a memory finds its encoder from any working directory.
        return _open_folder(path, name=None, source=str(path.absolute()), device=device, precision=precision)
    if _is_hub_name(text):
        return _open_folder(_find(text), name=text, source=text, device=device, precision=precision)
    raise EncoderError(f"There is no encoder '{text}'.{_did_you_mean(text)}", remedy=hub.WAYS_ON)


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
    opened = [load_encoder(where, device=device, precision=name) for name in possible_names(made_with.precision)]
    return next((one for one in opened if one.identity.fingerprint == made_with.fingerprint), opened[0])


def known_encoders() -> tuple[EncoderCard, ...]:
    """Encoders worth knowing, the embedded ones first. Any other CLIP or SigLIP model on the hub works too."""
    return (*(kind.card() for kind in EMBEDDED.values()), *HUB_CARDS)


def _open_folder(folder: Path, *, name: str | None, source: str, device: str, precision: str) -> Encoder:
    kind = next((kind for kind in FOLDERS if kind.is_kind_of(folder)), None)
    if kind is not None:
        return kind.open(folder, name=name, source=source, device=device, precision=precision)
    expected = [" and ".join(kind.files) for kind in FOLDERS]
    if folder.is_file():
        raise EncoderError(
            f"The encoder {folder} is a file; expected a folder.",
            remedy=f"Give the folder that holds it, with one of {', '.join(expected)}.",
        )
    raise EncoderError(
        f"The folder {folder} holds no encoder: it has none of {', '.join(expected)}.", remedy=hub.WAYS_ON
    )


def _find(name: str) -> Path:
    try:
        return hub.find_folder(name)
    except EncoderError as error:
        raise EncoderError(f"{error.message}{_did_you_mean(name)}", remedy=error.remedy) from error


def _is_hub_name(text: str) -> bool:
    looks_local = text.startswith((".", "~", os.sep)) or text.endswith(("/", os.sep))
    return not looks_local and hub.HUB_NAME.fullmatch(text) is not None


def _did_you_mean(text: str) -> str:
    names = {name.lower(): name for name in (*(card.name for card in HUB_CARDS), *EMBEDDED)}
    short_names = {name.partition("/")[2]: name for name in names.values() if "/" in name}
    choices = names | short_names
    if text in names.values():
        return ""
    close = get_close_matches(text.lower(), list(choices), n=1, cutoff=0.6)
    return f" Did you mean '{choices[close[0]]}'?" if close else ""
