"""Stores an installed set in fewer bits: the official ones are fp32, twice what a device computes with.

bf16: the tensors of the transformers and of the text encoder are rounded, but for those that the library itself keeps
in float32. So a converted set gives the very frames of the original on a device that computes in bf16.

fp8: as bf16, but the matrices of the linear layers inside the transformers' blocks are e4m3 with a scale for every row:
`NAME.weight` (out × in) and beside it `NAME.weight_scale` (out × 1, float32), `weight ≈ stored * scale`, which is what
`tuned.shards` loads. The layers that make modulation stay bf16: they see one row, so 8 bits would save nothing.

VAE and picture encoder are small, and on a card run in float32 in most sets: they stay as they are.
"""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import diffusers
import torch
import transformers
from safetensors import safe_open

from filmgate.engines.diffusers.catalog import Installed, installed
from filmgate.engines.diffusers.tuned.rows import quantize_rows
from filmgate.engines.diffusers.weights.checksums import recorded_files, set_files
from filmgate.engines.diffusers.weights.completeness import INDEX_NAME, parts_in
from filmgate.engines.diffusers.weights.fault import WeightsFault
from filmgate.engines.diffusers.weights.header import Tensor, read_header
from filmgate.engines.diffusers.weights.record import read_record, write_record
from filmgate.engines.diffusers.weights.shards import Entry, Planned, write_part
from filmgate.engines.diffusers.weights.staging import disk_fault, put_in_place, require_room, restore, staging_folder
from filmgate.engines.diffusers.weights.verify import Progress

__all__ = ["Format", "convert_set"]

Format = Literal["bf16", "fp8"]

_TRANSFORMERS = ("transformer", "transformer_2")
_SHARD_BYTES = 4 * 10**9
_FORMATS_TAKEN: Mapping[Format, tuple[str, ...]] = {"bf16": ("fp32", "fp16"), "fp8": ("fp32", "fp16", "bf16")}
_BLOCK_MATRIX = re.compile(r"(?:transformer_)?blocks\.\d+\.(?!img_mod\.|txt_mod\.).+\.weight")


def convert_set(
    weights_folder: Path, name: str, wanted: Format, to: Path, progress: Progress, *, shard_bytes: int = _SHARD_BYTES
) -> Installed:
    """Writes the set in the wanted format into the folder of weights `to`, which may be its own: then in its place.

    Raises EngineFailure when the set is not whole, and WeightsFault: `format_unfit` when it has no more bits than
    wanted, `weights_present`, `disk_full`, `folder_unwritable`. Whatever ends it early leaves the set as it was.
    """
    restore(weights_folder / name)
    source = installed(weights_folder, name)
    final = to / name
    _require_sense(source, wanted, final)
    parts = {part: _plan(source.folder, part, kind, wanted) for part, kind in _rounded_parts(source.folder)}
    copied = [path for path in set_files(source.folder) if not _is_rewritten(path.relative_to(source.folder), parts)]
    written_bytes = sum(plan.bytes for plans in parts.values() for plan in plans)
    require_room(to, written_bytes + sum(path.stat().st_size for path in copied), f"Converting {name}")
    staged = staging_folder(final, "converting")
    if staged.exists():
        shutil.rmtree(staged)
    try:
        _copy(source.folder, copied, staged)
        _write(parts, source.folder, staged, shard_bytes, progress)
        _note(source, staged, wanted)
        put_in_place(staged, final)
    except OSError as error:
        raise disk_fault(error, f"Converting {name}") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return installed(to, name)


def _require_sense(source: Installed, wanted: Format, final: Path) -> None:
    name = source.weights.name
    if source.format not in _FORMATS_TAKEN[wanted]:
        remedy = "nothing is to be done" if source.format == wanted else "pull it anew first"
        raise WeightsFault(
            f"{name} is stored as {source.format} and cannot be made {wanted} from that; {remedy}.", code="format_unfit"
        )
    if final.exists() and not final.samefile(source.folder):
        raise WeightsFault(f"{final} is there already; delete it or name another folder.", code="weights_present")


def _rounded_parts(folder: Path) -> Iterator[tuple[str, str]]:
    """The parts that are not left as they are, each with the library's class for it."""
    for part, kind in parts_in((folder / INDEX_NAME).read_bytes()).items():
        if part in (*_TRANSFORMERS, "text_encoder"):
            yield part, kind


def _is_rewritten(path: Path, parts: Mapping[str, object]) -> bool:
    return path.parts[0] in parts and path.name.endswith((".safetensors", ".safetensors.index.json"))


def _plan(folder: Path, part: str, kind: str, wanted: Format) -> Sequence[Planned]:
    """What becomes of each tensor of a part."""
    exact = _exact_modules(kind)
    in_8_bits = wanted == "fp8" and part in _TRANSFORMERS
    return [
        _plan_tensor(name, tensor, partial(_read, path, name), exact, in_8_bits=in_8_bits)
        for path in sorted((folder / part).glob("*.safetensors"))
        for name, tensor in read_header(path).items()
    ]


def _plan_tensor(
    name: str, tensor: Tensor, read: Callable[[], torch.Tensor], exact: Sequence[str], *, in_8_bits: bool
) -> Planned:
    if in_8_bits and len(tensor.shape) == 2 and _BLOCK_MATRIX.fullmatch(name):
        scale = Entry(f"{name}_scale", "F32", (tensor.shape[0], 1))
        return Planned((Entry(name, "F8_E4M3", tensor.shape), scale), lambda: quantize_rows(read()))
    if tensor.dtype in ("F32", "F16") and not any(module in name.split(".") for module in exact):
        return Planned((Entry(name, "BF16", tensor.shape),), lambda: (read().to(torch.bfloat16),))
    return Planned((Entry(name, tensor.dtype, tensor.shape),), lambda: (read(),))


def _read(path: Path, name: str) -> torch.Tensor:
    with safe_open(path, framework="pt") as file:
        tensor: torch.Tensor = file.get_tensor(name)
    return tensor


def _exact_modules(kind: str) -> Sequence[str]:
    """Names of modules that the library keeps in float32 when it loads the rest in bf16."""
    if hasattr(diffusers, kind):
        return tuple(getattr(diffusers, kind)._keep_in_fp32_modules or ())
    # transformers has another list under the name that diffusers uses: that one counts for float16 alone.
    return tuple(getattr(transformers, kind)._keep_in_fp32_modules_strict or ())


def _copy(folder: Path, paths: Sequence[Path], staged: Path) -> None:
    for path in paths:
        target = staged / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _write(
    parts: Mapping[str, Sequence[Planned]], folder: Path, staged: Path, shard_bytes: int, progress: Progress
) -> None:
    total_bytes = sum(plan.bytes for plans in parts.values() for plan in plans)
    done_bytes = 0

    def written(count: int, part: str) -> None:
        nonlocal done_bytes
        done_bytes += count
        progress(part, done_bytes, total_bytes)

    for part, plans in parts.items():
        stem = min((folder / part).glob("*.safetensors")).name.removesuffix(".safetensors").split("-00001-of-")[0]
        (staged / part).mkdir(parents=True, exist_ok=True)
        write_part(staged / part, stem, plans, shard_bytes, partial(written, part=part))


def _note(source: Installed, staged: Path, wanted: Format) -> None:
    """Writes the record: that of the original with the new format, files and, for fp8, memory."""
    files = recorded_files(staged)
    record = replace(read_record(source.folder), made_by="convert", format=wanted, files=files)
    if wanted == "fp8":
        stored_bytes = sum(file.bytes for name, file in files.items() if name.endswith(".safetensors"))
        record = replace(record, memory_bytes=stored_bytes)
    write_record(staged, record)
