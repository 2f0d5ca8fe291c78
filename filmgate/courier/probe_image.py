"""Measures a picture and writes its clean copy; runs in the probe's child only.

Nothing is decoded before its header says how many pixels it would become. Then all of it is decoded, since a header
cannot tell a whole file from a truncated one, and what engines get is written anew from the pixels alone.
"""

import os
import struct
import warnings
import zlib
from io import BytesIO
from tempfile import TemporaryFile
from typing import BinaryIO

from PIL import ExifTags, Image, ImageCms, ImageMath

from filmgate.courier.signatures import HEAD_BYTES, looks_like, sniff
from filmgate.domain.errors import MediaUnreadable
from filmgate.domain.media import ImageFacts

__all__ = ["measure_image", "rehearse_images"]

PILLOW_FORMATS = {"jpeg": ("JPEG", "MPO"), "png": ("PNG",), "bmp": ("BMP",), "webp": ("WEBP",)}
"""Our names, and Pillow's for them. A phone's multi-picture JPEG opens as MPO; its first picture counts."""

BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow was seen to raise over broken files. Anything else ends the child, which means the same to callers."""

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How a picture with this EXIF orientation is turned upright."""
SIDEWAYS = frozenset({5, 6, 7, 8})

PROFILE_MODES = {"RGB": "RGB", "CMYK": "CMYK", "GRAY": "L"}
"""Colour spaces of ICC profiles that are converted, with the mode of the pictures that they describe."""


def measure_image(source: BinaryIO, clean: BinaryIO, max_pixels: int) -> ImageFacts:
    """Facts about the picture in `source`; unless it has more than `max_pixels`, its clean PNG goes to `clean`.

    Raises MediaUnreadable.
    """
    head = source.read(HEAD_BYTES)
    source.seek(0)
    name = sniff(head)
    if name not in PILLOW_FORMATS:
        raise MediaUnreadable(f"The file is not a JPEG, PNG, BMP or WebP picture (it begins like {looks_like(name)}).")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _measure(source, clean, name, head, max_pixels)
    except BROKEN as error:
        raise MediaUnreadable(
            f"The file begins like {looks_like(name)} but cannot be decoded: it is broken or of an unusual make."
        ) from error


def rehearse_images() -> None:
    """Measure a picture of each format, so that all that Pillow imports at first use is there before lock-down."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    for pillow_formats in PILLOW_FORMATS.values():
        for pillow_format in pillow_formats:
            with TemporaryFile() as source, TemporaryFile() as clean:
                picture = Image.new("RGB", (2, 1))
                exif = picture.getexif()
                exif[ExifTags.Base.Orientation] = 6
                two = {"save_all": True, "append_images": [picture]} if pillow_format == "MPO" else {}
                picture.save(source, pillow_format, exif=exif, icc_profile=profile, **two)
                source.seek(0)
                measure_image(source, clean, max_pixels=4)


def _measure(source: BinaryIO, clean: BinaryIO, name: str, head: bytes, max_pixels: int) -> ImageFacts:
    size_bytes = os.fstat(source.fileno()).st_size
    # Pillow's own limit raises instead of answering with the size; ours below comes first, its is the second wall.
    Image.MAX_IMAGE_PIXELS = None
    if name == "webp" and (canvas := _webp_canvas(head)) and canvas[0] * canvas[1] > max_pixels:
        # Opening it would already allocate the canvas.
        return ImageFacts(name, *canvas, size_bytes, decoded=False)
    with Image.open(source, formats=PILLOW_FORMATS[name]) as picture:
        if picture.width * picture.height > max_pixels:
            # Asking a PNG for EXIF that was not met before its pixels would decode it.
            sideways = "exif" in picture.info and _orientation(picture) in SIDEWAYS
            width_px, height_px = reversed(picture.size) if sideways else picture.size
            return ImageFacts(name, width_px, height_px, size_bytes, decoded=False)
        Image.MAX_IMAGE_PIXELS = max_pixels
        picture.load()
        flat, alpha_in_use = _lay_on_white(picture)
        rgb = _to_srgb(flat, picture.info.get("icc_profile"))
        method = UPRIGHT.get(_orientation(picture))
    upright = rgb if method is None else rgb.transpose(method)
    upright.info = {}
    upright.save(clean, "PNG", compress_level=1)
    return ImageFacts(name, upright.width, upright.height, size_bytes, alpha_in_use)


def _webp_canvas(head: bytes) -> tuple[int, int] | None:
    """Width and height from the first chunk of a WebP file (RFC 9649), or None when it has no valid one."""
    kind = head[12:16]
    if kind == b"VP8X" and len(head) >= 30:
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if kind == b"VP8L" and len(head) >= 25:
        packed = int.from_bytes(head[21:25], "little")
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and len(head) >= 30:
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _orientation(picture: Image.Image) -> int:
    """The EXIF orientation, 1 where it is absent or unreadable: a picture is not refused for its metadata."""
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except BROKEN:
        return 1
    return orientation if isinstance(orientation, int) else 1


def _lay_on_white(picture: Image.Image) -> tuple[Image.Image, bool]:
    """The picture as L, RGB or CMYK with 8 bits, and whether any of its pixels is not opaque."""
    if picture.mode == "F" or picture.mode.startswith("I"):
        colours, alpha = _from_16_bits(picture)
    elif picture.has_transparency_data:
        colours = picture if picture.mode == "RGBA" else _with_8_bit_key(picture).convert("RGBA")
        alpha = colours.getchannel("A")
    elif picture.mode in ("L", "RGB", "CMYK"):
        return picture, False
    else:
        return picture.convert("RGB"), False
    if alpha is None or alpha.getextrema() == (255, 255):
        return (colours if colours.mode == "L" else colours.convert("RGB")), False
    white = Image.new("RGB", picture.size, "white")
    white.paste(colours, mask=alpha)
    return white, True


def _from_16_bits(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Grey with 8 bits, and alpha where one grey is declared transparent. Pillow's own conversion clips to white."""
    wide = picture.convert("I")
    grey = wide.point(lambda value: value * (1 / 257) + 0.5).convert("L")
    key = picture.info.get("transparency")
    if not isinstance(key, int):
        return grey, None
    return grey, ImageMath.lambda_eval(lambda args: args["convert"]((args["wide"] != key) * 255, "L"), wide=wide)


def _with_8_bit_key(picture: Image.Image) -> Image.Image:
    """Pillow reads 16-bit RGB as 8 bits but leaves the transparent colour at 16."""
    key = picture.info.get("transparency")
    if isinstance(key, tuple) and max(key) > 255:
        picture.info["transparency"] = tuple(value >> 8 for value in key)
    return picture


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB in the colours that the profile means; a profile that cannot be used is dropped."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            fits = PROFILE_MODES.get(source.profile.xcolor_space.strip()) == picture.mode
            if fits and "sRGB" not in (source.profile.profile_description or ""):
                target = ImageCms.createProfile("sRGB")
                converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
                if converted is not None:
                    return converted
        except (ImageCms.PyCMSError, *BROKEN):
            return picture.convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")
