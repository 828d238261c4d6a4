"""Whatever a file holds, the doors to the house let only our own errors out, each in a few lines.

Real files of each kind are damaged at random. `make fuzz` tries many more of them than the suite does: it sets
INKLING_FUZZ, the number of examples of each test.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pyarrow import parquet

from damage import damaged
from inkling.embeddings.precomputed import read_precomputed
from inkling.embeddings.samples import is_precomputed
from inkling.encoders.registry import load_encoder
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.errors import InklingError, UnreadableImageError
from inkling.images import budget
from inkling.images.decode import decode, load
from inkling.images.sources import find_images
from inkling.prompts import read_prompts
from tests.images.pictures import encoded, photo
from tests.images.shards import hub_parquet, tar_of

EXAMPLES = int(os.environ.get("INKLING_FUZZ", "250"))
LONGEST_MESSAGE = 2000

fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
seeds = st.integers(0, 2**48)


def held(door: Callable[[], object], ours: type[InklingError] = InklingError) -> bool:
    """Whether the door let something in; what it refuses, it refuses as one of ours and briefly."""
    refused: InklingError | None = None
    try:
        door()
    except ours as error:
        refused = error
    assert refused is None or len(str(refused)) < LONGEST_MESSAGE
    return refused is None


def _pictures() -> dict[str, bytes]:
    colours = photo(size=(24, 20))
    clear = colours.convert("RGBA")
    clear.putalpha(colours.convert("L"))
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = Image.fromarray(np.arange(480, dtype=np.uint16).reshape(20, 24) * 100)
    second = {"save_all": True, "append_images": [photo(1, size=(24, 20))]}
    found = {
        "JPEG": encoded(colours, "JPEG", exif=exif),
        "progressive": encoded(colours, "JPEG", progressive=True),
        "CMYK": encoded(colours.convert("CMYK"), "JPEG"),
        "PNG": encoded(colours, "PNG", exif=exif),
        "palette": encoded(colours.convert("P"), "PNG", transparency=3),
        "deep PNG": encoded(deep, "PNG"),
        "clear PNG": encoded(clear, "PNG"),
        "GIF": encoded(colours, "GIF", **second),
        "BMP": encoded(colours, "BMP"),
        "small BMP": encoded(colours.convert("P"), "BMP"),
        "TIFF": encoded(colours, "TIFF", exif=exif),
        "packed TIFF": encoded(clear, "TIFF", compression="tiff_lzw"),
        "JPEG in TIFF": encoded(colours, "TIFF", compression="jpeg"),
        "float TIFF": encoded(colours.convert("F"), "TIFF", compression="tiff_adobe_deflate"),
        "WebP": encoded(colours, "WEBP", exif=exif),
        "clear WebP": encoded(clear, "WEBP", lossless=True),
        "moving WebP": encoded(colours, "WEBP", **second),
        "AVIF": encoded(colours, "AVIF", exif=exif),
        "clear AVIF": encoded(clear, "AVIF"),
        "PPM": encoded(colours, "PPM"),
    }
    try:
        from pillow_heif import from_pillow
    except ModuleNotFoundError:  # HEIC is read with the extra 'heic'
        return found
    for name, picture in (("HEIC", colours), ("clear HEIC", clear)):
        out = io.BytesIO()
        from_pillow(picture.resize((64, 64))).save(out, exif=exif.tobytes())
        found[name] = out.getvalue()
    return found


PICTURES = _pictures()


@pytest.fixture(scope="module", autouse=True)
def _small_pictures() -> Iterator[None]:
    """A damaged header that announces a gigabyte is within the limits, and takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "MAX_DECODED_BYTES", 20_000_000)
        yield


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@fuzzed
@given(kind=st.sampled_from(sorted(PICTURES)), other=st.sampled_from(sorted(PICTURES)), seed=seeds)
def test_pictures(kind: str, other: str, seed: int) -> None:
    data = damaged(PICTURES[kind], seed, other=PICTURES[other])
    modes: list[str] = []
    held(lambda: modes.append(decode(data, shorter_side=(None, 4)[seed % 2]).mode), UnreadableImageError)
    assert set(modes) <= {"RGB"}


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("set/train/bus/1.png", "set/train/car/2.png", "set/test/bus/3.png", "set/Füße.png"):
            archive.writestr(name, PICTURES["PNG"])
    return out.getvalue()


@fuzzed
@given(seed=seeds)
def test_zips(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    path.write_bytes(damaged(_zip(), seed, other=PICTURES["JPEG"]))

    def read() -> None:
        for record in find_images(path).records:
            held(partial(load, record), UnreadableImageError)

    held(read)


def _tar() -> bytes:
    samples = (
        ("a.png", PICTURES["PNG"]),
        ("a.cls", b"3"),
        ("b.jpg", PICTURES["JPEG"]),
        ("b.json", b'{"label": "bus"}'),
    )
    return tar_of(*samples, ("ä" * 120 + "/c.png", PICTURES["PNG"]))


@fuzzed
@given(seed=seeds)
def test_tars(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "shard.tar"
    path.write_bytes(damaged(_tar(), seed, other=PICTURES["JPEG"]))

    def read() -> None:
        for record in find_images(path).records:
            held(partial(load, record), UnreadableImageError)

    held(read)


@fuzzed
@given(seed=seeds)
def test_parquet_of_pictures(seed: int, tmp_path: Path) -> None:
    pictures = [{"bytes": PICTURES[name], "path": f"{name}.png"} for name in ("PNG", "JPEG", "GIF")]
    path = hub_parquet(tmp_path / "a.parquet", pictures, [0, 1, -1], ["ant", "bee"], row_group_size=2)
    path.write_bytes(damaged(path.read_bytes(), seed, other=PICTURES["JPEG"]))

    def read() -> None:
        for record in find_images(path).records:
            held(partial(load, record), UnreadableImageError)

    held(read)


def _npz(**arrays: object) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


X = np.eye(4, 6, dtype=np.float32)
ODD_ARRAYS = [
    *(np.array("text"), np.array(3.5), np.array(b"bytes"), np.array([]), np.zeros((2, 2)), np.zeros((4, 6, 2))),
    *(np.array(["a", "b", "c", "d"]), np.array(["\ud800"] * 4), np.array([0, 1, 0, 1]), np.array([0, 9, 9, 9])),
    *(np.array([np.nan] * 4), np.array([True] * 4), np.array(["2026-01-01"] * 4, "M8[D]"), np.arange(4) * 1j, X, X[:2]),
    *(
        np.array('{"name": 3}'),
        np.array('{"a":' * 5000),
        np.array("{}"),
        np.zeros(4, dtype=[("a", int)]),
        np.full_like(X, np.inf),
    ),
]
KEYS = [
    *("embeddings", "x", "labels", "y", "paths", "path", "content_hashes", "features", "class_names", "text_vectors"),
    *("logit_scale", "encoder"),
]


@fuzzed
@given(odd=st.dictionaries(st.sampled_from(KEYS), st.sampled_from(range(len(ODD_ARRAYS))), max_size=4), seed=seeds)
def test_npz(odd: dict[str, int], seed: int, tmp_path: Path) -> None:
    path = tmp_path / "vectors.npz"
    data = _npz(**{"embeddings": X, **{key: ODD_ARRAYS[which] for key, which in odd.items()}})
    path.write_bytes(damaged(data, seed) if seed % 2 or not odd else data)
    held(lambda: read_precomputed(path))


ODD_COLUMNS = [
    *(["a", "b", None, "d"], [b"\xff", b"b", b"c", b"d"], [1, 2, 3, None], [1.5, float("nan"), 2.0, 3.0]),
    *([[1.0, 2.0]] * 4, [[1.0], [1.0, 2.0], [], None], [[]] * 4, [["a", "b"]] * 4, [[[1.0], [2.0]]] * 4),
    *([{"a": 1}] * 4, [True, False, None, True], [None] * 4, [[None, 1.0]] * 4),
]
COLUMNS = ["path", "Path", "image", "label", "split", "content_hash", "embedding", "feature", "other"]


@fuzzed
@given(
    columns=st.lists(st.tuples(st.sampled_from(COLUMNS), st.sampled_from(range(len(ODD_COLUMNS)))), max_size=4),
    told=st.sampled_from([None, b"\xff", b"{}", b"{" * 3000, b'{"name": "x"}', b"[]"]),
    seed=seeds,
)
def test_parquet(columns: list[tuple[str, int]], told: bytes | None, seed: int, tmp_path: Path) -> None:
    arrays = [pa.array(ODD_COLUMNS[which]) for _, which in columns]
    table = pa.table(arrays, names=[name for name, _ in columns])
    if told is not None:
        table = table.replace_schema_metadata({b"inkling.encoder": told})
    out = io.BytesIO()
    parquet.write_table(table, out)
    path = tmp_path / "table.parquet"
    path.write_bytes(damaged(out.getvalue(), seed) if seed % 3 == 0 else out.getvalue())
    held(lambda: read_precomputed(path))
    held(lambda: is_precomputed(path))
    held(lambda: find_images(path))


YAML = b"""crane: {prompts: ["a photo of a {}."], aliases: [wader, &x heron], disambiguation: a bird}
"mobile crane":
  - a crane of steel
  - *x
bus: a red {}
"""


@fuzzed
@given(seed=seeds)
def test_prompts_in_yaml(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "prompts.yaml"
    path.write_bytes(damaged(YAML, seed, other=YAML))
    held(lambda: read_prompts(path))


@fuzzed
@given(seed=seeds)
def test_tables_in_csv(seed: int, tmp_path: Path) -> None:
    out = io.StringIO()
    csv.writer(out).writerows(
        [("path", "label", "split"), ("a.png", "ant", "train"), ('b "c".png', "Bée, big", "test")]
    )
    path = tmp_path / "table.csv"
    path.write_bytes(damaged(out.getvalue().encode(("utf-8", "utf-16")[seed % 2]), seed, other=YAML))
    held(lambda: find_images(path))
    path.write_bytes(damaged(b"class;prompt;alias\ncrane;a {};wader\ncrane;;heron\n", seed, other=YAML))
    held(lambda: read_prompts(path))


DESCRIPTION = {
    "name": "e",
    "model": "model.onnx",
    "input": {
        **{"name": "pixels", "size": 32, "resize": "shorter_side", "interpolation": "bicubic"},
        **{"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
    },
    "outputs": {"embeddings": "e", "features": "f"},
    "dimension": 8,
    "feature_dimension": 4,
    "logit_scale": 100.0,
    "texts": {"table": "model.onnx", "template": "a {}"},
    "licence": "none",
    "source": "nowhere",
}
ODD_VALUES = st.sampled_from(
    [
        *(None, True, -1, 0, 10**9, 10**400, 1.5, float("nan"), float("inf"), "", "\ud800", "\0", "../..", "x" * 5000),
        *([], [0, 0, 0], [True, True, True], [float("nan")] * 3, [10**400] * 3, {}, {"a": []}),
    ]
)
PLACES = [(key,) for key in DESCRIPTION] + [
    (key, inner) for key in ("input", "outputs", "texts") for inner in DESCRIPTION[key]
]


@fuzzed
@given(odd=st.dictionaries(st.sampled_from(PLACES), ODD_VALUES, max_size=3), seed=seeds)
def test_descriptions_of_encoders(odd: dict[tuple[str, ...], object], seed: int, tmp_path: Path) -> None:
    content = json.loads(json.dumps(DESCRIPTION))
    for place, value in odd.items():
        inside = content if len(place) == 1 else content[place[0]]
        if isinstance(inside, dict):
            inside[place[-1]] = copy.deepcopy(value)
    (tmp_path / "model.onnx").write_bytes(b"")
    data = json.dumps(content).encode()
    (tmp_path / "encoder.json").write_bytes(damaged(data, seed, other=data) if seed % 2 or not odd else data)

    def read() -> None:
        identity = load_encoder(tmp_path).identity
        json.dumps(identity.name, ensure_ascii=False).encode()

    held(read)


SHAPES = {
    "vision_model.embeddings.patch_embedding.weight": [4, 3, 8, 8],
    "vision_model.embeddings.position_embedding.weight": [17, 4],
    "text_model.embeddings.position_embedding.weight": [7, 4],
    "visual_projection.weight": [6, 4],
    "logit_scale": [],
}
PROCESSOR = {
    "image_processor_type": "CLIPImageProcessor",
    "size": {"shortest_edge": 32},
    "crop_size": {"height": 32, "width": 32},
    **{"do_resize": True, "resample": 3, "rescale_factor": 0.004, "image_mean": [0.5] * 3, "image_std": [0.5] * 3},
}


def _weights() -> dict[str, object]:
    return {name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 4]} for name, shape in SHAPES.items()}


@fuzzed
@given(
    weights=st.dictionaries(
        st.tuples(st.sampled_from(sorted(SHAPES)), st.sampled_from(["dtype", "shape", "data_offsets"])),
        ODD_VALUES,
        max_size=2,
    ),
    processor=st.dictionaries(st.sampled_from(sorted(PROCESSOR)), ODD_VALUES, max_size=2),
    seed=seeds,
)
def test_model_folders(
    weights: dict[tuple[str, str], object], processor: dict[str, object], seed: int, tmp_path: Path
) -> None:
    header: dict[str, Any] = _weights()
    for (name, key), value in weights.items():
        header[name][key] = copy.deepcopy(value)
    config = b'{"model_type": "clip"}'
    files = {
        "config.json": config,
        "preprocessor_config.json": json.dumps(PROCESSOR | copy.deepcopy(processor)).encode(),
        "model.safetensors": json.dumps(header).encode(),
    }
    spoilt = sorted(files)[seed % 3]
    if seed % 2:
        files[spoilt] = damaged(files[spoilt], seed, other=config)
    length = len(files["model.safetensors"]).to_bytes(8, "little")
    files["model.safetensors"] = length + files["model.safetensors"] + np.float32(4.6).tobytes()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    def read() -> None:
        folder = ModelFolder(tmp_path)
        folder.preprocessing(Image.new("RGB", (40, 36)))
        assert min(folder.n_tokens, folder.width, folder.dimension, folder.text_length, folder.logit_scale) > 0

    held(read)


def test_the_folder_that_is_damaged_above_is_sound(tmp_path: Path) -> None:
    header = json.dumps(_weights()).encode()
    (tmp_path / "config.json").write_bytes(b'{"model_type": "clip"}')
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + np.float32(4.6).tobytes())
    folder = ModelFolder(tmp_path)
    assert folder.preprocessing(Image.new("RGB", (40, 36))).shape == (3, 32, 32)
    assert (folder.width, folder.dimension, folder.text_length) == (4, 6, 7)
    assert np.isclose(folder.logit_scale, np.exp(4.6))
