"""An image record to its content hash, and its bytes to an upright RGB picture.

The two steps are apart because an image that the cache knows is hashed and never decoded.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from io import BytesIO
from pathlib import Path

from PIL import Image

from inkling.errors import UnreadableImageError
from inkling.images.boxes import crop_hash, pixels_of, source_of
from inkling.images.budget import check_size
from inkling.images.files import Files
from inkling.images.formats import draft_scale, load_pixels
from inkling.images.modes import to_rgb
from inkling.types import Box, ImageRecord
from inkling.wording import excerpt

THUMBNAIL_SIDE = 96

HELD_BYTES = 2 * 1024 * 1024
"""Larger files are read again when they are decoded, so that the look-ahead of a run holds megabytes, not
gigabytes."""

_PICTURES = threading.Lock()

_ORIENTATION_TAG = 0x0112
_UPRIGHT_ALREADY = 1
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(data: bytes, *, shorter_side: int | None = None) -> Image.Image:
    """Decode the first frame of a JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC file.

    Parameters
    ----------
    data
        The bytes of the file.
    shorter_side
        Pixels of the shorter side that the encoder will resize to. A JPEG much larger than that is decoded at
        a half, a quarter or an eighth of its size (libjpeg's scaled inverse DCT), where both sides divide and
        the shorter one stays at least twice this. None decodes at full size.

    Returns
    -------
    PIL.Image.Image
        Mode RGB, turned upright by its EXIF orientation.

    Raises
    ------
    UnreadableImageError
        If the bytes are empty, no image of a known format, damaged, truncated, too large or too elongated.
    """
    return upright(load_pixels(data, shorter_side=shorter_side))


def upright(image: Image.Image) -> Image.Image:
    """A loaded picture in RGB, turned as its EXIF orientation says.

    Raises
    ------
    UnreadableImageError
        If its pixel mode has no way to RGB.
    """
    turn = _UPRIGHT.get(_orientation(image))
    try:
        rgb = to_rgb(image)
    except UnreadableImageError:
        raise
    except Exception as error:  # a palette may be missing, a mode may have no way to RGB
        raise UnreadableImageError(f"pixels of mode {image.mode} cannot be shown in RGB ({excerpt(error)})") from error
    del image  # a large picture stands in memory twice at most
    return rgb if turn is None else rgb.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """How the picture is to be turned, by its EXIF data.

    HEIF and AVIF say it in their container and keep EXIF for information only. Pillow hands on what an AVIF's container
    says as if it were EXIF; the HEIF decoder has turned the picture already.
    """
    kind = getattr(image, "format", None)
    try:
        if kind == "HEIF":
            return _UPRIGHT_ALREADY
        if kind == "AVIF":
            exif = Image.Exif()
            exif.load(image.info.get("exif", b""))
        else:
            exif = image.getexif()
        return int(exif.get(_ORIENTATION_TAG, _UPRIGHT_ALREADY))
    except Exception:  # damaged EXIF is no reason to lose a sound picture, and raises almost anything
        return _UPRIGHT_ALREADY


def cropped(image: Image.Image, box: Box) -> Image.Image:
    """The part of an upright picture that a box names, with its margin.

    Raises
    ------
    UnreadableImageError
        If the box has no area there, or what is left of it is too elongated.
    """
    part = image.crop(pixels_of(box, image.size))
    check_size(part.size)
    return part


def thumbnail(image: Image.Image, *, side: int = THUMBNAIL_SIDE) -> bytes:
    """The picture as a JPEG whose longer side is at most `side` pixels."""
    scale = min(1.0, side / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # A box reduction first makes the cost independent of the picture's size, at no visible loss.
    small = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)
    out = BytesIO()
    small.save(out, "JPEG", quality=80)
    return out.getvalue()


@dataclass(frozen=True)
class LoadedImage:
    """An upright RGB picture with the hash of the content that it came from."""

    image: Image.Image
    content_hash: str


@dataclass(frozen=True)
class Content:
    """What a record holds, hashed but not decoded.

    Attributes
    ----------
    content_hash
        blake2b (128 bit, hexadecimal) of the file's bytes, or of the pixels of a picture handed over in
        memory; of a box in it, the same with a hash of the box.
    """

    record: ImageRecord
    content_hash: str
    _data: bytes | None = None
    _picture: Image.Image | None = None

    def of(self, record: ImageRecord) -> Content:
        """The same picture, or a box in it, under another record."""
        whole = source_of(self.content_hash)
        return replace(self, record=record, content_hash=whole if record.box is None else crop_hash(whole, record.box))

    def within(self, picture: Image.Image) -> Content:
        """The same, to be cut from the picture at its full size, which is decoded already."""
        return replace(self, _data=None, _picture=picture)

    def decode(self, files: Files, *, shorter_side: int | None = None) -> Image.Image:
        """Upright RGB picture; see `inkling.images.decode.decode`. A box is cut from the picture at its full size."""
        if self.record.box is not None:
            return cropped(self.decode_whole(files), self.record.box)
        return self._picture or decode(self._bytes(files), shorter_side=shorter_side)

    def decode_whole(self, files: Files) -> Image.Image:
        """The picture at its full size, whatever the box in it."""
        return self._picture or decode(self._bytes(files))

    def decode_for(self, files: Files, sides: Mapping[int, int]) -> Iterator[tuple[Image.Image, list[int]]]:
        """The picture for several encoders, decoded once for all of them that read it at one scale.

        Each gets the pixels that it would get alone: the scale at which a JPEG is decoded changes them.

        Parameters
        ----------
        files
            Reads the record's file.
        sides
            `shorter_side` as `decode` has it of each encoder, by its number.

        Yields
        ------
        tuple of PIL.Image.Image and list of int
            A picture and the numbers of the encoders that it is for.
        """
        if self._picture is not None or self.record.box is not None:
            yield self.decode(files), list(sides)
            return
        data = self._bytes(files)
        different = set(sides.values())
        scales = {side: draft_scale(data, side) if len(different) > 1 else 1 for side in different}
        for scale in set(scales.values()):
            those = [number for number, side in sides.items() if scales[side] == scale]
            yield decode(data, shorter_side=sides[those[0]]), those

    def _bytes(self, files: Files) -> bytes:
        return files.read(self.record) if self._data is None else self._data


def read(record: ImageRecord, files: Files) -> Content:
    """Read and hash what a record holds.

    Raises
    ------
    UnreadableImageError
        If there is nothing to read.
    """
    if record.box is not None:
        return read(replace(record, box=None), files).of(record)
    if record.image is not None:
        return _hash_picture(record, record.image)
    data = files.read(record)
    digest = blake2b(data, digest_size=16).hexdigest()
    return Content(record, digest, _data=data if len(data) <= HELD_BYTES else None)


def load(record: ImageRecord, *, shorter_side: int | None = None) -> LoadedImage:
    """Read, hash and decode one record.

    Raises
    ------
    UnreadableImageError
        If it cannot be read or decoded.
    """
    with Files() as files:
        content = read(record, files)
        return LoadedImage(content.decode(files, shorter_side=shorter_side), content.content_hash)


def as_file(record: ImageRecord, files: Files) -> tuple[str, bytes]:
    """Ending and bytes of an image file that shows what a record holds: a box becomes a PNG of its own.

    Raises
    ------
    UnreadableImageError
        If there is nothing to read, or no such box.
    """
    if record.box is None:
        return Path(record.path).suffix.lower(), files.read(record)
    out = BytesIO()
    read(record, files).decode(files).save(out, "PNG")
    return ".png", out.getvalue()


def _hash_picture(record: ImageRecord, image: Image.Image) -> Content:
    check_size(image.size)
    try:
        # A picture that Pillow opened but has not read yet reads itself here; one picture may stand in two
        # records.
        with _PICTURES:
            image.load()
    except Exception as error:  # as for files: Pillow's readers raise almost anything
        raise UnreadableImageError(f"the picture cannot be read ({excerpt(error)})") from error
    picture = upright(image)
    digest = blake2b(f"RGB {picture.size}".encode(), digest_size=16)
    digest.update(picture.tobytes())
    return Content(record, digest.hexdigest(), _picture=picture)
