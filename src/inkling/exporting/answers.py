"""What a classifier answers, as a graph: from vectors to probabilities, and whether an image is of a known class."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from inkling.exporting import local_gda, local_plda  # noqa: F401 - give closer looks at likely classes their graphs
from inkling.exporting.traced import Traced, Value
from inkling.heads.calibration import apply_temperature
from inkling.heads.fitted import FittedHead
from inkling.heads.support import unit_rows
from inkling.unknown import UnknownDetector
from inkling.unknown.scores import score_table

PROBABILITIES, LABEL_ID, EMBEDDING = "probabilities", "label_id", "embedding"
UNKNOWN, P_KNOWN = "unknown", "p_known"


def answers(head: FittedHead, detector: UnknownDetector | None, X: Traced, *, dimension: int) -> Mapping[str, Traced]:
    """Outputs by name for vectors X (n, d + f), computed as the classifier itself computes them.

    Parameters
    ----------
    dimension
        Length d of the embedding.

    Returns
    -------
    dict
        ``probabilities`` float32 (n, n_classes), ``label_id`` int64 (n,), ``embedding`` float32 (n, d); where there is
        a detector of unknown images ``unknown`` bool (n,) and ``p_known`` float64 (n,).

    Raises
    ------
    InputError
        If the head or a score has no form as a graph.
    """
    rows: Value = X
    p: Value = apply_temperature(head.head.scores(rows), head.temperature)
    embeddings: Value = unit_rows(rows[:, :dimension])
    found = {
        PROBABILITIES: p.astype(np.float32),
        LABEL_ID: p.argmax(axis=1),
        EMBEDDING: embeddings.astype(np.float32),
    }
    if detector is not None:
        scores: Value = detector.fused(score_table(detector.known, rows, detector.choice.in_use))
        found[UNKNOWN] = detector.conformal.are_unknown(scores, detector.false_alarms)
        found[P_KNOWN] = detector.conformal.p_values(scores)
    return found
