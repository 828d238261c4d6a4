"""Towers of models of `transformers`: of folders as `save_pretrained` writes them, of OpenCLIP, and fine-tuned ones."""

from __future__ import annotations

from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import require
from inkling.exporting.pictures import check_preprocessing
from inkling.exporting.towers.tower import Tower


def of_transformers(encoder: TransformersEncoder) -> Tower:
    """The image tower in float32, whatever the precision and the device that the encoder was opened with.

    Raises
    ------
    EncoderError
        If the model reads pictures of any shape, its weights can't be loaded, or torch's exporter fails.
    MissingExtraError
        If torch, transformers or the exporter's own library isn't installed.
    """
    folder = encoder.folder
    check_preprocessing(folder.preprocessing)
    for package, extra in (("torch", "torch"), ("transformers", "torch"), ("onnxscript", "export")):
        require(package, extra=extra, purpose=f"Exporting the encoder '{encoder.identity.name}'")
    from inkling.exporting.towers.torch_models import IMAGE_VECTORS, PIXELS, exported

    return Tower(views=(folder.preprocessing,), model=exported(folder), pixels=PIXELS, embeddings=IMAGE_VECTORS)
