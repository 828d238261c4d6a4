"""How much a request may bring, and how much is held at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of the service.

    Attributes
    ----------
    body_bytes
        Of the body of one request.
    held_bytes
        Of the bodies of all requests that are in progress.
    pixels
        Of one picture, by its header.
    images
        In one request.
    seconds
        For a body to arrive, and again for an answer of the encoder.
    waiting
        Pictures that wait for the encoder.
    changing
        Requests that wait to change the memory.
    """

    body_bytes: int = 64 * 2**20
    held_bytes: int = 512 * 2**20
    pixels: int = 50_000_000
    images: int = 64
    seconds: float = 30.0
    waiting: int = 64
    changing: int = 16
