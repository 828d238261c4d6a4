"""From records to arrays: order, skipping, repetition, views, and how often the encoder is asked."""

from __future__ import annotations

import subprocess
import sys
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inkling.embeddings import pipeline
from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import embed_images, embed_texts, iter_embedded
from inkling.encoders.base import ImageVectors, Prepared
from inkling.errors import EncoderError
from inkling.images.decode import Content, decode, load
from inkling.images.files import Files
from inkling.images.sources import find_images
from inkling.images.views import view_of
from inkling.types import ImageRecord
from tests.fakes import DIMENSION, FEATURE_DIMENSION, FakeEncoder
from tests.images.pictures import difference, encoded, photo

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "cache")


def one_by_one(records: Sequence[ImageRecord]) -> ImageVectors:
    """What the encoder gives without any of the machinery."""
    encoder = FakeEncoder()
    return encoder.encode_images([encoder.prepare(load(record).image) for record in records])


@pytest.mark.parametrize("batch_size", [1, 4, 32])
@pytest.mark.parametrize("with_cache", [False, True])
def test_vectors_and_order(
    pictures: list[ImageRecord], cache: EmbeddingCache, batch_size: int, with_cache: bool
) -> None:
    embedded = embed_images(pictures, FakeEncoder(), cache=cache if with_cache else None, batch_size=batch_size)
    expected = one_by_one(pictures)
    assert embedded.records == tuple(pictures)
    assert np.array_equal(embedded.embeddings, expected.embeddings)
    assert embedded.features is not None
    assert np.array_equal(embedded.features, expected.features)
    assert embedded.content_hashes == tuple(load(record).content_hash for record in pictures)
    assert embedded.skipped == ()
    assert embedded.n_encoded == len(pictures)


def test_thumbnails_show_the_image(pictures: list[ImageRecord]) -> None:
    embedded = embed_images(pictures[:3], FakeEncoder(), cache=None, view=2)
    for record, thumbnail in zip(embedded.records, embedded.thumbnails, strict=True):
        assert difference(decode(thumbnail), load(record).image) < 6


def test_warm_run_asks_the_encoder_for_nothing(
    pictures: list[ImageRecord], cache: EmbeddingCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cold = embed_images(pictures, FakeEncoder(), cache=cache)
    monkeypatch.setattr("inkling.images.decode.decode", None)
    encoder = FakeEncoder()
    warm = embed_images(pictures, encoder, cache=cache)
    assert (warm.n_encoded, encoder.n_encoded) == (0, 0)
    assert np.array_equal(warm.embeddings, cold.embeddings)
    assert np.array_equal(warm.features, cold.features)
    assert warm.thumbnails == cold.thumbnails


def test_another_encoder_is_asked_again(pictures: list[ImageRecord], cache: EmbeddingCache) -> None:
    embed_images(pictures, FakeEncoder(), cache=cache)
    assert embed_images(pictures, FakeEncoder(fingerprint="fake-0002"), cache=cache).n_encoded == 25


def test_only_new_images_are_encoded(pictures: list[ImageRecord], cache: EmbeddingCache) -> None:
    embed_images(pictures[::2], FakeEncoder(), cache=cache)
    embedded = embed_images(pictures, FakeEncoder(), cache=cache, batch_size=4)
    assert embedded.n_encoded == 12
    assert np.array_equal(embedded.embeddings, one_by_one(pictures).embeddings)


def test_renamed_files_are_known(pictures: list[ImageRecord], cache: EmbeddingCache) -> None:
    embed_images(pictures, FakeEncoder(), cache=cache)
    moved = []
    for record in pictures:
        path = Path(record.path)
        moved.append(ImageRecord(str(path.rename(path.with_suffix(".jpg")))))
    assert embed_images(moved, FakeEncoder(), cache=cache).n_encoded == 0


@settings(max_examples=25, deadline=None)
@given(
    numbers=st.lists(st.integers(-2, 6), max_size=40),
    batch_size=st.integers(1, 7),
    warm=st.booleans(),
)
def test_equal_content_is_encoded_once_wherever_it_repeats(numbers: list[int], batch_size: int, warm: bool) -> None:
    """Negative numbers stand for images that cannot be read."""
    seeds = {number: photo(number, size=(8, 8)) for number in range(7)}
    records = [
        ImageRecord(f"/missing/{at}") if number < 0 else ImageRecord(str(at), image=seeds[number])
        for at, number in enumerate(numbers)
    ]
    readable = [number for number in numbers if number >= 0]
    with EmbeddingCache.temporary() as cache:
        embedded = embed_images(records, FakeEncoder(), cache=cache if warm else None, batch_size=batch_size)
    assert embedded.n_encoded == len(set(readable))
    assert len(embedded.skipped) == len(numbers) - len(readable)
    encoder = FakeEncoder()
    for row, number in enumerate(readable):
        expected = encoder.encode_images([encoder.prepare(seeds[number])]).embeddings[0]
        assert np.array_equal(embedded.embeddings[row], expected)


def test_one_bad_image_does_not_end_the_run(pictures: list[ImageRecord], tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not an image")
    empty = tmp_path / "empty.png"
    empty.write_bytes(b"")
    records = [ImageRecord(str(bad)), *pictures, ImageRecord(str(empty)), ImageRecord("gone.png")]
    embedded = embed_images(records * 2, FakeEncoder(), cache=None, batch_size=3)
    assert embedded.records == tuple(pictures) * 2
    reasons = {image.path: image.reason for image in embedded.skipped}
    assert len(embedded.skipped) == 6
    assert "not a JPEG" in reasons[str(bad)]
    assert "empty" in reasons[str(empty)]
    assert "does not exist" in reasons["gone.png"]


def test_nothing_to_embed() -> None:
    for records in ([], [ImageRecord("gone.png")]):
        embedded = embed_images(records, FakeEncoder(), cache=None)
        assert embedded.embeddings.shape == (0, DIMENSION)
        assert embedded.features is not None
        assert embedded.features.shape == (0, FEATURE_DIMENSION)
    assert embed_images([], FakeEncoder(with_features=False), cache=None).features is None
    assert embed_texts([], FakeEncoder(), cache=None).shape == (0, DIMENSION)


def test_encoder_without_features(pictures: list[ImageRecord], cache: EmbeddingCache) -> None:
    for _ in ("cold", "warm"):
        embedded = embed_images(pictures, FakeEncoder(with_features=False), cache=cache)
        assert embedded.features is None


def test_views(pictures: list[ImageRecord], cache: EmbeddingCache) -> None:
    views = [embed_images(pictures, FakeEncoder(), cache=cache, view=view) for view in (0, 1, 2)]
    assert [view.n_encoded for view in views] == [25, 25, 25]
    assert not np.array_equal(views[1].embeddings, views[2].embeddings)
    loaded = load(pictures[0])
    encoder = FakeEncoder()
    seen = encoder.prepare(view_of(loaded.image, 2, key=loaded.content_hash))
    assert np.array_equal(views[2].embeddings[0], encoder.encode_images([seen]).embeddings[0])
    again = embed_images(pictures[::-1], FakeEncoder(), cache=None, view=2, batch_size=3)
    assert np.array_equal(again.embeddings[::-1], views[2].embeddings)


def test_pictures_in_memory(cache: EmbeddingCache) -> None:
    shared = photo(1)
    records = [ImageRecord(f"image {number}", image=shared) for number in range(5)]
    embedded = embed_images(records, FakeEncoder(), cache=cache)
    assert embedded.n_encoded == 1
    assert len(embedded.records) == 5


def test_one_file_opened_lazily_in_many_records(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    path.write_bytes(encoded(photo(size=(400, 400)), "PNG"))
    with Image.open(path) as lazy:
        records = [ImageRecord(str(number), image=lazy) for number in range(40)]
        embedded = embed_images(records, FakeEncoder(), cache=None)
    assert len(embedded.records) == 40


def test_zip(pictures: list[ImageRecord], tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for record in pictures:
            archive.write(record.path, f"{record.label}/{Path(record.path).name}")
    found = find_images(path).records
    embedded = embed_images(found, FakeEncoder(), cache=None, batch_size=4)
    rows = one_by_one(pictures).embeddings
    expected = {load(record).content_hash: row for record, row in zip(pictures, rows, strict=True)}
    assert embedded.skipped == ()
    for key, row in zip(embedded.content_hashes, embedded.embeddings, strict=True):
        assert np.array_equal(row, expected[key])


def test_progress_and_batches(pictures: list[ImageRecord]) -> None:
    told: list[tuple[int, int]] = []
    records = [*pictures, ImageRecord("gone.png")]
    parts = list(
        iter_embedded(
            records,
            FakeEncoder(),
            cache=None,
            batch_size=10,
            progress=lambda done, total: told.append((done, total)),
        )
    )
    assert [len(part.records) for part in parts] == [10, 10, 5]
    assert told == [(0, 26), (10, 26), (20, 26), (26, 26)]


def test_look_ahead_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = pipeline.read

    def counting(record: ImageRecord, files: Files) -> Content:
        read.append(record.path)
        return original(record, files)

    monkeypatch.setattr(pipeline, "read", counting)
    records = [ImageRecord(f"image {seed}", image=photo(seed, size=(8, 8))) for seed in range(400)]
    batches = iter_embedded(records, FakeEncoder(), cache=None, batch_size=4)
    for taken in range(1, 21):
        next(batches)
        assert len(read) <= 4 * (taken + 2 * pipeline.LOOK_AHEAD)
    batches.close()
    assert len(read) < 4 * (21 + 2 * pipeline.LOOK_AHEAD)


def test_threads_end_with_the_run(pictures: list[ImageRecord]) -> None:
    before = threading.active_count()
    batches = iter_embedded(pictures, FakeEncoder(), cache=None, batch_size=2)
    next(batches)
    batches.close()
    assert threading.active_count() == before


def test_texts(cache: EmbeddingCache) -> None:
    encoder = FakeEncoder()
    vectors = embed_texts(["a red.", "other", "a red."], encoder, cache=cache)
    assert vectors.shape == (3, DIMENSION)
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors[0], vectors[2])
    assert encoder.texts_encoded == ["a red.", "other"]
    assert np.array_equal(embed_texts(["other", "third"], encoder, cache=cache)[0], vectors[1])
    assert encoder.texts_encoded == ["a red.", "other", "third"]


@dataclass
class Broken(FakeEncoder):
    """Gives no direction for dark images, nor for a dark text."""

    gives: float = np.nan

    def encode_images(self, batch: Sequence[Prepared]) -> ImageVectors:
        vectors = super().encode_images(batch)
        dark = np.array([prepared.mean() < 0.1 for prepared in batch])
        vectors.embeddings[dark] = self.gives
        return vectors

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        vectors = super().encode_texts(texts)
        vectors[np.array(["dark" in text for text in texts])] = self.gives
        return vectors


@pytest.mark.parametrize(("gives", "reason"), [(np.nan, "not finite"), (np.inf, "not finite"), (0.0, "zeros")])
def test_a_vector_without_a_direction_is_skipped_and_not_kept(cache: EmbeddingCache, gives: float, reason: str) -> None:
    records = [ImageRecord("dark", image=Image.new("RGB", (9, 9))), ImageRecord("light", image=photo())]
    for n_encoded in (2, 1):
        embedded = embed_images(records, Broken(gives=gives), cache=cache)
        assert [record.path for record in embedded.records] == ["light"]
        assert [reason in image.reason for image in embedded.skipped] == [True]
        assert embedded.n_encoded == n_encoded


@pytest.mark.parametrize("gives", [np.nan, np.inf, 0.0])
def test_a_text_vector_without_a_direction_is_an_error_and_not_kept(cache: EmbeddingCache, gives: float) -> None:
    encoder = Broken(gives=gives)
    for _ in range(2):
        with pytest.raises(EncoderError, match=r"for 'a dark thing\."):
            embed_texts(["a light thing.", "a dark thing."], encoder, cache=cache)
    assert np.isfinite(embed_texts(["a light thing."], encoder, cache=cache)).all()


class Lying(FakeEncoder):
    """Gives vectors shorter than it announces."""

    def encode_images(self, batch: Sequence[Prepared]) -> ImageVectors:
        vectors = super().encode_images(batch)
        return ImageVectors(vectors.embeddings[:, :-1], vectors.features)


def test_encoder_that_breaks_its_word_fills_no_cache(cache: EmbeddingCache) -> None:
    with pytest.raises(EncoderError, match="announces"):
        embed_images([ImageRecord("a", image=photo())], Lying(), cache=cache)
    assert cache.info().encoders == ()


WARM = """
import sys
from pathlib import Path
from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import embed_images
from inkling.images.sources import find_images
from tests.fakes import FakeEncoder
with EmbeddingCache(Path(sys.argv[2])) as cache:
    embedded = embed_images(find_images(sys.argv[1]).records, FakeEncoder(), cache=cache)
heavy = {"torch", "transformers", "onnxruntime", "sklearn", "scipy", "pandas", "pyarrow"} & sys.modules.keys()
print(embedded.n_encoded, sorted(heavy))
"""


def test_nothing_heavy_is_imported(pictures: list[ImageRecord], tmp_path: Path) -> None:
    folder = str(Path(pictures[0].path).parent)
    for expected in ("25 []", "0 []"):
        run = subprocess.run(
            [sys.executable, "-c", WARM, folder, str(tmp_path / "cache")],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        assert run.stdout.strip() == expected


def test_real_photographs(shared: Path, cache: EmbeddingCache) -> None:
    records = find_images(shared / "data" / "coco_crops" / "few_shot", split="train").records
    cold = embed_images(records, FakeEncoder(), cache=cache)
    assert len(cold.records) == 234
    assert cold.skipped == ()
    warm = embed_images(records[::-1], FakeEncoder(), cache=cache)
    assert warm.n_encoded == 0
    assert np.array_equal(warm.embeddings[::-1], cold.embeddings)


FLAT = """
import resource, sys
import numpy as np
from dataclasses import replace
from inkling.embeddings.embed import iter_embedded
from inkling.encoders.base import ImageVectors
from inkling.images.sources import find_images
from tests.fakes import FakeEncoder

class Wide(FakeEncoder):
    @property
    def identity(self):
        return replace(super().identity, dimension=512, feature_dimension=4096)
    def encode_images(self, batch):
        return ImageVectors(np.ones((len(batch), 512), np.float32), np.ones((len(batch), 4096), np.float32))

peaks = []
for part in iter_embedded(find_images(sys.argv[1]).records, Wide(), cache=None):
    assert len(part.records) == part.n_encoded
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print((peaks[-1] - peaks[20]) * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is read by POSIX means")
def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    n_images = 5000
    for number in range(n_images):
        pixels = np.frombuffer(number.to_bytes(3, "little"), dtype=np.uint8).reshape(1, 1, 3)
        (tmp_path / f"{number}.png").write_bytes(encoded(Image.fromarray(pixels), "PNG"))
    run = subprocess.run(
        [sys.executable, "-c", FLAT, str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    vectors = n_images * (512 + 4096) * 4
    assert int(run.stdout) < vectors / 6
