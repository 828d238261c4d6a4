"""The arithmetics that an encoder offers, by the names that users give.

float32
    Weights, activations and sums in float32. On processors that multiply bfloat16 faster than float32
    (AVX512-BF16, AMX), matrix products of wide image towers round their operands to bfloat16 first; vectors
    stay within a cosine of 0.9999 of those of the library (0.999997 measured), and carry the same fingerprint
    on every processor. Torch calls this arithmetic `set_float32_matmul_precision("medium")`.
float32-strict
    Float32 throughout, on every processor: equal to the library's own vectors to rounding.
bfloat16
    On a GPU, the whole model in bfloat16. On the CPU, matrix products of the image tower.
int8
    On the CPU: matrix products of the image tower in 8 bits, weights rounded per channel, activations per
    token.

Texts are encoded in float32 on the CPU whatever the name: they are few, and each serves all images.
"""

from __future__ import annotations

from inkling.errors import EncoderError

FLOAT32 = "float32"
STRICT = "float32-strict"
BFLOAT16 = "bfloat16"
INT8 = "int8"

WIDE = 512
"""Image towers at least this wide may round operands to bfloat16 under the name float32: narrower ones gain
little by it, and lose more."""

PRECISIONS = (FLOAT32, STRICT, BFLOAT16, INT8)


def check_precision(precision: str) -> None:
    """Refuse a name that isn't in `PRECISIONS`.

    Raises
    ------
    EncoderError
        Says which names there are.
    """
    if precision not in PRECISIONS:
        raise EncoderError(f"The precision '{precision}' isn't known; expected one of {', '.join(PRECISIONS)}.")
