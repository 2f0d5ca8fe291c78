"""Attention kernels, chosen for each model by itself.

The library's switch for kernels sets a default for the whole process, so one model's choice would leak into the next.
Here the processors of one transformer hold the kernel. A kernel is used only after it ran once on this device, at this
head width, and its result was right; else it is refused with a reason, and the next of the profile's list is tried.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from filmgate.engines.diffusers.tuned.elementwise import Elementwise
from filmgate.engines.diffusers.tuned.trial import first_line, relative_error

__all__ = ["Kernel", "KernelRefused", "choose_kernel", "open_kernel"]

Attend = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""Queries, keys and values, each batch × tokens × heads × width, to what the queries see, in the same shape."""

_HOPPER = 9
_TOKENS = 128
_HEADS = 2
_LARGEST_ERROR = {"fa3-fp8": 0.1}
_LARGEST_ERROR_16_BIT = 0.02
"""Of a trial, relative to attention in float32: a few times what rounding to bfloat16, and to e4m3, makes."""


class KernelRefused(Exception):
    """A kernel cannot be used; the message says why, as part of a sentence."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """An attention kernel that ran here."""

    name: str
    attend: Attend


def choose_kernel(
    names: Sequence[str], device: torch.device, dtype: torch.dtype, head_width: int, ops: Elementwise
) -> tuple[Kernel, tuple[str, ...]]:
    """The first kernel of `names` that runs, and why those before it do not.

    `sdpa` runs everywhere; a list without it may run out, which raises KernelRefused with every reason.
    """
    refused: dict[str, list[str]] = {}
    for name in names:
        try:
            return open_kernel(name, device, dtype, head_width, ops), _sentences(refused)
        except KernelRefused as error:
            refused.setdefault(str(error), []).append(name)
    raise KernelRefused("; ".join(_sentences(refused)))


def _sentences(refused: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(f"not {' or '.join(names)}: {reason}" for reason, names in refused.items())


def open_kernel(name: str, device: torch.device, dtype: torch.dtype, head_width: int, ops: Elementwise) -> Kernel:
    """The kernel of this name after a trial run. Raises KernelRefused."""
    kernel = Kernel(name, _attend(name, device, ops))
    if name != "sdpa":
        _try(kernel, device, dtype, head_width)
    return kernel


def _attend(name: str, device: torch.device, ops: Elementwise) -> Attend:
    if name == "sdpa":
        return partial(_sdpa, None)
    if device.type != "cuda":
        raise KernelRefused(f"they are for CUDA and this is {device.type}")
    if name == "cudnn":
        return partial(_sdpa, SDPBackend.CUDNN_ATTENTION)
    if name == "flash":
        return partial(_sdpa, SDPBackend.FLASH_ATTENTION)
    function = _flash_attention_3(device)
    if name == "fa3":
        return partial(_flash_3, function)
    if name == "fa3-fp8":
        return partial(_flash_3_in_8_bits, function, ops)
    raise KernelRefused("there is no such kernel")


def _flash_attention_3(device: torch.device) -> Callable[..., Any]:
    if torch.cuda.get_device_capability(device)[0] != _HOPPER:
        raise KernelRefused(f"{torch.cuda.get_device_name(device)} is no Hopper card")
    try:
        from fa3_fwd_interface import flash_attn_func
    except (ImportError, OSError, RuntimeError) as error:
        raise KernelRefused(f"fa3-fwd cannot be loaded ({first_line(error)})") from error
    found: Callable[..., Any] = flash_attn_func
    return found


def _sdpa(backend: SDPBackend | None, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """torch's own attention, by one of its kernels or, with None, by the one that it prefers."""
    with nullcontext() if backend is None else sdpa_kernel(backend):
        seen: torch.Tensor = functional.scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
        )
    return seen.transpose(1, 2)


def _flash_3(function: Callable[..., Any], query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    return _only_output(function(query, key, value))


def _flash_3_in_8_bits(
    function: Callable[..., Any], ops: Elementwise, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
) -> torch.Tensor:
    dtype = query.dtype
    query, query_scale = ops.quantize_heads(query, centred=False)
    key, key_scale = ops.quantize_heads(key, centred=True)
    value, value_scale = ops.quantize_heads(value, centred=False)
    scales = {"q_descale": query_scale, "k_descale": key_scale, "v_descale": value_scale}
    return _only_output(function(query, key, value, **scales)).to(dtype)


def _only_output(returned: Any) -> torch.Tensor:
    """Some builds of FlashAttention 3 return the softmax's sums too."""
    seen: torch.Tensor = returned[0] if isinstance(returned, tuple) else returned
    return seen


def _try(kernel: Kernel, device: torch.device, dtype: torch.dtype, head_width: int) -> None:
    """Raises KernelRefused unless the kernel gives on a small case what float32 gives."""
    numbers = torch.Generator("cpu").manual_seed(0)
    shape = (3, 1, _TOKENS, _HEADS, head_width)
    query, key, value = torch.randn(shape, generator=numbers).to(device, dtype).unbind(0)
    try:
        with torch.no_grad():
            seen = kernel.attend(query, key, value)
    except (RuntimeError, ValueError, TypeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise KernelRefused(first_line(error)) from error
    expected = _sdpa(SDPBackend.MATH, query.float(), key.float(), value.float())
    off = relative_error(seen, expected)
    if not off <= _LARGEST_ERROR.get(kernel.name, _LARGEST_ERROR_16_BIT):
        raise KernelRefused(f"its trial result is off by {off:.2g}")
