"""What phones write: HEIC and AVIF come out upright, in 8 bits, turned once."""

from __future__ import annotations

import base64
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkling.errors import UnreadableImageError
from inkling.images.decode import decode, load
from inkling.images.sources import find_images
from inkling.types import ImageRecord
from tests.images.pictures import difference, encoded, photo, stored_for

pillow_heif = pytest.importorskip("pillow_heif", reason="HEIC is read with the extra 'heic'")

TEN_BIT_AVIF = base64.b64decode(
    "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUEAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAAAAAAAOcGl0bQ"
    "AAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAAMgAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAA"
    "AEtpcGNvAAAAFGlzcGUAAAAAAAAAGAAAABAAAAAQcGl4aQAAAAADCgoKAAAADGF2MUOBIEAAAAAAE2NvbHJuY2x4AAIAAgAGgAAAABdpcG1hAAAAAA"
    "AAAAEAAQQBAoMEAAAAOm1kYXQSAAoIOBDv7eBAQNIyJESAkNKgADyAAATkjr007b/LwtQzRXXy5fTunyIKV07Wf/CCKA=="
)
"""24 x 16 pixels of 10 bits: black, but for red on the left and blue at the top right."""


def heic(picture: Image.Image, **options: object) -> bytes:
    """The picture as a HEIC file."""
    out = BytesIO()
    pillow_heif.from_pillow(picture).save(out, quality=95, chroma=444, **options)
    return out.getvalue()


def orientation(number: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = number
    return exif.tobytes()


def test_heic() -> None:
    picture = photo(size=(96, 80))
    assert difference(decode(heic(picture)), picture) < 3
    grey = picture.convert("L")
    assert difference(decode(heic(grey)), grey.convert("RGB")) < 3


def test_avif() -> None:
    picture = photo(size=(96, 80))
    assert difference(decode(encoded(picture, "AVIF", quality=95, subsampling="4:4:4")), picture) < 3


@pytest.mark.parametrize("kind", ["HEIC", "AVIF"])
def test_transparency_lies_on_white(kind: str) -> None:
    picture = Image.new("RGBA", (64, 64), (255, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 32, 64))
    data = heic(picture) if kind == "HEIC" else encoded(picture, "AVIF", quality=95)
    shown = decode(data)
    assert min(shown.getpixel((5, 5))) > 250
    assert shown.getpixel((60, 60))[0] > 240
    assert max(shown.getpixel((60, 60))[1:]) < 15


def test_ten_bits_of_heic() -> None:
    picture = photo(size=(64, 48))
    deep = np.asarray(picture).astype(np.uint16) * 257
    out = BytesIO()
    pillow_heif.from_bytes("RGB;16", picture.size, deep.tobytes()).save(out, quality=95, chroma=444)
    assert pillow_heif.open_heif(BytesIO(out.getvalue()), convert_hdr_to_8bit=False).info["bit_depth"] == 10
    assert difference(decode(out.getvalue()), picture) < 3


def test_ten_bits_of_avif() -> None:
    shown = decode(TEN_BIT_AVIF)
    assert shown.size == (24, 16)
    for place, colour in (((3, 3), (255, 0, 0)), ((20, 3), (0, 0, 255)), ((20, 12), (0, 0, 0))):
        assert np.abs(np.subtract(shown.getpixel(place), colour)).max() < 8


@pytest.mark.parametrize("number", range(1, 9))
def test_heic_is_turned_once(number: int) -> None:
    """A phone says it twice: in the container, which counts, and in EXIF, which is for information."""
    upright = photo(size=(96, 64))
    data = heic(stored_for(upright, number), exif=orientation(number))
    assert difference(decode(data), upright) < 4
    assert difference(load(ImageRecord("picture", image=pillow_heif.open_heif(data).to_pillow())).image, upright) < 4


def test_exif_alone_turns_no_heic() -> None:
    picture = photo(size=(96, 64))
    upright, turned = orientation(1), orientation(6)
    data = heic(picture, exif=upright)
    assert data.count(upright[6:]) == 1
    assert difference(decode(data.replace(upright[6:], turned[6:])), picture) < 4


@pytest.mark.parametrize("number", range(1, 9))
def test_avif_is_turned_once(number: int) -> None:
    upright = photo(size=(96, 64))
    data = encoded(stored_for(upright, number), "AVIF", quality=95, subsampling="4:4:4", exif=orientation(number))
    assert difference(decode(data), upright) < 4


def test_what_xmp_says_turns_no_avif() -> None:
    picture = photo(size=(96, 64))
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    data = encoded(picture, "AVIF", quality=95, subsampling="4:4:4", xmp=xmp)
    assert difference(decode(data), picture) < 4


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.95])
@pytest.mark.parametrize("kind", ["HEIC", "AVIF"])
def test_truncated(kind: str, kept: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (120, 120, 3), dtype=np.uint8))
    data = heic(noise) if kind == "HEIC" else encoded(noise, "AVIF", quality=95)
    with pytest.raises(UnreadableImageError, match="damaged or truncated"):
        decode(data[: int(len(data) * kept)])


def test_a_container_that_names_another_brand_first() -> None:
    """'mif1' stands before the brand that tells the codec in files of both kinds."""
    picture = photo(size=(96, 80))
    for data in (heic(picture), encoded(picture, "AVIF", quality=95)):
        assert data[4:8] == b"ftyp"
        assert difference(decode(data[:8] + b"mif1" + data[12:]), picture) < 12


def test_their_names_are_those_of_images(tmp_path: Path) -> None:
    for name in ("a.HEIC", "b.heif", "c.avif", "d.hif"):
        (tmp_path / name).write_bytes(b"")
    assert len(find_images(tmp_path).records) == 4


WITHOUT = """
import sys
sys.modules["pillow_heif"] = None
from inkling.images.decode import decode
try:
    decode(open(sys.argv[1], "rb").read())
except Exception as error:
    print(type(error).__name__, error)
"""


def test_without_the_extra_the_command_that_adds_it_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    path.write_bytes(heic(photo()))
    done = subprocess.run([sys.executable, "-c", WITHOUT, str(path)], capture_output=True, text=True, check=True)
    assert "UnreadableImageError HEIC needs a further package" in done.stdout
    assert "pip install 'inkling-vision[heic]'" in done.stdout
