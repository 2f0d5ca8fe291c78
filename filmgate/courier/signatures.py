"""What a file is by its first bytes, whatever its name or header says."""

import re

__all__ = ["HEAD_BYTES", "looks_like", "sniff"]

HEAD_BYTES = 512
"""As many bytes as `sniff` wants to see."""

RATE_BYTES = b"".join(re.escape(bytes([rates])) for rates in range(0xF0) if rates & 0b1100 != 0b1100)
"""Third byte of an MP3 frame, neither with the reserved bit rate nor with the reserved sampling rate.

Before it stand the sync, any version but the reserved one, and layer III.
"""

SIGNATURES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE if name == "html" else re.DOTALL), name)
    for pattern, name in (
        (rb"\Z", "empty"),
        (rb"\xff\xd8\xff", "jpeg"),
        (rb"\x89PNG\r\n\x1a\n", "png"),
        (rb"BM.{4}\0\0\0\0", "bmp"),
        (rb"BM.{8}.\0\0\0", "bmp"),
        (rb"RIFF.{4}WEBP", "webp"),
        (rb"(?:RIFF|RF64).{4}WAVE", "wav"),
        (rb"ID3", "mp3"),
        (rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][" + RATE_BYTES + rb"]", "mp3"),
        (rb"GIF8", "gif"),
        (rb"II\*\0|MM\0\*", "tiff"),
        (rb".{4}ftyp(?:hei|hev|mif|msf)", "heif"),
        (rb".{4}ftypavi", "avif"),
        (rb".{4}ftypM4A", "m4a"),
        (rb".{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI ", "video"),
        (rb"OggS", "ogg"),
        (rb"fLaC", "flac"),
        (rb"\xff[\xf0\xf1\xf8\xf9]", "aac"),
        (rb"\xff\x0a|\0\0\0\x0cJXL ", "jxl"),
        (rb"\0\0\x01\0", "ico"),
        (rb"8BPS", "psd"),
        (rb"%PDF", "pdf"),
        (rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!", "archive"),
        (rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|!--|html|head|body|script|title|meta|h1|p>|div)", "html"),
        (rb"(?:\xef\xbb\xbf)?\s*<(?:svg|\?xml)", "xml"),
        (rb"(?:\xef\xbb\xbf)?\s*[\[{]\s*[\"\[{\]}\w-]", "json"),
        (rb"(?:\xef\xbb\xbf)?[\t\n\r -~\x80-\xff]{1,512}\Z", "text"),
    )
)
"""The first that matches the beginning of a file decides."""

LOOKS: dict[str, str] = {
    "empty": "an empty file",
    "jpeg": "a JPEG picture",
    "png": "a PNG picture",
    "bmp": "a BMP picture",
    "webp": "a WebP picture",
    "wav": "a WAV sound",
    "mp3": "an MP3 sound",
    "gif": "a GIF picture",
    "tiff": "a TIFF picture",
    "heif": "a HEIC picture",
    "avif": "an AVIF picture",
    "m4a": "an M4A sound",
    "video": "a video",
    "ogg": "an Ogg sound",
    "flac": "a FLAC sound",
    "aac": "an AAC sound",
    "jxl": "a JPEG XL picture",
    "ico": "an icon",
    "psd": "a Photoshop file",
    "pdf": "a PDF document",
    "archive": "an archive",
    "html": "a web page",
    "xml": "an SVG or XML file",
    "json": "JSON text",
    "text": "plain text",
    "unknown": "no kind of file known here",
}


def sniff(head: bytes) -> str:
    """One word for what a file that begins with `head` is: `jpeg`, `wav`, …, `text`, `empty` or `unknown`."""
    head = head[:HEAD_BYTES]
    return next((name for pattern, name in SIGNATURES if pattern.match(head)), "unknown")


def looks_like(name: str) -> str:
    """A few words for people about what `sniff` answered."""
    return LOOKS[name]
