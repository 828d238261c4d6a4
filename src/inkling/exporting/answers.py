"""What a classifier answers, as a graph: from vectors to probabilities, and whether an image is of a known class."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from inkling.classifier.fitted import FittedClassifier
from inkling.exporting import local_gda as _  # noqa: F401 - gives the closer look of local GDA its graph
from inkling.exporting.traced import Traced
from inkling.heads.calibration import apply_temperature
from inkling.heads.support import unit_rows
from inkling.unknown.scores import score_table

PROBABILITIES, LABEL_ID, EMBEDDING = "probabilities", "label_id", "embedding"
UNKNOWN, P_KNOWN = "unknown", "p_known"


def answers(fitted: FittedClassifier, X: Traced) -> Mapping[str, Traced]:
    """Outputs by name for vectors X (n, d + f), computed as the classifier itself computes them.

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
    head = fitted.fitted_head
    p = apply_temperature(head.head.scores(X), head.temperature)
    found = {
        PROBABILITIES: p.astype(np.float32),
        LABEL_ID: p.argmax(axis=1),
        EMBEDDING: unit_rows(X[:, : fitted.samples.identity.dimension]),
    }
    if (detector := fitted.detector) is not None:
        scores = detector.fused(score_table(detector.known, X, detector.choice.in_use))
        found[UNKNOWN] = detector.conformal.are_unknown(scores, detector.false_alarms)
        found[P_KNOWN] = detector.conformal.p_values(scores)
    return found
