"""Tiny low-rank packs, under the keys that packs for the real models have."""

from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

import torch
from safetensors.torch import save

from filmgate.engines.diffusers.weights.fault import WeightsFault
from filmgate.engines.diffusers.weights.tiny import qwen, wan

__all__ = ["save_qwen_lora", "save_wan_lora"]

_RANK = 2
_STRENGTH = 0.5
"""Deviation of what a pack adds to a matrix, beside the matrix's own; enough that every frame shows it."""


def save_wan_lora(path: Path) -> None:
    """Acts on attention and feed-forward of every tiny Wan transformer. Keys are those of the original code."""
    sides = {f"{kind}_attn.{name}": (wan.WIDTH, wan.WIDTH) for kind in ("self", "cross") for name in "qkvo"}
    sides |= {"ffn.0": (wan.WIDTH, wan.FEED_FORWARD), "ffn.2": (wan.FEED_FORWARD, wan.WIDTH)}
    matrices = {f"diffusion_model.blocks.{n}.{name}": side for n in range(wan.LAYERS) for name, side in sides.items()}
    _save(path, matrices, ("lora_A", "lora_B"))


def save_qwen_lora(path: Path) -> None:
    """Acts on the attention of the tiny Qwen transformer. Keys are those of the published 4-step packs."""
    names = ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
    side = (qwen.WIDTH, qwen.WIDTH)
    matrices = {f"transformer_blocks.{n}.attn.{name}": side for n in range(qwen.BLOCKS) for name in names}
    _save(path, matrices, ("lora_down", "lora_up"), alpha=float(_RANK))


def _save(
    path: Path,
    matrices: Mapping[str, tuple[int, int]],
    words: tuple[str, str],
    alpha: float | None = None,
) -> None:
    # By its name, as several sets share a pack.
    random = torch.Generator().manual_seed(crc32(path.name.encode()))
    down, up = words
    tensors = {}
    for name, (inputs, outputs) in matrices.items():
        scale = (_STRENGTH / (inputs * _RANK) ** 0.5) ** 0.5
        tensors[f"{name}.{down}.weight"] = torch.randn(_RANK, inputs, generator=random) * scale
        tensors[f"{name}.{up}.weight"] = torch.randn(outputs, _RANK, generator=random) * scale
        if alpha is not None:
            tensors[f"{name}.alpha"] = torch.tensor(alpha)
    content = save(tensors)
    if path.exists() and path.read_bytes() != content:
        raise WeightsFault(f"{path} is there already and is not tiny; name another folder.", code="weights_present")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
