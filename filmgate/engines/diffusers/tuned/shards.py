"""Loads a transformer that is stored in 8 bits already.

On disk a layer in 8 bits is `<name>.weight` (e4m3, out × in) with `<name>.weight_scale` (float32, out × 1); everything
else is as in 16 bits. The library would read the 8-bit numbers and miss their scales, so the model is built here: empty
first, then with the stored tensors as they are.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from filmgate.engines.diffusers.tuned.linear import Fp8Linear
from filmgate.engines.diffusers.tuned.rows import E4M3

__all__ = ["load_fp8"]

_SCALE = ".weight_scale"
_INDEX = "diffusion_pytorch_model.safetensors.index.json"


def load_fp8(kind: Any, folder: Path, dtype: torch.dtype) -> nn.Module:
    """A diffusers model of class `kind`, on the CPU; what is not in 8 bits is in `dtype` as the library loads it.

    Raises OSError for a file that cannot be read and ValueError for tensors that are not those of the model.
    """
    from accelerate import init_empty_weights

    with init_empty_weights(include_buffers=False):
        model: nn.Module = kind.from_config(kind.load_config(folder, local_files_only=True))
    state = dict(_stored(folder))
    for name in [key.removesuffix(_SCALE) for key in state if key.endswith(_SCALE)]:
        _make_fp8(model, name, dtype)
    exact = tuple(getattr(kind, "_keep_in_fp32_modules", None) or ())
    wanted = {name: _as_loaded(name, tensor, dtype, exact) for name, tensor in state.items()}
    try:
        model.load_state_dict(wanted, assign=True)
    except RuntimeError as error:
        raise ValueError(f"the stored tensors are not those of {kind.__name__}: {error}") from error
    return model.eval().requires_grad_(requires_grad=False)


def _stored(folder: Path) -> Iterator[tuple[str, torch.Tensor]]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    for path in _files(folder):
        try:
            yield from load_file(path).items()
        except SafetensorError as error:
            raise OSError(f"{path.name}: {error}") from error


def _files(folder: Path) -> list[Path]:
    """The model's files: those of the index where there are several, as in the library's layout."""
    index = folder / _INDEX
    if not index.is_file():
        return [folder / "diffusion_pytorch_model.safetensors"]
    return sorted({folder / name for name in json.loads(index.read_text())["weight_map"].values()})


def _make_fp8(model: nn.Module, name: str, dtype: torch.dtype) -> None:
    holder_name, _, own_name = name.rpartition(".")
    holder = model.get_submodule(holder_name)
    linear = holder.get_submodule(own_name)
    if not isinstance(linear, nn.Linear):
        raise ValueError(f"{name} is stored as a linear layer in 8 bits, but is {type(linear).__name__}")
    empty = Fp8Linear(linear.in_features, linear.out_features, bias=linear.bias is not None, compute_dtype=dtype)
    setattr(holder, own_name, empty)


def _as_loaded(name: str, tensor: torch.Tensor, dtype: torch.dtype, exact: tuple[str, ...]) -> torch.Tensor:
    """The tensor in the precision in which it is used. Norms and times stay in float32, as the library keeps them."""
    if tensor.dtype == E4M3 or name.endswith(_SCALE) or not tensor.is_floating_point():
        return tensor
    return tensor.to(torch.float32 if any(part in name.split(".") for part in exact) else dtype)
