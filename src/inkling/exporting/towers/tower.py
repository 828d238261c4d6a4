"""An image tower as an ONNX model, and what it reads of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import onnx

from inkling.encoders.preprocessing import Preprocessing


@dataclass(frozen=True)
class Tower:
    """An image tower.

    Attributes
    ----------
    views
        What it reads of a picture: as many times three channels, one view after the other.
    model
        From prepared pictures to vectors, with all its weights inside, and nothing else.
    pixels
        Its input.
    embeddings
        The output that is the vector of a picture, of any length; where it has one for each token, the first counts.
    features
        The second output; None where there is none.
    rows_at_once
        Pictures of one run, where the model reads neither more nor fewer, or rounds by the range of all of them.
    """

    views: tuple[Preprocessing, ...]
    model: onnx.ModelProto
    pixels: str
    embeddings: str
    features: str | None = None
    rows_at_once: int | None = None

    @cached_property
    def axes(self) -> tuple[int, int, int]:
        """Of one prepared picture: channels, height, width."""
        height, width = self.views[0].output
        return (3 * len(self.views), height, width)

    @cached_property
    def element_types(self) -> dict[str, int]:
        """Number types of inputs and outputs, as ONNX counts them."""
        values = (*self.model.graph.input, *self.model.graph.output)
        return {value.name: value.type.tensor_type.elem_type for value in values}

    @property
    def has_token_vectors(self) -> bool:
        """Whether embeddings have a vector for each token."""
        shapes = {value.name: value.type.tensor_type.shape for value in self.model.graph.output}
        return len(shapes[self.embeddings].dim) == 3
