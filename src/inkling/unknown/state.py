"""What sets a detector up again, in JSON and arrays: of many images their statistics, of few the images themselves.

All that is known of the classes follows from their images in closed form. Up to `FEW_IMAGES` it is worked out again in
a moment, and the images are what a memory holds anyway; statistics of few images in many dimensions would take many
times as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.errors import InputError
from inkling.heads.conformal import Conformal, Slack
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.standardization import Standardization
from inkling.types import HeadState
from inkling.unknown.choice import Choice
from inkling.unknown.fusion import Scale
from inkling.unknown.gaussians import ClassGaussians
from inkling.unknown.known_classes import Known, Source
from inkling.unknown.negatives import Negatives
from inkling.unknown.span import Span

NAME = "unknown"
IMAGES = "images"
"""Vectors that the known classes are fitted on again, (n, n_dims), as they were handed over."""
_GAUSSIANS = ("means", "counts", "directions", "eigenvalues")
_KNOWN_ARRAYS = ("exemplars", "members", "text", "negatives")
_KNOWN_PARAMS = ("embedding_dims", "logit_scale", "shots")


def state_of(known: Known, choice: Choice, scale: Scale, conformal: Conformal, *, told: Mapping[str, Any]) -> HeadState:
    """What JSON can hold, and the arrays."""
    params, arrays = _statistics(known) if known.source is None else _few_images(known.source, known)
    params |= {
        "scores": list(choice.names),
        "singles": dict(choice.singles),
        "fused": choice.fused,
        "slack": asdict(conformal.slack),
        **told,
    }
    arrays |= {
        "weights": choice.weights,
        "scale.mean": scale.mean,
        "scale.deviation": scale.deviation,
        "calibration": conformal.calibration,
    }
    # Layout too: sums in another order differ in the last bits.
    return HeadState(NAME, params, {key: np.asarray(value, order="C") for key, value in arrays.items()})


def parts_of(state: HeadState) -> dict[str, Any]:
    """Attributes of the detector, by name."""
    params, arrays = state.params, state.arrays
    names = params["negative_names"]
    return {
        "find_known": partial(_refitted if "columns" in arrays else _known, params, arrays),
        "choice": Choice(tuple(params["scores"]), arrays["weights"], params["singles"], params["fused"]),
        "scale": Scale(arrays["scale.mean"], arrays["scale.deviation"]),
        "conformal": Conformal(arrays["calibration"], Slack(**params.get("slack", {}))),
        "false_alarms": params["false_alarms"],
        "dropped": params["dropped"],
        "negatives": Negatives(tuple(names), arrays["negatives"]) if names else None,
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
        exemplar_classes=arrays.get("exemplar_classes", np.zeros(0)).astype(np.int64),
        members=arrays["members"],
        text=arrays["text"],
        negatives=arrays["negatives"],
        embedding_dims=params["embedding_dims"],
        logit_scale=params["logit_scale"],
        shots=params["shots"],
    )


def _statistics(known: Known) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    params = {key: getattr(known, key) for key in _KNOWN_PARAMS} | {
        "n_dims": known.plain.n_dims,
        "plain.degrees": known.plain.degrees,
        "even.degrees": known.even.degrees,
    }
    arrays = {key: getattr(known, key) for key in _KNOWN_ARRAYS}
    arrays["exemplar_classes"] = known.exemplar_classes.astype(np.int32)
    for space in ("plain", "even"):
        arrays |= {f"{space}.{key}": getattr(getattr(known, space), key) for key in _GAUSSIANS}
    return params, arrays | {
        "plain.basis": known.plain_span.basis,
        "even.basis": known.even_span.basis,
        "standardization.mean": known.scale.mean,
        "standardization.deviations": known.scale.deviations,
    }


def _few_images(source: Source, known: Known) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    vectors = source.vectors
    params = {
        "embedding_dims": vectors.embedding_dims,
        "logit_scale": vectors.logit_scale,
        "n_classes": vectors.n_classes,
        "seed": source.seed,
    }
    arrays = {
        IMAGES: vectors.X,
        "columns": vectors.y.astype(np.int32),
        "sources": np.unique(vectors.sources, return_inverse=True)[1].astype(np.int32),
        "negatives": known.negatives,
    }
    if vectors.text_vectors is not None:
        arrays["text"] = vectors.text_vectors.astype(np.float32)
    return params, arrays


def _refitted(params: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Known:
    if IMAGES not in arrays:
        raise InputError(
            "The detector of unknown images lacks the images that it was fitted on.",
            remedy="Check the memory with: inkling verify MEMORY",
        )
    text = arrays.get("text")
    vectors = LabelledVectors(
        X=arrays[IMAGES],
        y=arrays["columns"].astype(np.int64),
        classes=tuple(range(params["n_classes"])),
        sources=arrays["sources"].astype(np.int64),
        text_vectors=None if text is None else text.astype(np.float64),
        embedding_dims=params["embedding_dims"],
        logit_scale=params["logit_scale"],
    )
    known = Known.of(vectors.with_unit_blocks(), negatives=None, seed=params["seed"])
    return replace(known.from_few(vectors, seed=params["seed"]), negatives=arrays["negatives"])
