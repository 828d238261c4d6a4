"""A precision is taken only where it pays: on processors that torch is made to see, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOAD = """
import json
import sys
from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import EncoderError
from PIL import Image
said = {}
for precision in sys.argv[2:]:
    encoder = TransformersEncoder(sys.argv[1], device="cpu", precision=precision)
    try:
        encoder.encode_images([encoder.prepare(Image.new("RGB", (40, 40)))])
    except EncoderError as error:
        said[precision] = str(error)
    else:
        said[precision] = "taken"
print(json.dumps(said))
"""
REFUSED, TAKEN = ("int8", "bfloat16"), ("auto", "float32")


@pytest.fixture(scope="module")
def on_an_older_processor(clip_folder: Path) -> dict[str, str]:
    """What comes of loading an encoder in each precision on a processor with AVX2 and no newer instructions."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, clip_folder, *REFUSED, *TAKEN],
        env=os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


@pytest.mark.slow
@pytest.mark.parametrize("precision", REFUSED)
def test_what_does_not_pay_on_an_older_processor_is_refused(
    on_an_older_processor: dict[str, str], precision: str
) -> None:
    said = on_an_older_processor[precision]
    assert f"The precision {precision} is refused: " in said
    assert "processor" in said
    assert "Use the precision auto" in said


@pytest.mark.slow
@pytest.mark.parametrize("precision", TAKEN)
def test_the_default_and_float32_are_taken_everywhere(on_an_older_processor: dict[str, str], precision: str) -> None:
    assert on_an_older_processor[precision] == "taken"
