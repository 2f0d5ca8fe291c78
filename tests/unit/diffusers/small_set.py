"""A set of weights by its names and headers alone, a few kilobytes, written without any library."""

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path

from filmgate.engines.diffusers.weights.checksums import recorded_files
from filmgate.engines.diffusers.weights.record import Record, write_record

__all__ = ["SHARDS", "small_set", "tensors_file"]

SHARDS = tuple(f"transformer/diffusion_pytorch_model-0000{number}-of-00002.safetensors" for number in (1, 2))
_PARTS = {
    "scheduler": ("diffusers", "UniPCMultistepScheduler"),
    "text_encoder": ("transformers", "UMT5EncoderModel"),
    "tokenizer": ("transformers", "T5TokenizerFast"),
    "transformer": ("diffusers", "WanTransformer3DModel"),
    "transformer_2": (None, None),
    "vae": ("diffusers", "AutoencoderKLWan"),
}


def small_set(folder: Path, *, recorded: bool) -> Path:
    """Writes the set into `folder`; `recorded` is whether it has checksums."""
    texts = {
        "model_index.json": json.dumps({"_class_name": "WanImageToVideoPipeline", **_PARTS}),
        "scheduler/scheduler_config.json": "{}",
        "text_encoder/config.json": "{}",
        "tokenizer/tokenizer.json": "{}",
        "transformer/config.json": "{}",
        "transformer/diffusion_pytorch_model.safetensors.index.json": json.dumps(
            {"weight_map": {"a": Path(SHARDS[0]).name, "b": Path(SHARDS[1]).name}}
        ),
        "vae/config.json": "{}",
    }
    tensors = {
        SHARDS[0]: {"a": (8, 8)},
        SHARDS[1]: {"b": (4,)},
        "text_encoder/model.safetensors": {"shared.weight": (2, 2)},
        "vae/diffusion_pytorch_model.safetensors": {"c": (3,)},
    }
    for name, text in texts.items():
        _put(folder / name, text.encode())
    for name, shapes in tensors.items():
        _put(folder / name, tensors_file(shapes))
    if recorded:
        write_record(folder, Record(made_by="pull", format="bf16", files=recorded_files(folder)))
    return folder


def tensors_file(shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """A safetensors file of zeros in float32."""
    header, end = {}, 0
    for name, shape in shapes.items():
        start, end = end, end + 4 * prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(end)


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
