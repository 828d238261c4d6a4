"""Embedding throughput, decoding included, against `transformers` as its documentation uses it.

Both embed the same photographs with the same ViT-B/32 of random weights: the peer with its image processor
(Pillow back end) and `CLIPModel.get_image_features` in batches of 32, in inference mode, at the thread count
that is best for it; Inkling with `embed_images` without a cache, for each precision. Rounds interleave all of
them, so that a busy machine slows all alike; a ratio is the median over rounds.

What 8 bits cost in accuracy is measured with the embedded miniature on pictures that it has not seen.

    python bench/embed.py [--images 192] [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import CLIPConfig, CLIPModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from common import ROOT, SHARED, Row, at_least, at_most, record
from inkling.embeddings.embed import embed_images
from inkling.encoders.precision import AUTO, BFLOAT16, FLOAT32, INT8, PRECISIONS
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
class Timed:
    """Seconds of each round, and the vectors of the last."""

    seconds: list[float]
    vectors: Vectors


def main() -> None:
    """Measure, print, keep."""
    options = _parse()
    paths = sample_photographs(options.images)
    with tempfile.TemporaryDirectory() as folder:
        write_random_vit(Path(folder))
        peer = Peer(Path(folder))
        peer.choose_threads(paths[: 2 * BATCH])
        found = compare(peer, Path(folder), paths, rounds=options.rounds)
    rows = [*throughput(found, len(paths)), *accuracy()]
    path = record(
        "embed",
        rows,
        seed=SEED,
        encoder="ViT-B/32 of random weights, and sketch for accuracy",
        images=len(paths),
        rounds=options.rounds,
        peer_threads=peer.n_threads,
        seconds={name: [round(spent, 3) for spent in timed.seconds] for name, timed in found.items()},
    )
    print(f"Kept in {path.relative_to(ROOT)}")


def sample_photographs(n: int) -> list[Path]:
    """The same number of photographs of each source, drawn by the seed."""
    rng = np.random.default_rng(SEED)
    found: list[Path] = []
    for folder in PHOTOGRAPHS:
        files = sorted((SHARED / "data" / folder).rglob("*.jpg"))
        found += [files[at] for at in rng.choice(len(files), size=n // len(PHOTOGRAPHS), replace=False)]
    return [found[at] for at in rng.permutation(len(found))]


def write_random_vit(folder: Path) -> None:
    """A CLIP ViT-B/32 as the library initialises it."""
    torch.manual_seed(SEED)
    CLIPModel(CLIPConfig()).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)


class Peer:
    """The reference, in its best setting."""

    def __init__(self, folder: Path) -> None:
        model = CLIPModel.from_pretrained(folder, attn_implementation="sdpa").eval()
        # Weights as loaded lie in the mapped file, off the alignment that matrix kernels like; copies don't.
        self.model = deepcopy(model)
        self.processor = CLIPImageProcessorPil.from_pretrained(folder)
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
            return self.model.get_image_features(pixel_values=pixels).pooler_output


def compare(peer: Peer, folder: Path, paths: Sequence[Path], *, rounds: int) -> dict[str, Timed]:
    """Time peer and Inkling in turn, after a first batch of each that isn't counted."""
    ways: dict[str, Embed] = {PEER: peer.embed}
    ways |= {precision: _inkling(folder, precision) for precision in PRECISIONS}
    for embed in ways.values():
        embed(paths[:BATCH])
    found = {name: Timed([], np.empty((0, 0), np.float32)) for name in ways}
    for _ in range(rounds):
        for name, embed in ways.items():
            seconds, vectors = _time(embed, paths)
            found[name] = Timed([*found[name].seconds, seconds], vectors)
    return found


def throughput(found: dict[str, Timed], n_images: int) -> list[Row]:
    """Each precision against the peer: times its speed, and how far the vectors turn."""
    rates = {name: n_images / median(timed.seconds) for name, timed in found.items()}
    rows = [Row("transformers, images a second", rates[PEER])]
    targets = {AUTO: 1.7, FLOAT32: None, BFLOAT16: None, INT8: 2.8}
    for name, target in targets.items():
        pairs = zip(found[PEER].seconds, found[name].seconds, strict=True)
        ratios = [theirs / ours for theirs, ours in pairs]
        cosines = (found[name].vectors.astype(np.float64) * found[PEER].vectors).sum(axis=1)
        gap = max(0.0, 1 - float(cosines.min()))
        details = {"images_per_second": rates[name], "ratio_of_each_round": ratios}
        rows += [
            _row(f"{name}, times the peer's speed", median(ratios), target, **details),
            at_most(f"{name}, largest 1 - cosine", gap, 1e-4)
            if name == AUTO
            else Row(f"{name}, largest 1 - cosine", gap),
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
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
