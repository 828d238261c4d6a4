"""Classify pictures: python run.py PICTURE... prints a line of JSON for each.

Needs onnxruntime, numpy and Pillow. With --all, each line has the probabilities of all labels.
"""

import json
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
    try:
        return onnxruntime.InferenceSession(FOLDER / "model.onnx", providers=["CPUExecutionProvider"])
    except Exception as error:
        sys.exit(f"onnxruntime {onnxruntime.__version__} can't load model.onnx: {error}\nTry requirements.txt's versions.")


def classify(session: onnxruntime.InferenceSession, picture: np.ndarray) -> dict[str, Any]:
    """Verdict on a picture, uint8 of shape (height, width, 3)."""
    answers = {one.name: value for one, value in zip(session.get_outputs(), session.run(None, {"image": picture}))}
    p, best = answers["probabilities"][0], int(answers["label_id"][0])
    told = {name: answers[name][0].item() if name in answers else None for name in ("unknown", "p_known")}
    return {"label": LABELS[best], "probability": float(p[best]), **told, "probabilities": p.tolist()}


def main(paths: list[str]) -> int:
    """Print the verdicts on pictures; returns 1 if one couldn't be read."""
    session, failed = load(), False
    for path in paths:
        try:
            verdict = classify(session, read_picture(path))
        except Exception as error:
            verdict, failed = {"error": str(error)}, True
        print(json.dumps({"path": path, **verdict}), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
