"""Vectors of two encoders never meet: fingerprints are compared wherever they could."""

from __future__ import annotations

from shlex import quote

from inkling.errors import EncoderMismatchError
from inkling.types import EncoderIdentity


def check_encoder(stored: EncoderIdentity, offered: EncoderIdentity, *, made: str = "The memory was made") -> None:
    """Refuse to let vectors of two encoders meet.

    Parameters
    ----------
    stored
        Encoder that the memory, or what else holds vectors, was made with.
    offered
        Encoder that is to be used with it.
    made
        What was made with `stored`, as the message has it.

    Raises
    ------
    EncoderMismatchError
        If their fingerprints differ.
    """
    if stored.fingerprint == offered.fingerprint:
        return
    raise EncoderMismatchError(
        f"{made} with {_describe(stored)}; what is at hand is {_describe(offered)}. Their vectors cannot be compared.",
        remedy=f"Use --encoder {quote(stored.source)}, or where that is now (in Python the option encoder), "
        f"or begin anew with {offered.source}.",
    )


def _describe(identity: EncoderIdentity) -> str:
    return (
        f"encoder {identity.name!r} (fingerprint {identity.fingerprint}, "
        f"{identity.dimension} dimensions, {identity.precision})"
    )
