"""Damages files at random, as a disk, a network or somebody with bad intent would: what the doors are tried with."""

from __future__ import annotations

import random

TOKENS = [
    *(b"[" * 3000, b"{a: " * 3000, b'{"a":' * 3000, b"&a [*a, *a]", b"? ", b"- ", b"!!int abc", b"!!float x"),
    *(b"!!timestamp 1", b"!!bool x", b"!!binary \xc3", b"!!python/object:a.b", b"2026-13-45", b'"\\ud800"', b"null"),
    *(b"NaN", b"1e999", b"-1", b"9" * 400, b"\0", b"\xff\xfe", b"\r", b'"', b"'", b",", b"\x1b[31m", b"\xc3\x28"),
    *(b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x80", b"\x01\x00", b"\x00\x01"),
]


def damaged(data: bytes, seed: int, *, other: bytes = b"") -> bytes:
    """The file with one to six changes: bytes, cut out parts, parts twice, numbers and words that mean something."""
    draw = random.Random(seed)
    content = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        at = draw.randrange(len(content) + 1)
        span = min(len(content) - at, draw.choice((1, 2, 4, 16, 200)))
        match draw.randrange(7):
            case 0:
                content[at : at + span] = draw.randbytes(span)
            case 1:
                del content[at : at + span]
            case 2:
                content[at:at] = content[at : at + span]
            case 3:
                token = draw.choice(TOKENS)
                content[at : at + draw.choice((0, len(token)))] = token
            case 4:
                content[at : at + 1] = bytes([content[at] ^ 1 << draw.randrange(8)]) if at < len(content) else b""
            case 5:
                content = content[: max(1, at)]
            case _:
                content[at:] = other[draw.randrange(len(other) + 1) :]
    return bytes(content)
