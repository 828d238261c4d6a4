"""Encoders worth knowing, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

EMBEDDED, HUB, PLUGIN = "embedded", "hub", "plugin"

POCKET = "pocket"
SKETCH = "sketch"
DEFAULT_FOR_PHOTOGRAPHS = "openai/clip-vit-base-patch32"


@dataclass(frozen=True)
class EncoderCard:
    """What to know of an encoder before choosing it.

    Attributes
    ----------
    name
        What to pass as ``--encoder``.
    kind
        ``embedded`` in the package, ``hub``: downloaded at first use, or ``plugin``: of another installed package.
    dimension
        Length of its vectors; None where only opening it would tell.
    licence
        Licence of the weights.
    note
        What it is good for.
    extra
        Extra of this package that it needs, such as ``torch``; None where it needs none.
    gated
        Whether the hub gives it only to those who have logged in and accepted its terms.
    texts
        Whether it has a text side; without one, classes are learnt from images alone. None where only opening it tells.
    """

    name: str
    kind: str
    dimension: int | None
    licence: str
    note: str
    extra: str | None = None
    gated: bool = False
    texts: bool | None = True

    @property
    def needs(self) -> tuple[str, ...]:
        """What must be there before it can be used, in a word each: an extra as pip has it, the hub, a login to it."""
        extra = () if self.extra is None else (f"[{self.extra}]",)
        return extra + ((HUB,) if self.kind == HUB else ()) + (("login",) if self.gated else ())


def _hub(name: str, dimension: int, licence: str, note: str, **more: Any) -> EncoderCard:
    return EncoderCard(name, HUB, dimension, licence, note, **{"extra": "torch", **more})


def _onnx(name: str, dimension: int, licence: str, note: str) -> EncoderCard:
    return _hub(name, dimension, licence, note, extra="hub")


HUB_CARDS = (
    _hub(DEFAULT_FOR_PHOTOGRAPHS, 512, "MIT", "the default for photographs: small, quick on a CPU"),
    _hub("openai/clip-vit-base-patch16", 512, "MIT", "finer patches: better, four times the work"),
    _hub("openai/clip-vit-large-patch14", 768, "MIT", "large: better still, wants a GPU"),
    _hub("openai/clip-vit-large-patch14-336", 768, "MIT", "the same at 336 pixels, for small details"),
    _hub("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", 512, "MIT", "as the default, trained on open data"),
    _hub("laion/CLIP-ViT-H-14-laion2B-s32B-b79K", 1024, "MIT", "huge, trained on open data"),
    _hub("facebook/metaclip-b32-400m", 512, "CC-BY-NC-4.0", "as the default with curated data; not for commerce"),
    _hub("google/siglip-base-patch16-224", 768, "Apache-2.0", "sigmoid loss: strong at naming"),
    _hub("google/siglip-so400m-patch14-384", 1152, "Apache-2.0", "large SigLIP at 384 pixels, wants a GPU"),
    _hub("google/siglip2-base-patch16-224", 768, "Apache-2.0", "SigLIP 2: many languages"),
    _hub("google/siglip2-so400m-patch14-384", 1152, "Apache-2.0", "large SigLIP 2 at 384 pixels, wants a GPU"),
    _hub(
        "google/siglip2-base-patch16-naflex", 768, "Apache-2.0", "SigLIP 2 that keeps the shape of pictures: documents"
    ),
    _hub("google/tipsv2-b14", 768, "Apache-2.0", "texts and fine detail at 448 pixels, wants a GPU"),
    _hub(
        "apple/aimv2-large-patch14-224-lit", 768, "Apple AMLR", "strong image tower, texts learnt for it; research only"
    ),
    _hub("zer0int/LongCLIP-GmP-ViT-L-14", 768, "MIT", "large CLIP that reads texts of 248 tokens"),
    _hub("facebook/metaclip-2-worldwide-huge-quickgelu", 1024, "CC-BY-NC-4.0", "300 languages; huge; not for commerce"),
    _hub("BAAI/AltCLIP", 768, "CreativeML OpenRAIL-M", "large CLIP's images, texts in English and Chinese"),
    _hub("OFA-Sys/chinese-clip-vit-base-patch16", 512, "MIT", "texts in Chinese"),
    _hub("clip-italian/clip-italian", 512, "GPL-3.0", "texts in Italian"),
    _hub("imageomics/bioclip", 512, "MIT", "names of species: animals, plants, fungi; OpenCLIP's files"),
    _onnx("Xenova/clip-vit-base-patch32", 512, "MIT", "the default as ONNX files: without torch"),
    _onnx("Xenova/siglip-base-patch16-224", 768, "Apache-2.0", "SigLIP as ONNX files: without torch"),
    _onnx("immich-app/ViT-B-32__openai", 512, "MIT", "the default as Immich has it: without torch"),
    _hub("facebook/dinov2-base", 768, "Apache-2.0", "self-supervised features", texts=False),
    _hub(
        "facebook/dinov3-vitb16-pretrain-lvd1689m",
        768,
        "DINOv3 License",
        "self-supervised features of a newer make",
        texts=False,
        gated=True,
    ),
    _hub("google/vit-base-patch16-224", 768, "Apache-2.0", "trained on ImageNet", texts=False),
    _hub("facebook/convnextv2-tiny-22k-224", 768, "CC-BY-NC-4.0", "convolutions, quick; not for commerce", texts=False),
    _hub("facebook/data2vec-vision-base-ft1k", 768, "Apache-2.0", "tuned on ImageNet", texts=False),
)

POCKET_NOTE = "for photographs without a download: small, quick, knows the things of ImageNet"
SKETCH_NOTE = "a miniature for trying out and testing, trained on drawn pictures; not for photographs"
