"""The closer look of PLDA as a graph: what is known of the likeliest classes, gathered for each image."""

from __future__ import annotations

from inkling.exporting.traced import Traced, Value, taken
from inkling.types import FloatArray
from inkling.unknown.local_plda import inner_products, of_classes


@of_classes.register(Traced)
def _(chosen: Value, values: FloatArray) -> Value:
    return taken(values, chosen)


@inner_products.register(Traced)
def _(chosen: Value, residuals: FloatArray, white: Value) -> Value:
    """Mostly there is one image alone, which few of the residuals need to be multiplied with."""
    return (taken(residuals, chosen) @ white[:, None, :, None])[..., 0]
