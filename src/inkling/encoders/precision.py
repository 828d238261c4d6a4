"""The arithmetics that an encoder offers, by the names that users give.

auto
    The fast default. On processors that multiply bfloat16 faster than float32 (AVX512-BF16, AMX), matrix products of
    wide image towers round their operands to bfloat16 and sum in float32; vectors stay within a cosine of 0.9999 of
    those of the library (0.999997 measured), and carry the same fingerprint on every processor. Elsewhere, and for
    narrow towers, it is float32. Torch calls this arithmetic `set_float32_matmul_precision("medium")`.
float32
    Float32 throughout, on every processor: equal to the library's own vectors to rounding.
bfloat16
    On a GPU, the whole model in bfloat16. On the CPU, matrix products of the image tower.
int8
    On the CPU: matrix products of the image tower in 8 bits, weights rounded per channel, activations per
    token.

bfloat16 and int8 are refused on a processor on which they are slower than float32: a short measurement tells
(`inkling.encoders.transformers.products.why_not`).

Repositories of ONNX files hold a file for each of their precisions, and further names choose among them: float16, q4
(weights in blocks of 4 bits), q4f16 (the same, the rest in float16) and bnb4 (blocks of 4 bits as bitsandbytes rounds
them). Other encoders have no such files and refuse these names.

Texts are encoded in float32 on the CPU whatever the name, save by those files: they are few, and each serves all
images.
"""

from __future__ import annotations

from collections.abc import Sequence

from inkling.errors import EncoderError

AUTO = "auto"
FLOAT32 = "float32"
BFLOAT16 = "bfloat16"
INT8 = "int8"
FLOAT16 = "float16"
Q4 = "q4"
Q4F16 = "q4f16"
BNB4 = "bnb4"

WIDE = 512
"""Image towers at least this wide may round operands to bfloat16 under the name auto: narrower ones gain little by it,
and lose more."""

PRECISIONS = (AUTO, FLOAT32, BFLOAT16, INT8)
"""What can be computed from weights as they come."""

STORED = (FLOAT16, Q4, Q4F16, BNB4)
"""What must stand in a file: repositories of ONNX files have such."""

ALL_PRECISIONS = (*PRECISIONS, *STORED)

MEANINGS = {AUTO: "auto: bfloat16 products where they are fast, float32 sums"}
"""Names that need more than themselves to be understood."""

_FORMER_STRICT = "float32-strict"
"""What earlier releases called float32. Their float32 is auto."""


def check_precision(precision: str, *, offered: Sequence[str] = PRECISIONS) -> None:
    """Refuse a name that isn't in `ALL_PRECISIONS`, or that a kind of encoder doesn't offer.

    Parameters
    ----------
    precision
        As the user gave it.
    offered
        What this kind of encoder has.

    Raises
    ------
    EncoderError
        Says which names there are.
    """
    if precision == _FORMER_STRICT:
        raise EncoderError(
            f"The precision '{_FORMER_STRICT}' is now called '{FLOAT32}', and the former '{FLOAT32}' is '{AUTO}'.",
            remedy=f"Use the precision {FLOAT32}.",
        )
    if precision not in ALL_PRECISIONS:
        raise EncoderError(
            f"The precision '{precision}' isn't known; expected one of {', '.join(ALL_PRECISIONS)}.",
            remedy="auto is right for most.",
        )
    if precision not in offered:
        raise EncoderError(
            f"The precision '{precision}' is one of files in ONNX repositories; this encoder has {', '.join(offered)}.",
            remedy="auto is right for most.",
        )


def possible_names(stored: str) -> tuple[str, ...]:
    """Names of today under which vectors may have been made, by the name that was kept with them.

    Earlier releases kept ``float32`` for what is ``auto`` now; the fingerprint tells which of them it is.
    """
    former = {_FORMER_STRICT: (FLOAT32,), FLOAT32: (FLOAT32, AUTO)}
    return former.get(stored, (stored,))
