"""Whether every file of a set is there with the right length: by its record, or else by what the files say."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from filmgate.engines.diffusers.weights.header import HeaderInvalid, read_header
from filmgate.engines.diffusers.weights.record import Record

__all__ = ["INDEX_NAME", "TENSORLESS", "FileFault", "faults", "parts_in", "stored_format"]

INDEX_NAME = "model_index.json"
TENSORLESS: Mapping[str, tuple[str, ...]] = {
    "scheduler": ("scheduler_config.json",),
    "tokenizer": ("tokenizer.json", "tokenizer_config.json"),
    "image_processor": ("preprocessor_config.json",),
    "processor": ("preprocessor_config.json",),
}
"""Parts without tensors, and the files of which each has one at least."""
_REQUIRED = ("transformer", "vae", "text_encoder", "tokenizer", "scheduler")
_FORMATS = {"F32": "fp32", "BF16": "bf16", "F16": "fp16", "F8_E4M3": "fp8"}


@dataclass(frozen=True, slots=True)
class FileFault:
    """What is wrong with a file of a set. `file` is its path inside the set, `fault` the end of a sentence about it."""

    file: str
    fault: str

    def __str__(self) -> str:
        return f"{self.file} {self.fault}"


def faults(folder: Path, record: Record) -> Iterator[FileFault]:
    """Everything that is wrong with the set; nothing when it is whole. No content is read but headers."""
    if record.files:
        yield from _recorded(folder, record)
        return
    try:
        parts = parts_in((folder / INDEX_NAME).read_bytes())
    except FileNotFoundError:
        yield FileFault(INDEX_NAME, "is absent")
    except ValueError:
        yield FileFault(INDEX_NAME, "is damaged")
    else:
        for part in _REQUIRED:
            if part not in parts:
                yield FileFault(INDEX_NAME, f"names no {part}")
        for part in parts:
            yield from _part(folder, part)


def parts_in(model_index: bytes) -> Mapping[str, str]:
    """The class of each part that a `model_index.json` names. Raises ValueError when it is damaged."""
    index = json.loads(model_index)
    if not isinstance(index, dict):
        raise ValueError(INDEX_NAME)
    # A part that the pipeline may have and this set has not is [null, null].
    parts = {
        name: value[1]
        for name, value in index.items()
        if isinstance(value, list) and len(value) == 2 and isinstance(value[1], str)
    }
    # They are folders of the set, and the file may be a stranger's.
    if not all(name.isidentifier() for name in parts):
        raise ValueError(INDEX_NAME)
    return parts


def stored_format(folder: Path) -> str:
    """How the transformer's largest tensor is stored: `fp32`, `bf16`, `fp16` or `fp8`. The set must be whole."""
    first = min((folder / "transformer").glob("*.safetensors"))
    largest = max(read_header(first).values(), key=lambda tensor: prod(tensor.shape))
    return _FORMATS.get(largest.dtype, largest.dtype.lower())


def _recorded(folder: Path, record: Record) -> Iterator[FileFault]:
    for name, file in record.files.items():
        path = folder / name
        if not path.is_file():
            yield FileFault(name, f"is absent (it has {file.bytes} bytes)")
        elif path.stat().st_size != file.bytes:
            yield FileFault(name, f"has {path.stat().st_size} bytes instead of {file.bytes}")


def _part(folder: Path, part: str) -> Iterator[FileFault]:
    if part in TENSORLESS:
        if not any((folder / part / name).is_file() for name in TENSORLESS[part]):
            yield FileFault(f"{part}/{TENSORLESS[part][0]}", "is absent")
        return
    if not (folder / part / "config.json").is_file():
        yield FileFault(f"{part}/config.json", "is absent")
    files = sorted((folder / part).glob("*.safetensors"))
    indexes = sorted((folder / part).glob("*.safetensors.index.json"))
    if not files and not indexes:
        yield FileFault(part, "has no .safetensors file")
    for index in indexes:
        yield from _shards(folder, part, index)
    for file in files:
        try:
            read_header(file)
        except HeaderInvalid as fault:
            yield FileFault(f"{part}/{file.name}", str(fault))


def _shards(folder: Path, part: str, index: Path) -> Iterator[FileFault]:
    try:
        shards = sorted({str(shard) for shard in json.loads(index.read_bytes())["weight_map"].values()})
    except (ValueError, KeyError, TypeError, AttributeError):
        yield FileFault(f"{part}/{index.name}", "is damaged")
        return
    for shard in shards:
        if not (folder / part / shard).is_file():
            yield FileFault(f"{part}/{shard}", "is absent")
