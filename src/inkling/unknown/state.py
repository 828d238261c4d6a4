"""A detector to JSON and arrays, and back to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkling.heads.standardization import Standardization
from inkling.types import HeadState
from inkling.unknown.choice import Choice
from inkling.unknown.conformal import Conformal
from inkling.unknown.fusion import Scale
from inkling.unknown.gaussians import ClassGaussians
from inkling.unknown.known import Known
from inkling.unknown.span import Span

if TYPE_CHECKING:
    from inkling.unknown.detector import UnknownDetector

NAME = "unknown"
_GAUSSIANS = ("means", "counts", "directions", "eigenvalues")
_KNOWN_ARRAYS = ("exemplars", "members", "text", "negatives")
_KNOWN_PARAMS = ("embedding_dims", "logit_scale", "shots")


def detector_state(detector: UnknownDetector) -> HeadState:
    """What JSON can hold, and the arrays."""
    known, choice = detector.known, detector.choice
    params = {key: getattr(known, key) for key in _KNOWN_PARAMS} | {
        "n_dims": known.plain.n_dims,
        "plain.degrees": known.plain.degrees,
        "even.degrees": known.even.degrees,
        "scores": list(choice.names),
        "singles": dict(choice.singles),
        "fused": choice.fused,
        "false_alarms": detector.false_alarms,
        "dropped": dict(detector.dropped),
        "negative_names": list(detector.negative_names),
        "tuned": detector.tuned,
    }
    arrays = {key: getattr(known, key) for key in _KNOWN_ARRAYS}
    for space in ("plain", "even"):
        arrays |= {f"{space}.{key}": getattr(getattr(known, space), key) for key in _GAUSSIANS}
    arrays |= {
        "plain.basis": known.plain_span.basis,
        "even.basis": known.even_span.basis,
        "standardization.mean": known.scale.mean,
        "standardization.deviations": known.scale.deviations,
        "weights": choice.weights,
        "scale.mean": detector.scale.mean,
        "scale.deviation": detector.scale.deviation,
        "calibration": detector.conformal.calibration,
    }
    # Layout too: sums in another order differ in the last bits.
    return HeadState(NAME, params, {key: np.asarray(value, order="C") for key, value in arrays.items()})


def detector_parts(state: HeadState) -> dict[str, Any]:
    """Attributes of the detector, by name."""
    params, arrays = state.params, state.arrays
    return {
        "known": _known(params, arrays),
        "choice": Choice(tuple(params["scores"]), arrays["weights"], params["singles"], params["fused"]),
        "scale": Scale(arrays["scale.mean"], arrays["scale.deviation"]),
        "conformal": Conformal(arrays["calibration"]),
        "false_alarms": params["false_alarms"],
        "dropped": params["dropped"],
        "negative_names": tuple(params["negative_names"]),
        "tuned": params["tuned"],
    }


def _known(params: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Known:
    def gaussians(space: str) -> ClassGaussians:
        stored = {key: arrays[f"{space}.{key}"] for key in _GAUSSIANS}
        return ClassGaussians(**stored, degrees=params[f"{space}.degrees"], n_dims=params["n_dims"])

    return Known(
        plain=gaussians("plain"),
        plain_span=Span(arrays["plain.basis"]),
        even=gaussians("even"),
        even_span=Span(arrays["even.basis"]),
        scale=Standardization(arrays["standardization.mean"], arrays["standardization.deviations"]),
        exemplars=arrays["exemplars"],
        members=arrays["members"],
        text=arrays["text"],
        negatives=arrays["negatives"],
        embedding_dims=params["embedding_dims"],
        logit_scale=params["logit_scale"],
        shots=params["shots"],
    )
