"""A precision is taken only where it pays: on processors that torch is made to see, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LOAD = """
import sys
from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import EncoderError
from PIL import Image
encoder = TransformersEncoder(sys.argv[1], device="cpu", precision=sys.argv[2])
try:
    encoder.encode_images([encoder.prepare(Image.new("RGB", (40, 40)))])
except EncoderError as error:
    print(error)
else:
    print("taken")
"""


def said_on(instructions: str, folder: Path, precision: str) -> str:
    """What comes of loading an encoder on a processor with these instructions and no newer ones."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, folder, precision],
        env=os.environ | {"ONEDNN_MAX_CPU_ISA": instructions, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["int8", "bfloat16"])
def test_what_does_not_pay_on_an_older_processor_is_refused(clip_folder: Path, precision: str) -> None:
    said = said_on("AVX2", clip_folder, precision)
    assert f"The precision {precision} is refused: " in said
    assert "processor" in said
    assert "Use the precision auto" in said


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_the_default_and_float32_are_taken_everywhere(clip_folder: Path, precision: str) -> None:
    assert said_on("AVX2", clip_folder, precision) == "taken\n"
