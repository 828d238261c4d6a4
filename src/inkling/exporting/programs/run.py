"""Classify pictures: python run.py PICTURE... prints a line of JSON for each.

It needs onnxruntime, numpy and Pillow. With --all in front, the lines hold the probabilities of all labels too.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from pictures import read_picture

FOLDER = Path(__file__).resolve().parent
LABELS = json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))


def load() -> onnxruntime.InferenceSession:
    """The classifier."""
    onnxruntime.set_default_logger_severity(3)  # it warns that an input may be left out, which is as it should be
    try:
        return onnxruntime.InferenceSession(FOLDER / "model.onnx", providers=["CPUExecutionProvider"])
    except Exception as error:
        sys.exit(f"onnxruntime {onnxruntime.__version__} can't load model.onnx ({error}). See requirements.txt.")


def classify(session: onnxruntime.InferenceSession, picture: np.ndarray) -> dict[str, Any]:
    """Verdict on a picture, uint8 of shape (height, width, 3)."""
    names = [output.name for output in session.get_outputs()]
    answers = {name: rows[0] for name, rows in zip(names, session.run(None, {"image": picture}), strict=True)}
    best, p = answers["label_id"], answers["probabilities"].tolist()
    told = {name: answers[name].item() if name in answers else None for name in ("unknown", "p_known")}
    return {"label": LABELS[best], "probability": p[best], **told, "probabilities": p}


def main(*arguments: str) -> int:
    """Print the verdicts; returns 1 if a picture couldn't be read."""
    shows_all = arguments[:1] == ("--all",)
    paths = arguments[shows_all:]
    if not paths or {"-h", "--help"} & set(paths):
        sys.exit(__doc__)
    failed, session = 0, load()
    for path in paths:
        try:
            verdict = classify(session, read_picture(path))
            if not shows_all:
                del verdict["probabilities"]
        except Exception as error:
            verdict, failed = {"error": str(error)}, 1
        print(json.dumps({"path": path, **verdict}), flush=True)
    return failed


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except BrokenPipeError:  # whoever reads has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
