"""Embedding throughput, decoding included, against `transformers` as its documentation uses it.

Both embed the same photographs with the same model of random weights, a CLIP ViT-B/32 first, then a SigLIP B/16
of 224 pixels and a DINOv2-base: the peer with its image processor (Pillow back end) and `get_image_features`
(the class token of DINOv2) in batches of 32, in inference mode, at the thread count that is best for it;
Inkling with `embed_images` without a cache, for each precision. Rounds interleave all of them, so that a busy
machine slows all alike; a ratio is the median over rounds.

What 8 bits cost in accuracy is measured with the embedded miniature on pictures that it has not seen.

    python bench/embed.py [--images 192] [--large-images 48] [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import CLIPConfig, CLIPModel, Dinov2Config, Dinov2Model, SiglipConfig, SiglipModel
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from common import ROOT, SHARED, Row, at_least, at_most, record
from inkling.embeddings.embed import embed_images
from inkling.encoders.precision import AUTO, BFLOAT16, FLOAT32, INT8
from inkling.encoders.registry import load_encoder
from inkling.sketch import TRAINED, draw
from inkling.types import ImageRecord

SEED = 0
BATCH = 32
PHOTOGRAPHS = ("coco_crops/few_shot/test", "clothing/test", "caltech101")
PEER = "transformers"
DRAWN_PER_KIND, DRAWN_SEED = 25, 90_000_000

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[Path]], Vectors]


@dataclass(frozen=True)
class Geometry:
    """A model of random weights, as the library builds it.

    Attributes
    ----------
    name
        For the table.
    config, model, processor
        Classes of the library.
    targets
        Times the peer's speed to reach, by precision; None stands for orientation.
    """

    name: str
    config: Any
    model: Any
    processor: Any
    targets: Mapping[str, float | None]

    def write(self, folder: Path) -> None:
        """Weights as the library initialises them, and the processor's defaults."""
        torch.manual_seed(SEED)
        self.model(self.config()).save_pretrained(folder)
        self.processor(**PROCESSOR_OPTIONS.get(self.processor, {})).save_pretrained(folder)


PROCESSOR_OPTIONS = {
    BitImageProcessorPil: {
        "size": {"shortest_edge": 256},
        "crop_size": {"height": 224, "width": 224},
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
    }
}
"""Of DINOv2; the others' are the defaults."""
VIT_B32 = Geometry(
    "ViT-B/32", CLIPConfig, CLIPModel, CLIPImageProcessorPil, {AUTO: 1.7, FLOAT32: None, BFLOAT16: None, INT8: 2.8}
)
LARGE = (
    Geometry("SigLIP B/16-224", SiglipConfig, SiglipModel, SiglipImageProcessorPil, {AUTO: 2.0, FLOAT32: 1.2}),
    Geometry("DINOv2-base", Dinov2Config, Dinov2Model, BitImageProcessorPil, {AUTO: 2.0, FLOAT32: 1.2}),
)


@dataclass(frozen=True)
class Timed:
    """Seconds of each round, and the vectors of the last."""

    seconds: list[float]
    vectors: Vectors


def main() -> None:
    """Measure, print, keep."""
    options = _parse()
    rows: list[Row] = []
    seconds: dict[str, dict[str, list[float]]] = {}
    for geometry, n_images in ((VIT_B32, options.images), *((one, options.large_images) for one in LARGE)):
        paths = sample_photographs(n_images)
        found = measured(geometry, paths, rounds=options.rounds)
        rows += throughput(geometry, found, len(paths))
        seconds[geometry.name] = {name: [round(spent, 3) for spent in one.seconds] for name, one in found.items()}
    path = record(
        "embed",
        [*rows, *accuracy()],
        seed=SEED,
        encoder="models of random weights, and sketch for accuracy",
        images=[options.images, options.large_images],
        rounds=options.rounds,
        seconds=seconds,
    )
    print(f"Kept in {path.relative_to(ROOT)}")


def measured(geometry: Geometry, paths: Sequence[Path], *, rounds: int) -> dict[str, Timed]:
    """Seconds of the peer and of each precision on the same images."""
    with tempfile.TemporaryDirectory() as folder:
        geometry.write(Path(folder))
        peer = Peer(geometry, Path(folder))
        peer.choose_threads(paths[:BATCH])
        return compare(peer, geometry, Path(folder), paths, rounds=rounds)


def sample_photographs(n: int) -> list[Path]:
    """The same number of photographs of each source, drawn by the seed."""
    rng = np.random.default_rng(SEED)
    found: list[Path] = []
    for folder in PHOTOGRAPHS:
        files = sorted((SHARED / "data" / folder).rglob("*.jpg"))
        found += [files[at] for at in rng.choice(len(files), size=n // len(PHOTOGRAPHS), replace=False)]
    return [found[at] for at in rng.permutation(len(found))]


class Peer:
    """The reference, in its best setting."""

    def __init__(self, geometry: Geometry, folder: Path) -> None:
        model = geometry.model.from_pretrained(folder, attn_implementation="sdpa").eval()
        # Weights as loaded lie in the mapped file, off the alignment that matrix kernels like; copies don't.
        self.model = deepcopy(model)
        self.processor = geometry.processor.from_pretrained(folder)
        self.n_threads = torch.get_num_threads()

    def embed(self, paths: Sequence[Path]) -> Vectors:
        """Unit vectors (n, d)."""
        torch.set_num_threads(self.n_threads)
        vectors = torch.cat([self._embed_batch(paths[at : at + BATCH]) for at in range(0, len(paths), BATCH)])
        return (vectors / vectors.norm(dim=-1, keepdim=True)).numpy()

    def choose_threads(self, paths: Sequence[Path]) -> None:
        """Take the thread count that is quickest on these images, at the best of three tries."""
        spent: dict[int, float] = {}
        for _ in range(3):
            for n_threads in range(1, _n_cores() + 1):
                self.n_threads = n_threads
                spent[n_threads] = min(_time(self.embed, paths)[0], spent.get(n_threads, np.inf))
        self.n_threads = min(spent, key=spent.__getitem__)

    def _embed_batch(self, paths: Sequence[Path]) -> torch.Tensor:
        images = [Image.open(path).convert("RGB") for path in paths]
        pixels = self.processor(images=images, return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            if hasattr(self.model, "get_image_features"):
                return self.model.get_image_features(pixel_values=pixels).pooler_output
            return self.model(pixel_values=pixels).pooler_output  # the class token


def compare(peer: Peer, geometry: Geometry, folder: Path, paths: Sequence[Path], *, rounds: int) -> dict[str, Timed]:
    """Time peer and Inkling in turn, after a first batch of each that isn't counted."""
    ways: dict[str, Embed] = {PEER: peer.embed}
    ways |= {precision: _inkling(folder, precision) for precision in geometry.targets}
    for embed in ways.values():
        embed(paths[:BATCH])
    found = {name: Timed([], np.empty((0, 0), np.float32)) for name in ways}
    for _ in range(rounds):
        for name, embed in ways.items():
            seconds, vectors = _time(embed, paths)
            found[name] = Timed([*found[name].seconds, seconds], vectors)
    return found


def throughput(geometry: Geometry, found: dict[str, Timed], n_images: int) -> list[Row]:
    """Each precision against the peer: times its speed, and how far the vectors turn."""
    rates = {name: n_images / median(timed.seconds) for name, timed in found.items()}
    of = "" if geometry is VIT_B32 else f"{geometry.name}: "
    rows = [Row(f"{of}transformers, images a second", rates[PEER])]
    for name, target in geometry.targets.items():
        pairs = zip(found[PEER].seconds, found[name].seconds, strict=True)
        ratios = [theirs / ours for theirs, ours in pairs]
        cosines = (found[name].vectors.astype(np.float64) * found[PEER].vectors).sum(axis=1)
        gap = max(0.0, 1 - float(cosines.min()))
        details = {"images_per_second": rates[name], "ratio_of_each_round": ratios}
        rows += [
            _row(f"{of}{name}, times the peer's speed", median(ratios), target, **details),
            at_most(f"{of}{name}, largest 1 - cosine", gap, 1e-4)
            if name == AUTO
            else Row(f"{of}{name}, largest 1 - cosine", gap),
        ]
    return rows


def accuracy() -> list[Row]:
    """Zero-shot accuracy of the miniature on drawn pictures, for float32 and for 8 bits."""
    pictures = [(kind, draw(kind, seed=DRAWN_SEED + number)) for kind in TRAINED for number in range(DRAWN_PER_KIND)]
    truth = [kind for kind, _ in pictures]
    records = [ImageRecord(f"{kind} {at}", image=image) for at, (kind, image) in enumerate(pictures)]
    right: dict[str, NDArray[np.bool_]] = {}
    for precision in (AUTO, INT8):
        encoder = load_encoder("sketch", device="cpu", precision=precision)
        texts = encoder.encode_texts([f"a photo of a {kind}." for kind in TRAINED])
        vectors = embed_images(records, encoder, cache=None).embeddings
        labels = [TRAINED[at] for at in (vectors @ texts.T).argmax(axis=1)]
        right[precision] = np.array([label == kind for label, kind in zip(labels, truth, strict=True)])
    lost = int((right[AUTO] & ~right[INT8]).sum())
    won = int((right[INT8] & ~right[AUTO]).sum())
    return [
        Row("sketch, auto, zero-shot top-1", float(right[AUTO].mean()), details={"n": len(truth)}),
        Row("sketch, int8, zero-shot top-1", float(right[INT8].mean()), details={"lost": lost, "won": won}),
    ]


def _inkling(folder: Path, precision: str) -> Embed:
    encoder = load_encoder(folder, device="cpu", precision=precision)

    def embed(paths: Sequence[Path]) -> Vectors:
        torch.set_num_threads(_n_cores())
        return embed_images([ImageRecord(str(path)) for path in paths], encoder, cache=None).embeddings

    return embed


def _row(what: str, got: float, target: float | None, **details: object) -> Row:
    return Row(what, got, details=details or None) if target is None else at_least(what, got, target, **details)


def _time(embed: Embed, paths: Sequence[Path]) -> tuple[float, Vectors]:
    start = time.perf_counter()
    vectors = embed(paths)
    return time.perf_counter() - start, vectors


def _n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Embedding throughput against transformers.")
    parser.add_argument("--images", type=int, default=192)
    parser.add_argument("--large-images", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
