"""A process that encodes for a service: it opens the encoder that it is asked to, and ends when the service does.

It is started as ``python -m inkling.serving.worker`` and asked by its standard input.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import IO, Any

from numpy.typing import NDArray
from PIL import Image

from inkling.encoders.base import Encoder, ImageVectors
from inkling.encoders.composed import parts_of
from inkling.encoders.registry import load_same_encoder
from inkling.errors import EncoderMismatchError, InklingError
from inkling.serving.frames import receive, send
from inkling.types import EncoderIdentity
from inkling.wording import excerpt

IMAGES, TEXTS = "images", "texts"
DEFECT = "defect"
"""Kind of the errors that are none of ours."""
_SIDE = 256
_LEFT_TO_THE_SERVICE = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""A terminal and a supervisor send these to all processes; the service needs this one for what it still holds."""


def main() -> None:
    """Encode what comes by standard input, until it ends."""
    for one in _LEFT_TO_THE_SERVICE:
        signal.signal(one, signal.SIG_IGN)
    # What a library prints must not come between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        work(sys.stdin.buffer, answers)
    except (EOFError, OSError):  # the service has ended
        os._exit(0)  # without a look at what else could hold the process up


def work(asked: IO[bytes], answers: IO[bytes]) -> None:
    """Open an encoder, say that it is ready, and answer until nobody asks.

    Raises
    ------
    EOFError, OSError
        When nobody asks any more.
    """
    order, _ = receive(asked)
    try:
        parts = parts_of(_opened(order))
        for part in parts:
            part.encode_images([part.prepare(Image.new("RGB", (_SIDE, _SIDE), "grey"))])
    except Exception as error:  # told to the service, which decides
        send(answers, _told(error))
        return
    send(answers, {})
    while True:
        what, arrays = receive(asked)
        try:
            found = _run(parts[what["part"]], what, arrays)
        except Exception as error:  # as above
            send(answers, _told(error))
        else:
            send(answers, {}, found)


def _opened(order: Mapping[str, Any]) -> Encoder:
    identity = EncoderIdentity(**order["identity"])
    encoder = load_same_encoder(identity, order["source"], device=order["device"])
    if encoder.identity.fingerprint != identity.fingerprint:
        raise EncoderMismatchError(
            f"The encoder '{order['source']}' has another fingerprint since the service was started.",
            remedy="Start the service again.",
        )
    return encoder


def _run(part: Encoder, what: Mapping[str, Any], arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    if what["what"] == TEXTS:
        return [part.encode_texts(what["texts"])]
    found: ImageVectors = part.encode_images(arrays)
    return [found.embeddings] if found.features is None else [found.embeddings, found.features]


def _told(error: Exception) -> dict[str, Any]:
    if isinstance(error, InklingError):
        return {"error": type(error).__name__, "message": error.message, "remedy": error.remedy}
    traceback.print_exception(error)
    return {"error": DEFECT, "message": excerpt(repr(error)), "remedy": None}


if __name__ == "__main__":
    main()
