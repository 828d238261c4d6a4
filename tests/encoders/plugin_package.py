"""A package of a third party that registers an encoder, as `pip install` leaves it behind."""

from __future__ import annotations

import zipfile
from pathlib import Path

CODE = '''
"""Means of a grid of colours: the smallest encoder that tells pictures apart."""

from hashlib import sha256

import numpy as np

from inkling.encoders.base import ImageVectors
from inkling.types import EncoderIdentity

GRID = 4


class Colours:
    def __init__(self, *, device, precision):
        fingerprint = sha256(b"colours of a grid, version 1").hexdigest()
        self.identity = EncoderIdentity(
            name="colours",
            source="colours",
            fingerprint=fingerprint,
            dimension=GRID * GRID * 3,
            feature_dimension=0,
            logit_scale=100.0,
            precision="float32",
        )
        self.has_texts = False
        self.text_template = None
        self.shorter_side = 32

    def prepare(self, image):
        return np.asarray(image.resize((GRID, GRID)), np.float32).ravel() + 1.0

    def encode_images(self, batch):
        rows = np.stack(batch) if len(batch) else np.empty((0, GRID * GRID * 3), np.float32)
        return ImageVectors(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    def encode_texts(self, texts):
        raise NotImplementedError

    def missing_texts(self, texts):
        return list(texts)
'''


def write_wheel(
    folder: Path, *, name: str = "ink-colours", entries: str = "colours = ink_colours:Colours", code: str = CODE
) -> Path:
    """A wheel with one module and the entry points given."""
    module = name.replace("-", "_")
    told = f"{module}-1.2.dist-info"
    metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.2\nSummary: Colours alone\nLicense-Expression: MIT\n"
    files = {
        f"{module}.py": code,
        f"{told}/METADATA": metadata,
        f"{told}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{told}/entry_points.txt": f"[inkling.encoders]\n{entries}\n",
    }
    record = "".join(f"{file},,\n" for file in (*files, f"{told}/RECORD"))
    path = folder / f"{module}-1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, content in (files | {f"{told}/RECORD": record}).items():
            wheel.writestr(file, content)
    return path
