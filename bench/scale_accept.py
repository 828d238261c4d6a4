"""How long a decision on a large memory takes until a service answers by it, and how that answers meanwhile.

The encoder is one product with drawn numbers, so that what is measured is the memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from PIL import Image

from common import Row, at_most
from drawn_memory import DIMS, drawn, images_of
from inkling.classifier.detection import DEFAULT_FALSE_ALARMS
from inkling.classifier.fitted import fit_classifier
from inkling.classifier.persistence import to_memory
from inkling.encoders.registry import load_encoder
from inkling.memory.discovered import Finding, PooledImage
from inkling.memory.pool import observe, read_pool
from inkling.memory.proposals import write_proposals
from inkling.memory.store import write_memory
from inkling.review.decisions import Decisions
from inkling.unknown import UnknownDetector
from serving import Client, Server, form_of, served

SEED = 0
N = int(os.environ.get("ACCEPTED", 1_000_000))
"""Exemplars; fewer for a trial, which the names of the rows then say."""
PER_CLASS, HEAD = 100, "gda"
NEW_CLASSES, NEW_IMAGES = 3, 40
SIDE, IDLE, OK = 32, 300, 200
SECONDS = 120.0


def rows(n: int = N) -> Iterator[Row]:
    """Three classes, accepted one after the other by another process than the service's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        memory, took = folder / "large.ink", _written(folder, n)
        picture = folder / "picture.png"
        noise = np.random.default_rng(SEED).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        Image.fromarray(noise).save(picture)
        with served(memory, cache=folder / "cache") as server:
            idle, lived, meanwhile = _accepted(server, memory, form_of(picture))
            resident = server.resident / 2**30
    what = f"{n:,} exemplars, {n // PER_CLASS:,} classes, {HEAD}"
    yield at_most(f"{what}: accept to live, s (worst)", max(lived), 10.0, all=lived, **took)
    slow = float(np.percentile(meanwhile, 99) / np.percentile(idle, 99))
    told = {"p99_idle_ms": float(np.percentile(idle, 99)), "p99_meanwhile_ms": float(np.percentile(meanwhile, 99))}
    yield at_most(f"{what}: p99 of requests meanwhile over that of an idle service", slow, 3.0, **told)
    yield Row(f"{what}: resident, service, GiB", resident)


def _written(folder: Path, n: int) -> dict[str, float]:
    """A memory with a few proposals; seconds that it took to fit and to write."""
    rng = np.random.default_rng(SEED)
    encoder = load_encoder(_encoder(folder / "encoder", rng)).identity
    samples, entries = drawn(n, n // PER_CLASS, rng)
    started = time.perf_counter()
    fitted = fit_classifier(replace(samples, identity=encoder), entries, head=HEAD, seed=SEED)
    detector = UnknownDetector.fit(fitted.vectors, false_alarms=DEFAULT_FALSE_ALARMS, seed=SEED)
    fit = time.perf_counter() - started
    memory = folder / "large.ink"
    write_memory(memory, to_memory(replace(fitted, detector=detector), command="bench/scale.py"))
    centres = np.repeat(rng.standard_normal((NEW_CLASSES, DIMS), dtype=np.float32), NEW_IMAGES, axis=0)
    images = [PooledImage(f"inbox/{k}.jpg", f"new-{k}", 0.01, None) for k in range(len(centres))]
    observe(memory, images, images_of(centres, rng), fingerprint=encoder.fingerprint)
    parts = np.split(read_pool(memory).ids, NEW_CLASSES)
    write_proposals(memory, [Finding(tuple(map(int, part)), len(part), 0.9) for part in parts])
    return {"fit_s": fit, "fit_and_write_s": time.perf_counter() - started}


def _encoder(folder: Path, rng: np.random.Generator) -> Path:
    """A folder with an encoder that multiplies pixels with drawn numbers."""
    folder.mkdir()
    weights = rng.standard_normal((3 * SIDE * SIDE, DIMS), dtype=np.float32) / SIDE
    inputs = [onnx.helper.make_tensor_value_info("pixel_values", onnx.TensorProto.FLOAT, ["n", 3, SIDE, SIDE])]
    outputs = [onnx.helper.make_tensor_value_info("image_embeds", onnx.TensorProto.FLOAT, ["n", DIMS])]
    nodes = [
        onnx.helper.make_node("Flatten", ["pixel_values"], ["flat"]),
        onnx.helper.make_node("MatMul", ["flat", "weights"], ["image_embeds"]),
    ]
    graph = onnx.helper.make_graph(nodes, "drawn", inputs, outputs, [onnx.numpy_helper.from_array(weights, "weights")])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    read = {"name": "pixel_values", "size": SIDE, "resize": "square", "interpolation": "bicubic"}
    described = {
        "name": "drawn",
        "model": "model.onnx",
        "input": read | {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
        "outputs": {"embeddings": "image_embeds"},
        "dimension": DIMS,
        "logit_scale": 100.0,
        "licence": "none: drawn",
        "source": "bench/scale_accept.py",
    }
    (folder / "encoder.json").write_text(json.dumps(described), encoding="utf-8")
    return folder


def _accepted(server: Server, memory: Path, form: bytes) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of requests to an idle service; seconds of each decision until it is live; requests meanwhile."""
    client = Client(server.port)
    idle = [_ask(client, form)[0] for _ in range(IDLE)]
    lived, meanwhile = [], []
    for one in Decisions(memory).proposals():
        before, started = _ask(client, form)[1], time.perf_counter()
        command = [sys.executable, "-m", "inkling.cli.main", "accept", memory, str(one.id), "--name", f"new {one.id}"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as accepting:
            while _ask_noting(client, form, meanwhile) == before:
                if time.perf_counter() - started > SECONDS:
                    raise RuntimeError(f"The service did not follow in {SECONDS:.0f} s.")
            lived.append(time.perf_counter() - started)
        if accepting.returncode:
            raise RuntimeError(f"The decision ended with {accepting.returncode}.")
    return idle, lived, meanwhile


def _ask_noting(client: Client, form: bytes, milliseconds: list[float]) -> int:
    """The version that answers; the milliseconds it took are added to those of others."""
    took, version = _ask(client, form)
    milliseconds.append(took)
    return version


def _ask(client: Client, form: bytes) -> tuple[float, int]:
    """Milliseconds of an answer, and the version that it is of."""
    started = time.perf_counter()
    status, answer = client.predict(form)
    if status != OK:
        raise RuntimeError(f"The service answered {status}: {answer}")
    return 1e3 * (time.perf_counter() - started), int(answer["memory_version"])


PARTS: dict[str, Callable[[], Iterator[Row]]] = {"accept": rows}
