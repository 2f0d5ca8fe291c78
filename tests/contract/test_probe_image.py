"""The probe over pictures: whole ones of every make, lying, broken and disguised ones."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from filmgate.domain.errors import MediaUnreadable
from filmgate.domain.media import ImageFacts
from tests.contract.probing import BLUE, GREEN, RED, WHITE, Prober, lasting_prober, names, photo, saved, written


@pytest.fixture(scope="module")
def prober() -> Iterator[Prober]:
    yield from lasting_prober()


def measured_image(prober: Prober, source: Path, **options: Any) -> tuple[ImageFacts, Image.Image]:
    facts = prober.measure(source, **options)
    assert isinstance(facts, ImageFacts)
    assert facts.size_bytes == source.stat().st_size
    with Image.open(source.with_name("clean")) as clean:
        clean.load()
    assert (clean.format, clean.mode, clean.size) == ("PNG", "RGB", (facts.width_px, facts.height_px))
    return facts, clean


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width_px: int, height_px: int, bits: int, colour: int, pixels: bytes, *chunks: bytes) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, bits, colour, 0, 0, 0))
    data = png_chunk(b"IDAT", pixels)
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + data + png_chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("pillow_format", "name", "options"),
    [
        ("JPEG", "jpeg", {"quality": 95, "subsampling": 0}),
        ("JPEG", "jpeg", {"quality": 95, "subsampling": 0, "progressive": True}),
        ("PNG", "png", {}),
        ("BMP", "bmp", {}),
        ("WEBP", "webp", {"lossless": True}),
        ("WEBP", "webp", {"quality": 95}),
    ],
)
def test_each_format_is_measured_and_copied_as_rgb_png(
    prober: Prober, tmp_path: Path, pillow_format: str, name: str, options: dict[str, Any]
) -> None:
    facts, clean = measured_image(prober, saved(tmp_path, photo(), pillow_format, **options))

    assert (facts.format, facts.width_px, facts.height_px, facts.alpha_in_use) == (name, 60, 40, False)
    assert np.abs(np.asarray(clean, int) - np.asarray(photo(), int)).mean() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("pillow_format", ["PNG", "WEBP", "JPEG"])
def test_exif_orientation_is_applied_before_measuring(
    prober: Prober, tmp_path: Path, orientation: int, pillow_format: str
) -> None:
    T = Image.Transpose  # noqa: N806
    as_shot = {
        1: None,
        2: T.FLIP_LEFT_RIGHT,
        3: T.ROTATE_180,
        4: T.FLIP_TOP_BOTTOM,
        5: T.TRANSPOSE,
        6: T.ROTATE_90,
        7: T.TRANSVERSE,
        8: T.ROTATE_270,
    }[orientation]
    picture = photo() if as_shot is None else photo().transpose(as_shot)
    exif = picture.getexif()
    exif[0x0112] = orientation

    facts, clean = measured_image(prober, saved(tmp_path, picture, pillow_format, exif=exif, quality=95))

    assert (facts.width_px, facts.height_px) == (60, 40)
    assert np.abs(np.asarray(clean, int) - np.asarray(photo(), int)).mean() < 12
    assert not clean.getexif()


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 40]
)
def test_broken_exif_does_not_refuse_a_picture(prober: Prober, tmp_path: Path, exif: bytes) -> None:
    facts, _ = measured_image(prober, saved(tmp_path, photo(), "JPEG", exif=exif))

    assert (facts.width_px, facts.height_px) == (60, 40)


@pytest.mark.parametrize(("pillow_format", "options"), [("PNG", {}), ("WEBP", {"lossless": True, "exact": True})])
@pytest.mark.parametrize(("alpha", "in_use"), [(255, False), (254, True), (0, True)])
def test_alpha_is_in_use_when_one_pixel_is_not_opaque_and_is_laid_on_white(
    prober: Prober, tmp_path: Path, pillow_format: str, options: dict[str, Any], alpha: int, in_use: bool
) -> None:
    picture = Image.new("RGBA", (8, 8), (0, 0, 0, 255))
    picture.putpixel((3, 4), (0, 0, 0, alpha))

    facts, clean = measured_image(prober, saved(tmp_path, picture, pillow_format, **options))

    assert facts.alpha_in_use is in_use
    assert clean.getpixel((3, 4)) == (255 - alpha,) * 3
    assert clean.getpixel((0, 0)) == (0, 0, 0)


@pytest.mark.parametrize(("alpha_mask", "in_use"), [(0xFF000000, True), (0, False)])
def test_the_fourth_byte_of_a_bmp_is_alpha_only_where_its_header_says_so(
    prober: Prober, tmp_path: Path, alpha_mask: int, in_use: bool
) -> None:
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, alpha_mask)
    header = struct.pack("<IiiHHIIiiII", 108, 2, 1, 1, 32, 3, 8, 0, 0, 0, 0) + masks + b"BGRs" + bytes(48)
    pixels = bytes([0, 0, 255, 0, 255, 0, 0, 255])
    source = written(tmp_path, b"BM" + struct.pack("<IHHI", 130, 0, 0, 122) + header + pixels)

    facts, clean = measured_image(prober, source)

    assert facts.alpha_in_use is in_use
    assert [clean.getpixel((x, 0)) for x in range(2)] == [WHITE if in_use else RED, BLUE]


def test_half_transparent_red_on_white_is_pink(prober: Prober, tmp_path: Path) -> None:
    facts, clean = measured_image(prober, saved(tmp_path, Image.new("RGBA", (8, 8), (255, 0, 0, 127)), "PNG"))

    assert facts.alpha_in_use
    assert clean.getpixel((0, 0)) == (255, 128, 128)


def test_grey_with_alpha_is_laid_on_white(prober: Prober, tmp_path: Path) -> None:
    facts, clean = measured_image(prober, saved(tmp_path, Image.new("LA", (8, 8), (100, 0)), "PNG"))

    assert facts.alpha_in_use
    assert clean.getpixel((0, 0)) == WHITE


@pytest.mark.parametrize("in_use", [True, False])
def test_a_transparent_palette_entry_counts_only_where_a_pixel_has_it(
    prober: Prober, tmp_path: Path, in_use: bool
) -> None:
    picture = Image.new("P", (8, 8), 1)
    picture.putpalette([*RED, *BLUE])
    if in_use:
        picture.putpixel((2, 2), 0)

    facts, clean = measured_image(prober, saved(tmp_path, picture, "PNG", transparency=0))

    assert facts.alpha_in_use is in_use
    assert clean.getpixel((2, 2)) == (WHITE if in_use else BLUE)


@pytest.mark.parametrize(("mode", "key", "other"), [("RGB", RED, BLUE), ("L", 7, 200), ("1", 0, 255)])
@pytest.mark.parametrize("in_use", [True, False])
def test_a_transparent_colour_counts_only_where_a_pixel_has_it(
    prober: Prober, tmp_path: Path, mode: str, key: Any, other: Any, in_use: bool
) -> None:
    picture = Image.new(mode, (8, 8), other)
    if in_use:
        picture.putpixel((2, 2), key)

    facts, clean = measured_image(prober, saved(tmp_path, picture, "PNG", transparency=key))

    assert facts.alpha_in_use is in_use
    if in_use:
        assert clean.getpixel((2, 2)) == WHITE


def test_16_bit_grey_keeps_its_shades(prober: Prober, tmp_path: Path) -> None:
    shades = np.array([[0, 257, 32768, 60000, 65535]], np.uint16)

    facts, clean = measured_image(prober, saved(tmp_path, Image.fromarray(shades), "PNG"))

    assert not facts.alpha_in_use
    assert np.asarray(clean)[0, :, 0].tolist() == [0, 1, 128, 233, 255]


def test_a_transparent_shade_of_16_bit_grey_is_alpha_in_use(prober: Prober, tmp_path: Path) -> None:
    pixels = zlib.compress(b"\0" + struct.pack(">HHH", 0, 32768, 65535))

    facts, clean = measured_image(
        prober, written(tmp_path, png(3, 1, 16, 0, pixels, png_chunk(b"tRNS", struct.pack(">H", 32768))))
    )

    assert facts.alpha_in_use
    assert [clean.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0), WHITE, WHITE]


@pytest.mark.parametrize("in_use", [True, False])
def test_a_transparent_colour_of_16_bit_rgb_is_found(prober: Prober, tmp_path: Path, in_use: bool) -> None:
    pixels = zlib.compress(b"\0" + struct.pack(">6H", 65535, 0, 0, 0, 0, 65535))
    key = struct.pack(">3H", *((65535, 0, 0) if in_use else (0, 65535, 0)))

    facts, clean = measured_image(prober, written(tmp_path, png(2, 1, 16, 2, pixels, png_chunk(b"tRNS", key))))

    assert facts.alpha_in_use is in_use
    assert [clean.getpixel((x, 0)) for x in range(2)] == [WHITE if in_use else RED, BLUE]


def test_16_bit_rgb_with_alpha_is_read(prober: Prober, tmp_path: Path) -> None:
    pixels = zlib.compress(b"\0" + struct.pack(">8H", 65535, 0, 0, 65535, 0, 0, 65535, 0))

    facts, clean = measured_image(prober, written(tmp_path, png(2, 1, 16, 6, pixels)))

    assert facts.alpha_in_use
    assert [clean.getpixel((x, 0)) for x in range(2)] == [RED, WHITE]


def test_cmyk_becomes_rgb(prober: Prober, tmp_path: Path) -> None:
    facts, clean = measured_image(
        prober, saved(tmp_path, Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)
    )

    assert not facts.alpha_in_use
    assert np.asarray(clean)[8, 8].tolist() == pytest.approx(RED, abs=15)


def test_colours_of_a_profile_are_brought_to_srgb_and_the_profile_is_dropped(prober: Prober, tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    other = srgb.replace("sRGB".encode("utf-16-be"), "BGRs".encode("utf-16-be"))
    red_is_blue = other.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")

    _, clean = measured_image(prober, saved(tmp_path, Image.new("RGB", (8, 8), RED), "PNG", icc_profile=red_is_blue))

    assert np.asarray(clean)[0, 0].tolist() == pytest.approx(BLUE, abs=3)
    assert "icc_profile" not in clean.info


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 200])
def test_a_profile_that_is_none_is_dropped(prober: Prober, tmp_path: Path, profile: bytes) -> None:
    _, clean = measured_image(prober, saved(tmp_path, photo(), "PNG", icc_profile=profile))

    assert clean.tobytes() == photo().tobytes()


def test_the_clean_copy_holds_pixels_and_nothing_else(prober: Prober, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret description"
    source = saved(tmp_path, photo(), "PNG", exif=exif, dpi=(72, 72), icc_profile=b"secret profile", pnginfo=None)
    source.write_bytes(source.read_bytes() + b"secret appendix")

    measured_image(prober, source)

    clean = source.with_name("clean").read_bytes()
    assert b"secret" not in clean
    assert {clean[at - 4 : at] for at in _chunk_contents(clean)} == {b"IHDR", b"IDAT", b"IEND"}


def _chunk_contents(content: bytes) -> list[int]:
    starts, at = [], 8
    while at < len(content):
        starts.append(at + 8)
        at += 12 + struct.unpack_from(">I", content, at)[0]
    return starts


def test_a_multi_picture_jpeg_is_a_jpeg_and_its_first_picture_counts(prober: Prober, tmp_path: Path) -> None:
    source = saved(tmp_path, photo(), "MPO", save_all=True, append_images=[Image.new("RGB", (9, 9), GREEN)])
    with Image.open(source) as picture:
        assert picture.format == "MPO"

    facts, _ = measured_image(prober, source)

    assert (facts.format, facts.width_px, facts.height_px) == ("jpeg", 60, 40)


@pytest.mark.parametrize("pillow_format", ["WEBP", "PNG"])
def test_of_an_animated_picture_the_first_frame_counts(prober: Prober, tmp_path: Path, pillow_format: str) -> None:
    frames = [Image.new("RGB", (60, 40), colour) for colour in (BLUE, GREEN)]
    options: dict[str, Any] = {"lossless": True} if pillow_format == "WEBP" else {}
    source = saved(tmp_path, photo(), pillow_format, save_all=True, append_images=frames, duration=100, **options)

    _, clean = measured_image(prober, source)

    assert clean.tobytes() == photo().tobytes()


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "BMP", "WEBP"])
@pytest.mark.parametrize("kept", [0.2, 0.9])
def test_a_truncated_picture_is_refused(prober: Prober, tmp_path: Path, pillow_format: str, kept: float) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (90, 90, 3), np.uint8))
    source = saved(tmp_path, noise, pillow_format)
    whole = source.read_bytes()
    source.write_bytes(whole[: int(len(whole) * kept)])

    sentence = prober.unreadable(source)

    assert sentence.endswith("but cannot be decoded: it is broken or of an unusual make.")


def test_a_bomb_is_measured_by_its_header_and_never_decoded(prober: Prober, tmp_path: Path) -> None:
    side = 30_000
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(bytes(side + 1) * 100) for _ in range(side // 100)) + packer.flush()
    source = written(tmp_path, png(side, side, 8, 0, pixels))

    facts = prober.measure(source, timeout_s=5)

    assert facts == ImageFacts("png", side, side, source.stat().st_size, decoded=False)
    assert names(tmp_path) == ["source"]


def test_a_picture_that_needs_too_much_memory_ends_in_a_sentence(prober: Prober, tmp_path: Path) -> None:
    source = written(tmp_path, png(25_000, 25_000, 8, 2, zlib.compress(b"")))

    with pytest.raises(MediaUnreadable, match="needs more memory"):
        prober.measure(source, max_pixels=1_000_000_000)

    assert names(tmp_path) == ["source"]


def test_a_webp_that_claims_the_largest_canvas_is_not_opened(prober: Prober, tmp_path: Path) -> None:
    source = saved(tmp_path, Image.new("RGBA", (9, 9), (0, 0, 0, 0)), "WEBP", exif=b"Exif\0\0")
    forged = bytearray(source.read_bytes())
    assert forged[12:16] == b"VP8X"
    forged[24:30] = b"\xff\x3f\x00" * 2
    source.write_bytes(forged)

    facts = prober.measure(source)

    assert facts == ImageFacts("webp", 16384, 16384, len(forged), decoded=False)


def test_a_picture_of_exactly_the_most_pixels_is_decoded_and_one_column_more_is_not(
    prober: Prober, tmp_path: Path
) -> None:
    facts, _ = measured_image(prober, saved(tmp_path, photo(50, 40), "PNG"), max_pixels=2_000)
    assert facts.decoded

    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "clean").unlink()
    too_large = prober.measure(saved(tmp_path, photo(51, 40), "JPEG", exif=exif), max_pixels=2_000)

    assert isinstance(too_large, ImageFacts)
    assert (too_large.width_px, too_large.height_px, too_large.decoded) == (40, 51, False)
    assert names(tmp_path) == ["source"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><title>Not found</title>", "a web page"),
        (b"\xef\xbb\xbf\n  <HTML>", "a web page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG or XML file"),
        (b'{"error": "expired"}', "JSON text"),
        (b"GIF89a\1\0\1\0", "a GIF picture"),
        (b"II*\0\x08\0\0\0", "a TIFF picture"),
        (b"\0\0\0\x18ftypheic", "a HEIC picture"),
        (b"\0\0\0\x1cftypavif", "an AVIF picture"),
        (b"\0\0\0\x20ftypisom", "a video"),
        (b"%PDF-1.7", "a PDF document"),
        (b"PK\x03\x04", "an archive"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a WAV sound"),
        (b"RIFF\0\0\0\0AVI LIST", "a video"),
        (b"hello, this is not a picture", "plain text"),
        (bytes(range(256)), "no kind of file known here"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "plain text"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_what_it_looks_like(
    prober: Prober, tmp_path: Path, content: bytes, words: str
) -> None:
    sentence = prober.unreadable(written(tmp_path, content))

    assert sentence == f"The file is not a JPEG, PNG, BMP or WebP picture (it begins like {words})."


@pytest.mark.parametrize(
    "head", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM" + bytes(60), b"RIFF\0\0\0\0WEBPVP8X" + bytes(40)]
)
@pytest.mark.parametrize("seed", range(5))
def test_noise_behind_a_good_beginning_is_refused(prober: Prober, tmp_path: Path, head: bytes, seed: int) -> None:
    noise = np.random.default_rng(seed).bytes(2_000)

    assert "broken" in prober.unreadable(written(tmp_path, head + noise))
