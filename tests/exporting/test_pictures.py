"""Pictures prepared within the graph are those that the encoder prepares, whatever their shape."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inkling.encoders.open_clip.preprocessing import from_open_clip_config
from inkling.encoders.preprocessing import FloatPreprocessing, PatchPreprocessing, Preprocessing
from inkling.errors import EncoderError
from inkling.exporting import resizing
from inkling.exporting.graph import Graph
from inkling.exporting.pictures import add_preparation
from tests.exporting.sides import opened

MEAN, STD = (0.48, 0.45, 0.40), (0.26, 0.5, 0.27)
BICUBIC, BILINEAR = 3, 2
FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": BILINEAR, "bicubic": BICUBIC, "box": 4, "hamming": 5}
SIZES = {
    "shorter edge and crop": {"shorter_edge": 24, "resized": None, "crop": (24, 24)},
    "crop within": {"shorter_edge": 30, "resized": None, "crop": (21, 24)},
    "crop sticks out": {"shorter_edge": 15, "resized": None, "crop": (24, 21)},
    "square": {"shorter_edge": None, "resized": (24, 24), "crop": None},
    "exact size and crop": {"shorter_edge": None, "resized": (20, 33), "crop": (25, 21)},
    "crop alone": {"shorter_edge": None, "resized": None, "crop": (24, 23)},
}
ODD_SHAPES = [(1, 500), (500, 1), (3, 3), (1, 1), (2, 700), (24, 24), (25, 24), (1000, 30), (37, 411), (90, 33)]


@cache
def session(preprocessing: Preprocessing) -> onnxruntime.InferenceSession:
    graph = Graph()
    graph.name(add_preparation(graph, preprocessing, "image"), "prepared")
    axes = (1, 3, *preprocessing.output)
    model = graph.model(
        inputs={"image": (np.uint8, ("height", "width", 3))},
        outputs={"prepared": (np.float32, axes)},
        defaults={},
        description="under test",
    )
    return opened(model)


def in_graph(preprocessing: Preprocessing, image: Image.Image) -> np.ndarray:
    return session(preprocessing).run(None, {"image": np.asarray(image)})[0][0]


def noise(height: int, width: int, seed: int = 0) -> Image.Image:
    """The hardest picture: each channel of each pixel is black or white."""
    rng = np.random.default_rng(seed)
    return Image.fromarray((rng.integers(0, 2, (height, width, 3)) * 255).astype(np.uint8))


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("sizes", SIZES)
def test_pictures_of_odd_shapes_are_equal_to_the_last_bit(name: str, sizes: str) -> None:
    preprocessing = Preprocessing(**SIZES[sizes], mean=MEAN, std=STD, resample=FILTERS[name])
    for height, width in ODD_SHAPES:
        image = noise(height, width)
        np.testing.assert_array_equal(in_graph(preprocessing, image), preprocessing(image))


@settings(max_examples=200, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 120), st.integers(1, 120)),
    mode=st.sampled_from(["shortest", "longest", "squash"]),
    interpolation=st.sampled_from(["bicubic", "bilinear"]),
    size=st.sampled_from([24, 25, (20, 33), (33, 20)]),
)
def test_pictures_are_prepared_as_open_clip_does(
    shape: tuple[int, int], mode: str, interpolation: str, size: int | tuple[int, int]
) -> None:
    if mode == "shortest" and not isinstance(size, int):
        return
    config = {"size": size, "mean": MEAN, "std": STD, "interpolation": interpolation, "resize_mode": mode}
    preprocessing = from_open_clip_config(config | {"fill_color": 77})
    image = noise(*shape)
    found, expected = in_graph(preprocessing, image), preprocessing(image)
    assert np.mean(found != expected) < 1e-3


@settings(max_examples=150, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 120), st.integers(1, 120)),
    resample=st.sampled_from([*FILTERS.values()]),
    sizes=st.sampled_from([*SIZES]),
    seed=st.integers(0, 9),
)
def test_pictures_of_any_shape_are_equal(shape: tuple[int, int], resample: int, sizes: str, seed: int) -> None:
    preprocessing = Preprocessing(**SIZES[sizes], mean=MEAN, std=STD, resample=resample)
    image = noise(*shape, seed)
    found, expected = in_graph(preprocessing, image), preprocessing(image)
    grey_level = 1 / 255 / np.asarray(STD)[:, None, None]
    # The sum by which weights are divided may be rounded otherwise: a weight in thousands is then off by 2^-22.
    assert np.mean(found != expected) < 1e-3
    assert (np.abs(found - expected) <= 1.001 * grey_level).all()


@pytest.mark.parametrize("resample", [BILINEAR, BICUBIC])
@pytest.mark.parametrize("shape", [(900, 700), (700, 900), (8000, 90), (1100, 1100)])
def test_large_pictures_differ_by_few_bytes(resample: int, shape: tuple[int, int]) -> None:
    preprocessing = Preprocessing(64, None, (64, 64), mean=(0.0,) * 3, std=(1.0,) * 3, resample=resample, rescale=None)
    coarse = noise(shape[0] // 40 + 1, shape[1] // 40 + 1)
    image = coarse.resize(shape[::-1], Image.Resampling.BICUBIC)
    assert image.width * image.height > resizing.MOST_EXACT_PIXELS
    differences = np.abs(in_graph(preprocessing, image) - preprocessing(image))
    assert differences.max() <= 2
    assert np.mean(differences > 0) < (1e-3 if resample == BICUBIC else 2e-2)


def test_the_operator_takes_axes_in_the_order_of_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clipping in between makes 30 grey levels of the order, on hard pictures."""
    monkeypatch.setattr(resizing, "MOST_EXACT_PIXELS", 0)
    preprocessing = Preprocessing(None, (24, 25), None, mean=(0.0,) * 3, std=(1.0,) * 3, rescale=None)
    session.cache_clear()
    for height, width in [(60, 20), (20, 60), (60, 60), (20, 20), (90, 26), (26, 90), (60, 42), (60, 43), (60, 44)]:
        image = noise(height, width)
        assert np.abs(in_graph(preprocessing, image) - preprocessing(image)).max() <= 1, (height, width)
    session.cache_clear()


@pytest.mark.parametrize("resample", FILTERS.values())
@pytest.mark.parametrize("sizes", SIZES)
def test_floats_are_resized_without_rounding(resample: int, sizes: str) -> None:
    preprocessing = FloatPreprocessing(**SIZES[sizes], mean=MEAN, std=STD, resample=resample)
    for height, width in ODD_SHAPES:
        image = noise(height, width)
        np.testing.assert_allclose(in_graph(preprocessing, image), preprocessing(image), atol=1e-5)


def test_values_that_are_not_rescaled() -> None:
    preprocessing = Preprocessing(None, (9, 9), None, mean=(127.0,) * 3, std=(128.0,) * 3, rescale=None)
    image = noise(40, 30)
    np.testing.assert_array_equal(in_graph(preprocessing, image), preprocessing(image))


@pytest.mark.shared
def test_photographs_are_equal(shared: Path) -> None:
    preprocessing = Preprocessing(224, None, (224, 224), mean=MEAN, std=STD)
    files = sorted((shared / "data/coco_crops/few_shot/test").glob("*/*.jpg"))[::25]
    assert files
    for file in files:
        image = Image.open(file).convert("RGB")
        np.testing.assert_array_equal(in_graph(preprocessing, image), preprocessing(image))


def test_pictures_of_any_shape_are_refused() -> None:
    preprocessing = PatchPreprocessing(None, None, None, mean=MEAN, std=STD)
    with pytest.raises(EncoderError, match="any shape"):
        add_preparation(Graph(), preprocessing, "image")
