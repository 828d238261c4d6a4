"""Metadata of an image file about its origin: whether it is a screenshot, whether it is stored turned. Header only."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from PIL import Image

from inkling.errors import UnreadableImageError
from inkling.images.files import Files
from inkling.images.formats import header_of
from inkling.types import ImageRecord

HEAD = 256 * 1024
"""Bytes of a file that are read. What cameras and systems write stands before the pixels."""
_ORIENTATION, _EXIF, _SOFTWARE, _COMMENT = 0x0112, 0x8769, 0x0131, 0x9286
_MAKER, _MODEL, _TAKEN, _FRACTION = 0x010F, 0x0110, 0x9003, 0x9291
_TURNED = range(2, 9)
_CHARACTER_CODE = 8
"""Bytes at the beginning of an EXIF comment that name its encoding."""

_PROGRAMS = re.compile(
    r"(org\.kde\.|org\.gnome\.)?(gnome-?screenshot|spectacle|ksnapshot|flameshot|ksnip|shutter|xfce4-screenshooter|"
    r"mate-screenshot|deepin-screenshot|scrot|greenshot|sharex|lightshot|snipping ?tool|snip & sketch|screencapture)\b",
    re.IGNORECASE,
)
"""Programs that write their name into the screenshots that they take, and take nothing else."""
_XMP_COMMENT = re.compile(
    r"<exif:UserComment>(\s|<rdf:Alt>|<rdf:li[^>]*>)*Screenshot\s*<|exif:UserComment=[\"']Screenshot[\"']"
)
_NAMES = (
    "screen ?shots?|cleanshot|bildschirmfoto|capture d[\u2019' ]écran|captura de (pantalla|tela|ecr[ãa])|schermata|"
    "istantanea schermo|schermafbeelding|schermafdruk|schermopname|zrzut ekranu|снимок экрана|знімок екрана|"
    "スクリーンショット|截屏|屏幕截图|屏幕快照|螢幕截圖|截圖|스크린 ?샷|skärmavbild|skärmbild|"
    "skærmbillede|skjermbilde|näyttökuva|ekran (resmi|görüntüsü)|snímek obrazovky|képernyőfotó|στιγμιότυπο οθόνης"
)
_DATE = r"(19|20)\d\d[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])"
_NAMED = re.compile(rf"({_NAMES})[ _-]*([^\W\d_]{{2,4}} )?{_DATE}(?!\d)", re.IGNORECASE)
"""A name that systems give to screenshots, and the day: without the day people call things so, too."""


@dataclass(frozen=True)
class Provenance:
    """Metadata of a file about its origin.

    Attributes
    ----------
    turned
        Whether its pixels are to be turned, or mirrored, before they are shown.
    screenshot
        What says that it is a screenshot, in a sentence; None where nothing does.
    """

    turned: bool = False
    screenshot: str | None = None


@dataclass(frozen=True)
class Taken:
    """When a picture was taken, and by which camera, as its EXIF data says."""

    time: datetime
    camera: str


def taken_at(record: ImageRecord, files: Files) -> Taken | None:
    """When the record's picture was taken; None where its file does not say."""
    if (header := _header(record, files)) is None:
        return None
    try:
        exif = Image.Image.getexif(header)
        of_shot = exif.get_ifd(_EXIF)
        time = datetime.strptime(str(of_shot[_TAKEN]).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        fraction = str(of_shot.get(_FRACTION, "")).strip("\0 ")
        if fraction.isascii() and fraction.isdigit():
            time = time.replace(microsecond=int(fraction[:6].ljust(6, "0")))
        return Taken(time, " ".join(str(exif.get(tag, "")).strip("\0 ") for tag in (_MAKER, _MODEL)).strip())
    except Exception:  # damaged EXIF raises almost anything
        return None


def _header(record: ImageRecord, files: Files) -> Image.Image | None:
    try:
        return record.image or header_of(files.read_head(record, HEAD))
    except UnreadableImageError:
        return None


def provenance_of(record: ImageRecord, files: Files) -> Provenance:
    """Metadata of a record's file; none where it can't be read, or is of a format that has it at its end."""
    if (header := _header(record, files)) is None:
        return Provenance()
    try:
        # Of a PNG its own method would decode all pixels, in search of what follows them.
        exif = Image.Image.getexif(header)
        turned = exif.get(_ORIENTATION) in _TURNED
        return Provenance(turned, _said_by(header, exif))
    except Exception:  # damaged EXIF raises almost anything
        return Provenance()


def screenshot_by_name(path: str) -> str | None:
    """What of its name says that a file is a screenshot, in a sentence; None where nothing does.

    Examples
    --------
    >>> screenshot_by_name("photos/car/Screenshot 2024-03-05 at 12.34.56.png")
    'Its name is one that systems give to screenshots.'
    >>> screenshot_by_name("photos/car/screenshot of a car.png") is None
    True
    """
    name = unicodedata.normalize("NFC", PurePath(path.replace("\\", "/")).name)
    return "Its name is one that systems give to screenshots." if _NAMED.match(name) else None


def _said_by(header: Image.Image, exif: Image.Exif) -> str | None:
    for program in (header.info.get("Software"), exif.get(_SOFTWARE)):
        if isinstance(program, str) and (found := _PROGRAMS.match(program.strip())) is not None:
            return f"It was made by {found.group()}, which takes screenshots."
    if _is_screenshot(exif.get_ifd(_EXIF).get(_COMMENT)) or _XMP_COMMENT.search(_xmp(header)):
        return "The comment in its EXIF data is 'Screenshot'."
    return None


def _is_screenshot(comment: object) -> bool:
    if isinstance(comment, bytes):
        comment = comment[_CHARACTER_CODE:].replace(b"\0", b"").decode("latin-1")
    return isinstance(comment, str) and comment.strip() == "Screenshot"


def _xmp(header: Image.Image) -> str:
    found = header.info.get("xmp") or header.info.get("XML:com.adobe.xmp") or ""
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
