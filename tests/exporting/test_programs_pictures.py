"""Pictures as an exported folder's program reads them, beside Inkling's own decoding."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from inkling.errors import UnreadableImageError
from inkling.exporting.formats import PROGRAMS
from inkling.images.decode import decode

SIDE = 64


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Callable[[bytes], np.ndarray]]:
    """Reads bytes as a file of a folder does whose model has 64 pixels a side."""
    shutil.copyfile(PROGRAMS / "pictures.py", tmp_path / "pictures.py")
    (tmp_path / "manifest.json").write_text(json.dumps({"preprocessing": {"shorter_side": SIDE}}))
    module = loaded(tmp_path / "pictures.py")

    def read(data: bytes) -> np.ndarray:
        (tmp_path / "picture").write_bytes(data)
        found: np.ndarray = module.read_picture(str(tmp_path / "picture"))
        return found

    before = Image.MAX_IMAGE_PIXELS
    yield read
    Image.MAX_IMAGE_PIXELS = before


def loaded(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def photo(width: int = 300, height: int = 200, mode: str = "RGB") -> Image.Image:
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [127 + 120 * np.sin((rows * (k + 1) + columns * (3 - k)) / 17) for k in range(3)]
    return Image.fromarray(np.stack(waves, axis=-1).astype(np.uint8)).convert(mode)


def file(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def turned(number: int, kind: str = "JPEG", **options: object) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = number
    return file(photo(), kind, exif=exif, **options)


def with_alpha(mode: str) -> Image.Image:
    image = photo().convert(mode)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def palette_with_transparency() -> bytes:
    return file(photo().quantize(16), "PNG", transparency=3)


def deep(kind: str, **options: object) -> bytes:
    values = np.linspace(0, 65535, 300 * 200).reshape(200, 300).astype(np.uint16)
    return file(Image.fromarray(values), kind, **options)


def floats() -> bytes:
    values = np.linspace(-3, 9, 300 * 200).reshape(200, 300).astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    return file(Image.fromarray(values), "TIFF")


def without_adobes_mark() -> bytes:
    data = file(photo(mode="CMYK"), "JPEG")
    at = data.index(b"Adobe") - 4
    return data[:at] + data[at + 16 :]


PICTURES: dict[str, Callable[[], bytes]] = {
    **{kind: lambda kind=kind: file(photo(), kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF")},
    **{f"mode {mode}": lambda mode=mode: file(photo(mode=mode), "TIFF") for mode in ("1", "L", "P", "CMYK", "YCbCr")},
    **{f"turned {number}": lambda number=number: turned(number) for number in range(1, 9)},
    **{
        f"turned {number} in {kind}": lambda number=number, kind=kind: turned(number, kind)
        for number in (5, 6)
        for kind in ("AVIF", "PNG", "WEBP")
    },
    "damaged exif": lambda: file(photo(), "JPEG", exif=b"Exif\0\0nonsense"),
    "CMYK JPEG": lambda: file(photo(mode="CMYK"), "JPEG"),
    "CMYK JPEG without Adobe's mark": without_adobes_mark,
    "LA": lambda: file(with_alpha("L"), "PNG"),
    "RGBA": lambda: file(with_alpha("RGB"), "PNG"),
    "RGBA in WebP": lambda: file(with_alpha("RGB"), "WEBP", lossless=True),
    "palette with transparency": palette_with_transparency,
    "RGB with a transparent colour": lambda: file(photo(), "PNG", transparency=(127, 127, 127)),
    "16 bits PNG": lambda: deep("PNG"),
    "16 bits TIFF": lambda: deep("TIFF"),
    "16 bits TIFF, white is zero": lambda: deep("TIFF", tiffinfo={262: 0}),
    "floats": floats,
    "large JPEG, an eighth": lambda: file(photo(2048, 1600), "JPEG"),
    "large JPEG, a quarter": lambda: file(photo(1004, 516), "JPEG"),
    "large JPEG that doesn't divide": lambda: file(photo(1003, 515), "JPEG"),
    "large progressive JPEG": lambda: file(photo(1600, 1024), "JPEG", progressive=True),
    "large JPEG turned": lambda: turned(6),
    "animation": lambda: file(photo(), "GIF", save_all=True, append_images=[photo().rotate(90)]),
    "HEIC": lambda: heic(),
}


def heic() -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif", reason="HEIC is read with the extra 'heic'")
    out = BytesIO()
    pillow_heif.from_pillow(photo()).save(out)
    return out.getvalue()


@pytest.mark.parametrize("kind", PICTURES)
def test_it_has_the_same_pixels(reader: Callable[[bytes], np.ndarray], kind: str) -> None:
    data = PICTURES[kind]()
    expected = np.asarray(decode(data, shorter_side=SIDE))
    np.testing.assert_array_equal(reader(data), expected)


@pytest.mark.parametrize(
    "data",
    [b"", b"not a picture", file(photo(), "JPEG")[:900], file(photo(10, 2000), "PNG")],
    ids=["empty", "no picture", "truncated", "elongated"],
)
def test_what_inkling_refuses_is_refused(reader: Callable[[bytes], np.ndarray], data: bytes) -> None:
    with pytest.raises(UnreadableImageError):
        decode(data, shorter_side=SIDE)
    with pytest.raises(Exception, match=r"."):
        reader(data)
