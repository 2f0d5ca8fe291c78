"""The element-wise passes as Triton kernels: one program for each row, which is read once and written once.

Under TRITON_INTERPRET=1 they run on a CPU, number by number.
"""

from collections.abc import Callable
from typing import Any

import torch
import triton
import triton.language as tl

from filmgate.engines.diffusers.tuned.elementwise import Elementwise, Rotary
from filmgate.engines.diffusers.tuned.rows import E4M3, E4M3_MAX, SMALLEST

__all__ = ["TRITON"]

_compiled: Callable[[Any], Any] = triton.jit

_WARPS = 8
_TILE = 4096
"""Numbers that a program holds where rows are short."""
_CHUNK = 64
"""Tokens of one head that a program looks at."""


@_compiled
def _norm_kernel(
    x: tl.tensor,
    factor: tl.tensor,
    offset: tl.tensor,
    out: tl.tensor,
    tokens: tl.tensor,
    width: tl.tensor,
    batch_stride: tl.tensor,
    token_stride: tl.tensor,
    eps: tl.tensor,
    modulates: tl.constexpr,
    block: tl.constexpr,
) -> None:
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, block)
    inside = columns < width
    value = tl.load(x + row * width + columns, mask=inside, other=0.0).to(tl.float32)
    mean = tl.sum(value, axis=0) / width
    centred = tl.where(inside, value - mean, 0.0)
    normed = centred / tl.sqrt(tl.sum(centred * centred, axis=0) / width + eps)
    at = (row // tokens) * batch_stride + (row % tokens) * token_stride + columns
    scale = tl.load(factor + at, mask=inside, other=0.0).to(tl.float32)
    shift = tl.load(offset + at, mask=inside, other=0.0).to(tl.float32)
    if modulates:
        scale = 1.0 + scale
    tl.store(out + row * width + columns, (normed * scale + shift).to(out.dtype.element_ty), mask=inside)


@_compiled
def _gated_add_kernel(
    x: tl.tensor,
    branch: tl.tensor,
    gate: tl.tensor,
    out: tl.tensor,
    tokens: tl.tensor,
    width: tl.tensor,
    batch_stride: tl.tensor,
    token_stride: tl.tensor,
    block: tl.constexpr,
) -> None:
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, block)
    inside = columns < width
    place = row * width + columns
    value = tl.load(x + place, mask=inside, other=0.0).to(tl.float32)
    added = tl.load(branch + place, mask=inside, other=0.0).to(tl.float32)
    at = (row // tokens) * batch_stride + (row % tokens) * token_stride + columns
    share = tl.load(gate + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + place, (value + added * share).to(out.dtype.element_ty), mask=inside)


@_compiled
def _rms_rotary_kernel(
    x: tl.tensor,
    weight: tl.tensor,
    cosines: tl.tensor,
    sines: tl.tensor,
    out: tl.tensor,
    tokens: tl.tensor,
    width: tl.tensor,
    head_width: tl.tensor,
    eps: tl.tensor,
    turns: tl.constexpr,
    block: tl.constexpr,
) -> None:
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, block)
    inside = columns < width
    value = tl.load(x + row * width + columns, mask=inside, other=0.0).to(tl.float32)
    factor = tl.load(weight + columns, mask=inside, other=0.0).to(tl.float32)
    normed = value / tl.sqrt(tl.sum(value * value, axis=0) / width + eps) * factor
    if turns:
        # Numbers 2i and 2i + 1 are one point of the plane, and turn together.
        even, odd = tl.split(tl.reshape(normed, [block // 2, 2]))
        pairs = tl.arange(0, block // 2)
        angle = (row % tokens) * head_width + (2 * pairs) % head_width
        cosine = tl.load(cosines + angle, mask=2 * pairs < width, other=0.0).to(tl.float32)
        sine = tl.load(sines + angle + 1, mask=2 * pairs < width, other=0.0).to(tl.float32)
        turned = tl.join(even * cosine - odd * sine, even * sine + odd * cosine)
        normed = tl.reshape(turned, [block])
    tl.store(out + row * width + columns, normed.to(out.dtype.element_ty), mask=inside)


@_compiled
def _quantize_kernel(
    x: tl.tensor,
    values: tl.tensor,
    scales: tl.tensor,
    width: tl.tensor,
    largest: tl.constexpr,
    smallest: tl.constexpr,
    block: tl.constexpr,
) -> None:
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, block)
    inside = columns < width
    value = tl.load(x + row * width + columns, mask=inside, other=0.0).to(tl.float32)
    scale = tl.maximum(tl.max(tl.abs(value), axis=0), smallest) / largest
    fitted = tl.minimum(tl.maximum(value / scale, -largest), largest)
    tl.store(values + row * width + columns, fitted.to(values.dtype.element_ty), mask=inside)
    tl.store(scales + row, scale)


@_compiled
def _head_largest_kernel(
    x: tl.tensor,
    mean: tl.tensor,
    largest: tl.tensor,
    tokens: tl.tensor,
    heads: tl.tensor,
    width: tl.tensor,
    chunk: tl.constexpr,
    block: tl.constexpr,
) -> None:
    head, part = tl.program_id(0), tl.program_id(1)
    rows, columns = part * chunk + tl.arange(0, chunk), tl.arange(0, block)
    inside = (rows < tokens)[:, None] & (columns < width)[None, :]
    first = (head // heads).to(tl.int64) * tokens * heads + head % heads
    at = (first + rows.to(tl.int64) * heads)[:, None] * width + columns[None, :]
    centre = tl.load(mean + head * width + columns, mask=columns < width, other=0.0)
    value = tl.load(x + at, mask=inside, other=0.0).to(tl.float32) - centre[None, :]
    largest_here = tl.max(tl.max(tl.where(inside, tl.abs(value), 0.0), axis=1), axis=0)
    tl.store(largest + head * tl.num_programs(1) + part, largest_here)


@_compiled
def _head_quantize_kernel(
    x: tl.tensor,
    mean: tl.tensor,
    scale: tl.tensor,
    values: tl.tensor,
    tokens: tl.tensor,
    heads: tl.tensor,
    width: tl.tensor,
    most: tl.constexpr,
    chunk: tl.constexpr,
    block: tl.constexpr,
) -> None:
    head, part = tl.program_id(0), tl.program_id(1)
    rows, columns = part * chunk + tl.arange(0, chunk), tl.arange(0, block)
    inside = (rows < tokens)[:, None] & (columns < width)[None, :]
    first = (head // heads).to(tl.int64) * tokens * heads + head % heads
    at = (first + rows.to(tl.int64) * heads)[:, None] * width + columns[None, :]
    centre = tl.load(mean + head * width + columns, mask=columns < width, other=0.0)
    value = tl.load(x + at, mask=inside, other=0.0).to(tl.float32) - centre[None, :]
    fitted = tl.minimum(tl.maximum(value / tl.load(scale + head), -most), most)
    tl.store(values + at, fitted.to(values.dtype.element_ty), mask=inside)


@_compiled
def _channel_norm_silu_kernel(
    x: tl.tensor,
    gamma: tl.tensor,
    out: tl.tensor,
    places: tl.tensor,
    channels: tl.tensor,
    chunk: tl.constexpr,
    block: tl.constexpr,
) -> None:
    rows = tl.program_id(0).to(tl.int64) * chunk + tl.arange(0, chunk)
    columns = tl.arange(0, block)
    inside = (rows < places)[:, None] & (columns < channels)[None, :]
    at = rows[:, None] * channels + columns[None, :]
    value = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
    length = tl.maximum(tl.sqrt(tl.sum(value * value, axis=1)), 1e-12)
    factor = tl.load(gamma + columns, mask=columns < channels, other=0.0).to(tl.float32)
    normed = value / length[:, None] * tl.sqrt(channels.to(tl.float32)) * factor[None, :]
    tl.store(out + at, (normed * tl.sigmoid(normed)).to(out.dtype.element_ty), mask=inside)


def _modulated_norm(x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, eps: float) -> torch.Tensor:
    return _norm(x, scale, shift, eps, modulates=True)


def _affine_norm(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float) -> torch.Tensor:
    return _norm(x, weight[None, None], bias[None, None], eps, modulates=False)


def _norm(x: torch.Tensor, factor: torch.Tensor, offset: torch.Tensor, eps: float, *, modulates: bool) -> torch.Tensor:
    x, width = x.contiguous(), x.shape[-1]
    factor, offset, strides = _broadcast(factor, offset)
    out = torch.empty_like(x)
    _norm_kernel[(x.numel() // width,)](
        x, factor, offset, out, x.shape[1], width, *strides, eps,
        modulates=modulates, block=triton.next_power_of_2(width), num_warps=_WARPS,
    )  # fmt: skip
    return out


def _gated_add(x: torch.Tensor, branch: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
    x, branch, width = x.contiguous(), branch.contiguous(), x.shape[-1]
    gate, _, strides = _broadcast(gate, gate)
    out = torch.empty_like(x)
    _gated_add_kernel[(x.numel() // width,)](
        x, branch, gate, out, x.shape[1], width, *strides, block=triton.next_power_of_2(width), num_warps=_WARPS
    )
    return out


def _rms_rotary(x: torch.Tensor, weight: torch.Tensor, eps: float, rotary: Rotary | None) -> torch.Tensor:
    x, width = x.contiguous(), x.shape[-1]
    cosines, sines = (x, x) if rotary is None else (rotary[0].contiguous(), rotary[1].contiguous())
    out = torch.empty_like(x)
    _rms_rotary_kernel[(x.numel() // width,)](
        x, weight, cosines, sines, out, x.shape[1], width, cosines.shape[-1], eps,
        turns=rotary is not None, block=triton.next_power_of_2(width), num_warps=_WARPS,
    )  # fmt: skip
    return out


def _quantize(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    matrix, (rows, width) = matrix.contiguous(), matrix.shape
    values = torch.empty(rows, width, dtype=E4M3, device=matrix.device)
    scales = torch.empty(rows, 1, dtype=torch.float32, device=matrix.device)
    _quantize_kernel[(rows,)](
        matrix, values, scales, width,
        largest=E4M3_MAX, smallest=SMALLEST, block=triton.next_power_of_2(width), num_warps=_WARPS,
    )  # fmt: skip
    return values, scales


def _quantize_heads(tokens: torch.Tensor, *, centred: bool) -> tuple[torch.Tensor, torch.Tensor]:
    tokens = tokens.contiguous()
    batch, length, heads, width = tokens.shape
    if centred:
        mean = tokens.mean(dim=1, dtype=torch.float32)
    else:
        mean = torch.zeros(batch, heads, width, dtype=torch.float32, device=tokens.device)
    grid = (batch * heads, triton.cdiv(length, _CHUNK))
    largest = torch.empty(grid, dtype=torch.float32, device=tokens.device)
    values = torch.empty(tokens.shape, dtype=E4M3, device=tokens.device)
    block = triton.next_power_of_2(width)
    _head_largest_kernel[grid](tokens, mean, largest, length, heads, width, chunk=_CHUNK, block=block)
    scale = largest.amax(dim=1).clamp(min=SMALLEST) / E4M3_MAX
    _head_quantize_kernel[grid](
        tokens, mean, scale, values, length, heads, width, most=E4M3_MAX, chunk=_CHUNK, block=block
    )
    return values, scale.view(batch, heads)


def _channel_norm_silu(x: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
    x, channels = x.contiguous(memory_format=torch.channels_last_3d), x.shape[1]
    out = torch.empty_like(x)
    places, block = x.numel() // channels, triton.next_power_of_2(channels)
    chunk = max(1, _TILE // block)
    _channel_norm_silu_kernel[(triton.cdiv(places, chunk),)](x, gamma, out, places, channels, chunk=chunk, block=block)
    return out


def _broadcast(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, tuple[int, int]]:
    """Two batch × 1 or tokens × width tensors, and the strides they share; 0 where one value is for all."""
    if first.stride() != second.stride() or first.stride(-1) != 1:
        first, second = first.contiguous(), second.contiguous()
    batch, token = first.stride()[:2]
    return first, second, (batch if first.shape[0] > 1 else 0, token if first.shape[1] > 1 else 0)


TRITON = Elementwise(
    "triton",
    _modulated_norm,
    _affine_norm,
    _gated_add,
    _rms_rotary,
    _quantize,
    _quantize_heads,
    _channel_norm_silu,
)
