"""Towers of models of `transformers`, written as ONNX by torch's exporter.

The library's own modules are exported, in float32, and not those that Inkling rebuilds for the processor at hand: any
runtime fuses plain operators in its own way.

Imports torch, so this module is imported only when such a tower is exported.
"""

from __future__ import annotations

from typing import Any

import onnx
import torch
from torch import Tensor, nn

from inkling.encoders.transformers.loaded_model import image_vectors, load_towers
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.errors import EncoderError
from inkling.exporting.graph import OPSET
from inkling.exporting.silence import in_silence
from inkling.wording import excerpt

PIXELS, IMAGE_VECTORS = "pixel_values", "image_embeds"

_TRACED_ROWS = 2
"""Pictures that the exporter runs: of one alone it takes their number for a fixed one."""


class _Images(nn.Module):
    """From prepared pictures to vectors, of any length."""

    def __init__(self, folder: ModelFolder) -> None:
        super().__init__()
        self._folder = folder
        self._model = load_towers(folder)

    def forward(self, pixel_values: Tensor) -> Tensor:
        return image_vectors(self._model, self._folder, pixel_values)


def exported(folder: ModelFolder) -> onnx.ModelProto:
    """The image tower of a model folder, with its input `PIXELS` and its output `IMAGE_VECTORS`.

    Raises
    ------
    EncoderError
        If the weights can't be loaded, or the exporter fails.
    """
    height, width = folder.preprocessing.output
    module = _Images(folder).eval()
    pixels = torch.zeros(_TRACED_ROWS, 3, height, width)
    try:
        with in_silence(), torch.inference_mode():
            program = torch.onnx.export(
                module,
                (pixels,),
                dynamo=True,
                opset_version=OPSET,
                input_names=[PIXELS],
                output_names=[IMAGE_VECTORS],
                dynamic_shapes={"pixel_values": {0: torch.export.Dim("n", min=1)}},
                verbose=False,
            )
            return _model_of(program)
    except Exception as error:  # of the exporter, by kinds that change with releases
        raise EncoderError(
            f"The image tower of the model in {folder.path} ({folder.family.title}) can't be exported by torch "
            f"{torch.__version__}: {excerpt(error)}.",
            remedy="Another release of torch or transformers may export it.",
        ) from error


def _model_of(program: Any) -> onnx.ModelProto:
    model: onnx.ModelProto = program.model_proto
    return model
