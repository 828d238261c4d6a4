"""Metadata of files: turned, or a screenshot."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from inkling.images.files import Files
from inkling.images.provenance import HEAD, Provenance, provenance_of, screenshot_by_name
from inkling.types import ImageRecord

PICTURE = Image.effect_noise((64, 48), 60).convert("RGB")
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description><exif:UserComment>\n <rdf:Alt>\n'
    '  <rdf:li xml:lang="x-default">Screenshot</rdf:li></rdf:Alt></exif:UserComment></rdf:Description></rdf:RDF>'
)


def of(data: bytes) -> Provenance:
    with Files() as files:
        return provenance_of(ImageRecord("a", data=data), files)


def saved(format: str, picture: Image.Image = PICTURE, **options: object) -> bytes:
    out = BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def exif(*, orientation: int | None = None, comment: bytes | None = None, software: str | None = None) -> Image.Exif:
    made = Image.Exif()
    made[0x010F] = "maker"
    if orientation is not None:
        made[0x0112] = orientation
    if software is not None:
        made[0x0131] = software
    if comment is not None:
        made.get_ifd(0x8769)[0x9286] = comment
    return made


def text(**values: str) -> PngInfo:
    info = PngInfo()
    for key, value in values.items():
        info.add_text(key, value)
    return info


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize(("orientation", "turned"), [(1, False), (3, True), (6, True), (8, True), (9, False)])
def test_a_turning_orientation(format: str, orientation: int, turned: bool) -> None:
    assert of(saved(format, exif=exif(orientation=orientation))) == Provenance(turned=turned)


@pytest.mark.parametrize(
    "data",
    [
        saved("JPEG", exif=exif(comment=b"ASCII\0\0\0Screenshot")),
        saved("PNG", exif=exif(comment=b"UNICODE\0" + "Screenshot".encode("utf-16-be"))),
        saved("PNG", pnginfo=text(**{"XML:com.adobe.xmp": XMP})),
    ],
)
def test_a_comment_that_says_so(data: bytes) -> None:
    assert of(data).screenshot == "The comment in its EXIF data is 'Screenshot'."


@pytest.mark.parametrize("program", ["gnome-screenshot", "Spectacle 23.08.5", "Flameshot", "org.kde.spectacle"])
def test_a_program_that_takes_screenshots(program: str) -> None:
    assert "which takes screenshots" in str(of(saved("PNG", pnginfo=text(Software=program))).screenshot)
    assert "which takes screenshots" in str(of(saved("JPEG", exif=exif(software=program))).screenshot)


@pytest.mark.parametrize(
    "data",
    [
        saved("JPEG", exif=exif(comment=b"ASCII\0\0\0a car, no Screenshot", software="Adobe Photoshop 25.0")),
        saved("PNG", pnginfo=text(Software="GIMP", Comment="Created with GIMP")),
        saved("PNG", pnginfo=text(Title="Spectacles on a table", Software="spectacles")),
        saved("WEBP"),
        saved("JPEG")[:40],
        b"",
        b"\xff\xd8\xff\xe1\x00\x20Exif\0\0II*\0\xff\xff\xff\xff",
    ],
)
def test_other_files_say_nothing(data: bytes) -> None:
    assert of(data) == Provenance()


def test_of_a_large_file_the_beginning_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = Image.effect_noise((1500, 1000), 90).convert("RGB")
    path = tmp_path / "large.png"
    path.write_bytes(saved("PNG", large, exif=exif(orientation=6), pnginfo=text(Software="gnome-screenshot")))
    assert path.stat().st_size > 2 * HEAD
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(path, "large.png")
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("pixels are decoded"))
    member = ImageRecord("a.zip/large.png", archive=tmp_path / "a.zip", member="large.png")
    with Files() as files:
        for record in (ImageRecord(str(path)), member):
            assert len(files.read_head(record, HEAD)) == HEAD
            found = provenance_of(record, files)
            assert found.turned
            assert found.screenshot is not None


def test_a_file_that_is_gone_says_nothing(tmp_path: Path) -> None:
    with Files() as files:
        assert provenance_of(ImageRecord(str(tmp_path / "gone.jpg")), files) == Provenance()


@pytest.mark.parametrize(
    "name",
    [
        "Screenshot 2024-03-05 at 12.34.56.png",
        "Screen Shot 2019-11-30 at 9.01.02 AM.png",
        "Screenshot from 2024-03-05 12-34-56.png",
        "Screenshot 2024-03-05 123456.png",
        "Screenshot_20240305-123456.png",
        "Screenshot_2024-03-05-12-34-56-789_com.example.app.jpg",
        "Screenshot_20240305_123456_Chrome.jpg",
        "CleanShot 2024-03-05 at 12.34.56@2x.png",
        "Bildschirmfoto 2024-03-05 um 12.34.56.png",
        "Bildschirmfoto vom 2024-03-05 12-34-56.png",
        "Capture d\u2019écran 2024-03-05 à 12.34.56.png",
        "Capture d'e\u0301cran du 2024-03-05 12-34-56.png",
        "Captura de pantalla de 2024-03-05 12-34-56.png",
        "Captura de Tela 2024-03-05 às 12.34.56.png",
        "Schermata del 2024-03-05 12-34-56.png",
        "Снимок экрана от 2024-03-05 12-34-56.png",
        "スクリーンショット 2024-03-05 12.34.56.png",
        "截屏2024-03-05 12.34.56.png",
        "스크린샷 2024-03-05 오후 12.34.56.png",
    ],
)
def test_names_that_systems_give(name: str) -> None:
    assert screenshot_by_name(f"photos.zip/car/{name}") is not None
    assert screenshot_by_name(f"photos\\car\\{name}") is not None


@pytest.mark.parametrize(
    "path",
    [
        "screenshot.png",
        "Screenshot (12).png",
        "screenshot of a car.png",
        "Screenshot 1234567890.png",
        "Screenshot 2024-13-05.png",
        "my Screenshot 2024-03-05.png",
        "Screenshot 2024-03-05/car.png",
        "2024-03-05_12-34.png",
        "IMG_20240305_123456.jpg",
        "screenshots/20240305.jpg",
    ],
)
def test_other_names(path: str) -> None:
    assert screenshot_by_name(path) is None
