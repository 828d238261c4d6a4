"""Classify embeddings: python use_head.py VECTORS.npy prints a line of JSON for each row. Needs numpy alone.

A row is an embedding as the encoder of `manifest.json` gives it and, where the head reads features, the feature behind
it. Lengths don't matter: each of the two is brought to unit length here.
"""

import json
import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent


def probabilities(vectors: np.ndarray, head: dict[str, np.ndarray]) -> np.ndarray:
    """Softmax of s (W v + b) / T for the unit vectors v of rows, (n, n_classes)."""
    weights, d = head["weights"], int(head["dimension"])
    blocks = np.split(vectors[:, : weights.shape[1]].astype(np.float64), [d], axis=1)
    units = [block / np.maximum(np.linalg.norm(block, axis=1, keepdims=True), 1e-30) for block in blocks]
    z = head["logit_scale"] * (np.hstack(units) @ weights.T + head["bias"]) / head["temperature"]
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def main(*files: str) -> None:
    """Print the label and its probability for each row of a file."""
    if len(files) != 1 or files[0] in ("-h", "--help"):
        sys.exit(__doc__)
    labels = json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))
    head = dict(np.load(FOLDER / "head.npz"))
    for row, p in enumerate(probabilities(np.load(files[0]), head)):
        best = int(p.argmax())
        print(json.dumps({"row": row, "label": labels[best], "probability": float(p[best]), "all": p.tolist()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
