"""The header of a safetensors file, read without any library: which tensors it holds, and how long it must be.

Eight bytes of length, that many bytes of JSON, then the tensors without gaps.
Source: https://huggingface.co/docs/safetensors (format).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

__all__ = ["HeaderInvalid", "Tensor", "read_header"]

_LENGTH_BYTES = 8
_MOST_HEADER_BYTES = 100 * 2**20
"""The format's own limit is 100 MB."""
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32,
    "U64": 64, "I64": 64, "F64": 64,
}  # fmt: skip


class HeaderInvalid(ValueError):
    """The file is not whole; the message says what is wrong with it, as the end of a sentence about the file."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One entry: the dtype by the format's name for it (`BF16`), the shape, and its length."""

    dtype: str
    shape: tuple[int, ...]
    bytes: int


def read_header(path: Path) -> Mapping[str, Tensor]:
    """The tensors of a file by name. Raises HeaderInvalid unless the file is exactly as long as they say."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        if size < _LENGTH_BYTES or length > min(_MOST_HEADER_BYTES, size - _LENGTH_BYTES):
            raise HeaderInvalid(f"has {size} bytes, which cannot hold its header")
        text = file.read(length)
    try:
        entries = json.loads(text)
        spans = {name: _span(entry) for name, entry in entries.items() if name != "__metadata__"}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HeaderInvalid("has a damaged header") from error
    end = 0
    for start, stop, tensor in sorted(spans.values(), key=lambda span: span[:2]):
        if start != end or stop - start != tensor.bytes:
            raise HeaderInvalid("has a damaged header")
        end = stop
    expected = _LENGTH_BYTES + length + end
    if size != expected:
        raise HeaderInvalid(f"has {size} bytes instead of {expected}")
    return {name: tensor for name, (_, _, tensor) in spans.items()}


def _span(entry: Mapping[str, Any]) -> tuple[int, int, Tensor]:
    start, stop = (int(offset) for offset in entry["data_offsets"])
    shape = tuple(int(side) for side in entry["shape"])
    dtype = str(entry["dtype"])
    return start, stop, Tensor(dtype, shape, prod(shape) * _BITS[dtype] // 8)
