"""What files are by their first bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.courier.signatures import LOOKS, SIGNATURES, looks_like, sniff


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"", "empty"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"BM\x36\x10\x0e\0\0\0\0\0\x36\0\0\0", "bmp"),
        (b"BMW builds cars", "text"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "wav"),
        (b"ID3\x04\0", "mp3"),
        (b"\xff\xfb\x90\x00", "mp3"),
        (b"\xff\xf3\x84\xc4", "mp3"),
        (b"\xff\xfb\xf0\x00", "unknown"),
        (b"\xff\xfb\x9c\x00", "unknown"),
        (b"\xff\xfd\x90\x00", "unknown"),
        (b"\xff\xf1\x50\x80", "aac"),
        (b"fLaC", "flac"),
        (b"\x1aE\xdf\xa3", "video"),
        (b"\xff\x0a", "jxl"),
        (b" <!-- a comment --><html>", "html"),
        (b"[1, 2]", "json"),
        ("Größe".encode(), "text"),
        (b"text\0", "unknown"),
    ],
)
def test_the_first_bytes_decide(head: bytes, name: str) -> None:
    assert sniff(head) == name


def test_every_name_is_described() -> None:
    assert {name for _, name in SIGNATURES} | {"unknown"} == LOOKS.keys()


@given(st.binary(max_size=2_000))
def test_any_bytes_get_a_name(content: bytes) -> None:
    assert looks_like(sniff(content))
