"""Writes the tensors of a part as safetensors in shards of a few gigabytes, with one tensor at a time in memory.

Where a tensor stands in a file is settled before any is made: the widest numbers first, so that each is aligned.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch

__all__ = ["Entry", "Planned", "write_part"]

_DTYPES: Mapping[str, torch.dtype] = {
    "F64": torch.float64,
    "I64": torch.int64,
    "F32": torch.float32,
    "I32": torch.int32,
    "BF16": torch.bfloat16,
    "F16": torch.float16,
    "F8_E4M3": torch.float8_e4m3fn,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_HEADER_MULTIPLE = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor as it is stored; `dtype` by the format's name for it, such as `BF16`."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return prod(self.shape) * _width_bytes(self.dtype)


@dataclass(frozen=True, slots=True)
class Planned:
    """Entries that come of one tensor, and how they are made, in the same order."""

    entries: tuple[Entry, ...]
    make: Callable[[], Sequence[torch.Tensor]]

    @property
    def bytes(self) -> int:
        return sum(entry.bytes for entry in self.entries)


def write_part(
    folder: Path, stem: str, planned: Sequence[Planned], shard_bytes: int, written: Callable[[int], None]
) -> None:
    """Writes everything planned into `folder`, named as the libraries name it: `stem.safetensors`, or shards and index.

    A shard has at most `shard_bytes`, unless one tensor alone has more. `written` is called with the bytes of each.
    """
    shards = list(_shards(planned, shard_bytes))
    if len(shards) == 1:
        _write_shard(folder / f"{stem}.safetensors", shards[0], written)
        return
    places: dict[str, str] = {}
    for number, shard in enumerate(shards, start=1):
        name = f"{stem}-{number:05}-of-{len(shards):05}.safetensors"
        _write_shard(folder / name, shard, written)
        places |= {entry.name: name for plan in shard for entry in plan.entries}
    index = {
        "metadata": {"total_size": sum(plan.bytes for plan in planned)},
        "weight_map": dict(sorted(places.items())),
    }
    (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _shards(planned: Sequence[Planned], shard_bytes: int) -> Iterator[Sequence[Planned]]:
    shard: list[Planned] = []
    filled_bytes = 0
    for plan in planned:
        if shard and filled_bytes + plan.bytes > shard_bytes:
            yield shard
            shard, filled_bytes = [], 0
        shard.append(plan)
        filled_bytes += plan.bytes
    yield shard


def _write_shard(path: Path, shard: Sequence[Planned], written: Callable[[int], None]) -> None:
    entries = sorted(
        (entry for plan in shard for entry in plan.entries),
        key=lambda entry: (-_width_bytes(entry.dtype), entry.name),
    )
    starts, end = {}, 0
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    for entry in entries:
        starts[entry.name] = end
        end += entry.bytes
        header[entry.name] = {"dtype": entry.dtype, "shape": entry.shape, "data_offsets": [starts[entry.name], end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _HEADER_MULTIPLE)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        origin = file.tell()
        for plan in shard:
            for entry, tensor in zip(plan.entries, plan.make(), strict=True):
                file.seek(origin + starts[entry.name])
                file.write(_content(entry, tensor))
                written(entry.bytes)
        file.flush()
        os.fsync(file.fileno())


def _content(entry: Entry, tensor: torch.Tensor) -> memoryview:
    if tensor.dtype != _DTYPES[entry.dtype] or tuple(tensor.shape) != entry.shape:
        raise ValueError(f"{entry.name} is {tensor.dtype} {tuple(tensor.shape)}, but was planned as {entry}")
    return memoryview(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy())


def _width_bytes(dtype: str) -> int:
    return int(_DTYPES[dtype].itemsize)
