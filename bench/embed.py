"""Embedding throughput, decoding included, against `transformers` as its documentation uses it.

Both embed the same photographs with the same ViT-B/32 of random weights: the peer with its image processor
(Pillow back end) and `CLIPModel.get_image_features` in batches of 32, in inference mode, at the thread count
that is best for it; Inkling with `embed_images` without a cache, for each precision. Rounds interleave all of
them, so that a busy machine slows all alike; a ratio is the median over rounds.

    python bench/embed.py --shared ../shared --output embed.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table
from transformers import CLIPConfig, CLIPModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from inkling.embeddings.embed import embed_images
from inkling.encoders.precision import PRECISIONS
from inkling.encoders.registry import load_encoder
from inkling.types import ImageRecord

BATCH = 32
FOLDERS = ("coco_crops/few_shot/test", "clothing/test", "caltech101")
PACKAGES = ("torch", "transformers", "pillow", "numpy", "inkling-vision")

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Result:
    """One way of embedding: seconds of each round, images per second, times the peer's speed, agreement."""

    name: str
    seconds: list[float]
    images_per_second: float
    ratio: float
    least_cosine: float
    mean_cosine: float


def main() -> None:
    options = _parse()
    paths = sample_photographs(options.shared / "data", options.images, seed=options.seed)
    with tempfile.TemporaryDirectory() as folder:
        write_random_vit(Path(folder), seed=options.seed)
        peer = Peer(Path(folder))
        peer.choose_threads(paths[: 2 * BATCH])
        results = compare(peer, Path(folder), paths, rounds=options.rounds)
    report = {
        "what": "embedding throughput, ViT-B/32, random weights, decoding included",
        "images": len(paths),
        "batch": BATCH,
        "rounds": options.rounds,
        "seed": options.seed,
        "peer_threads": peer.n_threads,
        "results": [asdict(result) for result in results],
        **surroundings(),
    }
    show(results, report)
    if options.output:
        options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def sample_photographs(data: Path, n: int, *, seed: int) -> list[Path]:
    """The same number of photographs of each source, drawn by the seed."""
    rng = np.random.default_rng(seed)
    found: list[Path] = []
    for folder in FOLDERS:
        files = sorted((data / folder).rglob("*.jpg"))
        found += [files[at] for at in rng.choice(len(files), size=n // len(FOLDERS), replace=False)]
    return [found[at] for at in rng.permutation(len(found))]


def write_random_vit(folder: Path, *, seed: int) -> None:
    """A CLIP ViT-B/32 as the library initialises it."""
    torch.manual_seed(seed)
    CLIPModel(CLIPConfig()).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)


class Peer:
    """The reference, in its best setting."""

    def __init__(self, folder: Path) -> None:
        self.model = CLIPModel.from_pretrained(folder, attn_implementation="sdpa").eval()
        self.processor = CLIPImageProcessorPil.from_pretrained(folder)
        self.n_threads = torch.get_num_threads()

    def embed(self, paths: Sequence[Path]) -> Vectors:
        """Unit vectors (n, d)."""
        torch.set_num_threads(self.n_threads)
        parts = [self._embed_batch(paths[at : at + BATCH]) for at in range(0, len(paths), BATCH)]
        vectors = torch.cat(parts)
        return (vectors / vectors.norm(dim=-1, keepdim=True)).numpy()

    def _embed_batch(self, paths: Sequence[Path]) -> torch.Tensor:
        images = [Image.open(path).convert("RGB") for path in paths]
        pixels = self.processor(images=images, return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            return self.model.get_image_features(pixel_values=pixels).pooler_output

    def choose_threads(self, paths: Sequence[Path]) -> None:
        """Take the thread count that is quickest on these images, at the best of three tries."""
        spent: dict[int, float] = {}
        for _ in range(3):
            for n_threads in range(1, len(os.sched_getaffinity(0)) + 1):
                self.n_threads = n_threads
                seconds, _ = timed(lambda: self.embed(paths))
                spent[n_threads] = min(seconds, spent.get(n_threads, seconds))
        self.n_threads = min(spent, key=spent.__getitem__)


def compare(peer: Peer, folder: Path, paths: Sequence[Path], *, rounds: int) -> list[Result]:
    """Time peer and Inkling in turn, after a first batch of each that isn't counted."""
    n_cores = len(os.sched_getaffinity(0))
    ways: dict[str, Callable[[Sequence[Path]], Vectors]] = {"transformers": peer.embed}
    for precision in PRECISIONS:
        ways[f"inkling {precision}"] = _inkling(folder, precision, n_cores)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    vectors: dict[str, Vectors] = {}
    for embed in ways.values():
        embed(paths[:BATCH])
    for _ in range(rounds):
        for name, embed in ways.items():
            spent, vectors[name] = timed(lambda embed=embed: embed(paths))
            seconds[name].append(spent)
    return [_result(name, seconds, vectors, len(paths)) for name in ways]


def _inkling(folder: Path, precision: str, n_cores: int) -> Callable[[Sequence[Path]], Vectors]:
    encoder = load_encoder(folder, device="cpu", precision=precision)

    def embed(paths: Sequence[Path]) -> Vectors:
        torch.set_num_threads(n_cores)
        return embed_images([ImageRecord(str(path)) for path in paths], encoder, cache=None).embeddings

    return embed


def timed(function: Callable[[], Vectors]) -> tuple[float, Vectors]:
    """Seconds that a call takes, and what it returns."""
    start = time.perf_counter()
    value = function()
    return time.perf_counter() - start, value


def _result(name: str, seconds: dict[str, list[float]], vectors: dict[str, Vectors], n_images: int) -> Result:
    cosines = (vectors[name] * vectors["transformers"]).sum(axis=1)
    pairs = zip(seconds["transformers"], seconds[name], strict=True)
    return Result(
        name=name,
        seconds=[round(spent, 3) for spent in seconds[name]],
        images_per_second=round(n_images / median(seconds[name]), 2),
        ratio=round(median(theirs / ours for theirs, ours in pairs), 2),
        least_cosine=round(float(cosines.min()), 7),
        mean_cosine=round(float(cosines.mean()), 7),
    )


def surroundings() -> dict[str, object]:
    """Versions, machine and time, as every result records them."""
    return {
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "machine": {
            "processor": str(torch.cpu.get_capabilities().get("cpu_name", platform.processor())),
            "cores": len(os.sched_getaffinity(0)),
            "avx512_bf16": bool(torch.cpu.get_capabilities().get("avx512_bf16")),
            "avx512_vnni": bool(torch.cpu.get_capabilities().get("avx512_vnni")),
        },
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return "from source"


def show(results: Sequence[Result], report: dict[str, object]) -> None:
    """Print the table."""
    table = Table(title=f"{report['images']} photographs, {report['machine']}")
    for heading in ("", "images/s", "times the peer", "least cosine"):
        table.add_column(heading, justify="left" if heading == "" else "right")
    for result in results:
        table.add_row(
            result.name, f"{result.images_per_second:.1f}", f"{result.ratio:.2f}", f"{result.least_cosine:.6f}"
        )
    Console().print(table)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="the development data")
    parser.add_argument("--images", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="where to write the results as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
