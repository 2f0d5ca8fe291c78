"""Applies a speed profile to loaded models, and says what runs.

A profile names what it would like. What the device or the installed parts cannot do is left as the library has it, and
the words returned say so, with the reason. A model is tuned once, after it was loaded and before it is moved: the same
parts, profile and device always end in the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from subprocess import SubprocessError
from typing import Any

import torch
from torch import nn

from filmgate.engines.diffusers.parts import FP8_CAPABILITY
from filmgate.engines.diffusers.profiles import Profile
from filmgate.engines.diffusers.tuned.attention import choose_kernel
from filmgate.engines.diffusers.tuned.blocks import fuse
from filmgate.engines.diffusers.tuned.elementwise import PLAIN, Elementwise, trial_results
from filmgate.engines.diffusers.tuned.linear import Fp8Linear, block_linears, use_fp8_linears
from filmgate.engines.diffusers.tuned.processor import WanAttentionProcessor
from filmgate.engines.diffusers.tuned.stepcache import reuse_steps
from filmgate.engines.diffusers.tuned.trial import first_line, relative_error
from filmgate.engines.diffusers.tuned.vae import use_stateless_vae

__all__ = ["float32_products", "tune"]

_LIBRARY_KERNELS = {"cudnn": "_native_cudnn", "sdpa": "native"}
"""Kernels that take a mask, by the library's names; Qwen's attention may have one."""
_TRIAL_ROWS = 41
_TRIAL_SIDES = (256, 128)
_LARGEST_TRIAL_ERROR = 0.02


def tune(parts: Mapping[str, nn.Module], profile: Profile, device: torch.device) -> tuple[str, ...]:
    """Makes the parts of a set (`transformer`, `vae`, …) run as the profile wants, on `device`; others are left alone.

    Returns what runs, part by part, for people: `transformer: attention by fa3`.
    """
    ops, shortfall = _elementwise(device)
    return tuple(
        f"{name}: {words}" for name, part in parts.items() for words in _tuned(part, profile, device, ops, shortfall)
    )


@contextmanager
def float32_products(profile: Profile) -> Iterator[None]:
    """Inside, products of float32 matrices are as precise as the profile says; after it, as before."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if profile.tf32 else before)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _tuned(part: Any, profile: Profile, device: torch.device, ops: Elementwise, shortfall: str) -> Iterator[str]:
    kind = type(part).__name__
    if kind == "WanTransformer3DModel":
        if profile.attention:
            yield _wan_attention(part, profile, device, ops)
        yield from _linears(part, profile, device, ops)
        if profile.fused:
            fuse(part, ops)
            yield f"element-wise work by {ops.name}{shortfall}"
        if profile.step_cache:
            reuse_steps(part, profile.step_cache)
            yield f"steps reused below a change of {profile.step_cache:g}"
    elif kind == "QwenImageTransformer2DModel":
        if profile.attention:
            yield _qwen_attention(part, profile, device, ops)
        yield from _linears(part, profile, device, ops)
    elif kind == "AutoencoderKLWan" and profile.tuned_vae:
        yield _vae(part, device, ops)


def _wan_attention(transformer: Any, profile: Profile, device: torch.device, ops: Elementwise) -> str:
    width = transformer.config.attention_head_dim
    names = profile.attention
    kernel, refused = choose_kernel(names, device, transformer.dtype, width, ops)
    # Attention to the few tokens of the text takes hardly any time: there 8 bits would only cost precision.
    to_text, _ = choose_kernel([name for name in names if name != "fa3-fp8"], device, transformer.dtype, width, ops)
    for block in transformer.blocks:
        block.attn1.set_processor(WanAttentionProcessor(kernel, ops))
        block.attn2.set_processor(WanAttentionProcessor(to_text, ops))
    return _chosen(kernel.name, refused) + ("" if to_text.name == kernel.name else f", to the text by {to_text.name}")


def _qwen_attention(transformer: Any, profile: Profile, device: torch.device, ops: Elementwise) -> str:
    """Its own processors, each told its kernel: the library's switch for a whole model is one for the process."""
    width = transformer.config.attention_head_dim
    names = [name for name in profile.attention if name in _LIBRARY_KERNELS]
    kernel, refused = choose_kernel(names, device, transformer.dtype, width, ops)
    for processor in transformer.attn_processors.values():
        processor._attention_backend = _LIBRARY_KERNELS[kernel.name]
    return _chosen(kernel.name, refused)


def _chosen(name: str, refused: tuple[str, ...]) -> str:
    return f"attention by {name}" + (f" ({'; '.join(refused)})" if refused else "")


def _linears(transformer: nn.Module, profile: Profile, device: torch.device, ops: Elementwise) -> Iterator[str]:
    """Weights that are stored in 8 bits stay so in every profile; only who multiplies them is decided here."""
    stored = any(isinstance(linear, Fp8Linear) for _, _, linear in block_linears(transformer))
    if not (stored or profile.fp8_linears):
        return
    fault = _fp8_fault(device, ops)
    if fault and not stored:
        yield f"linear layers left in 16 bits ({fault})"
        return
    convert = profile.fp8_linears and not fault
    on_units = device.type == "cuda" and not fault
    count = use_fp8_linears(transformer, device, ops.quantize, convert=convert, on_units=on_units)
    yield f"{count} linear layers in 8 bits" + (f", multiplied in float32 ({fault})" if fault else "")


def _fp8_fault(device: torch.device, ops: Elementwise) -> str:
    """Why 8-bit products cannot be used on the device; empty if they can."""
    if device.type != "cuda":
        return ""
    if torch.cuda.get_device_capability(device) < FP8_CAPABILITY:
        return f"{torch.cuda.get_device_name(device)} has no 8-bit matrix units"
    linear = nn.Linear(_TRIAL_SIDES[0], _TRIAL_SIDES[1], device=device, dtype=torch.bfloat16)
    layer = Fp8Linear.of(linear, device)
    given = torch.randn(_TRIAL_ROWS, _TRIAL_SIDES[0], generator=torch.Generator("cpu").manual_seed(0))
    given = given.to(device, torch.bfloat16)
    expected = layer.dequantized(layer.rows(given))
    layer.quantize, layer.on_units = ops.quantize, True
    return _fault(lambda: [layer(given)], [expected])


def _elementwise(device: torch.device) -> tuple[Elementwise, str]:
    """The element-wise passes for this device; if not the fused ones, the reason, ready to be appended."""
    if device.type != "cuda":
        return PLAIN, ", un-fused"
    try:
        from triton.errors import TritonError

        from filmgate.engines.diffusers.tuned.kernels import TRITON
    except ImportError:
        return PLAIN, ", un-fused (triton is not installed)"
    # It compiles at its first use: for a card that it does not know, or without a C compiler, that fails.
    failures = (RuntimeError, TritonError, OSError, SubprocessError)
    fault = _fault(lambda: trial_results(TRITON, device), trial_results(PLAIN, device), failures)
    return (PLAIN, f", un-fused (triton: {fault})") if fault else (TRITON, "")


def _fault(
    make: Callable[[], Sequence[torch.Tensor]],
    expected: Sequence[torch.Tensor],
    failures: tuple[type[Exception], ...] = (RuntimeError,),
) -> str:
    """What is wrong with what `make` gives on the device; empty when it is what was expected, as 16 bits go."""
    try:
        with torch.no_grad():
            off = max(relative_error(made, wanted) for made, wanted in zip(make(), expected, strict=True))
    except torch.OutOfMemoryError:
        raise
    except failures as error:
        return first_line(error)
    return "" if off <= _LARGEST_TRIAL_ERROR else f"its trial result is off by {off:.2g}"


def _vae(vae: Any, device: torch.device, ops: Elementwise) -> str:
    if device.type == "cuda":
        vae.to(torch.bfloat16)
        for parameter in vae.parameters():
            parameter.data = _channels_last(parameter.data)
    use_stateless_vae(vae, ops)
    return f"without state, in {str(vae.dtype).removeprefix('torch.')}"


def _channels_last(tensor: torch.Tensor) -> torch.Tensor:
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    wanted = formats.get(tensor.dim())
    return tensor if wanted is None else tensor.contiguous(memory_format=wanted)
