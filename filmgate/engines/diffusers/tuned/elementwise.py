"""What happens between matrix products: norms, modulation, gates, rotary embedding, quantising.

Each is one pass over the activations, as a Triton kernel on CUDA (`kernels`) or in plain torch. All arithmetic is in
float32 and rounded once, where the result is written; the library rounds in between too, so 16-bit results differ from
its by a rounding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch.nn import functional

from filmgate.engines.diffusers.tuned.linear import RowQuantizer
from filmgate.engines.diffusers.tuned.rows import quantize_heads, quantize_rows

__all__ = ["PLAIN", "Elementwise", "Rotary", "trial_results"]

Rotary = tuple[torch.Tensor, torch.Tensor]
"""Cosines and sines as the library keeps them: 1 × tokens × 1 × head width, each value twice in a row."""


class HeadQuantizer(Protocol):
    def __call__(self, tokens: torch.Tensor, *, centred: bool) -> tuple[torch.Tensor, torch.Tensor]: ...


@dataclass(frozen=True, slots=True)
class Elementwise:
    """One implementation of each; tensors are batch × tokens × width unless said otherwise.

    `modulated_norm(x, scale, shift, eps)` is layer norm · (1 + scale) + shift, scale and shift of batch × 1 or tokens ×
    width in float32. `affine_norm(x, weight, bias, eps)` is layer norm with learnt weights. `gated_add(x, branch,
    gate)` is x + branch · gate. `rms_rotary(x, weight, eps, rotary)` is RMS norm, then the rotary embedding of every
    head unless `rotary` is None. `quantize` makes 8-bit rows, `quantize_heads` 8-bit heads. `channel_norm_silu(x,
    gamma)` is RMS norm over the channels of batch × channels × frames × height × width, then SiLU.
    """

    name: str
    modulated_norm: Callable[[torch.Tensor, torch.Tensor, torch.Tensor, float], torch.Tensor]
    affine_norm: Callable[[torch.Tensor, torch.Tensor, torch.Tensor, float], torch.Tensor]
    gated_add: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
    rms_rotary: Callable[[torch.Tensor, torch.Tensor, float, Rotary | None], torch.Tensor]
    quantize: RowQuantizer
    quantize_heads: HeadQuantizer
    channel_norm_silu: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def _modulated_norm(x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, eps: float) -> torch.Tensor:
    return (functional.layer_norm(x.float(), x.shape[-1:], eps=eps) * (1 + scale) + shift).type_as(x)


def _affine_norm(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float) -> torch.Tensor:
    return functional.layer_norm(x.float(), x.shape[-1:], weight.float(), bias.float(), eps).type_as(x)


def _gated_add(x: torch.Tensor, branch: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
    return (x.float() + branch.float() * gate).type_as(x)


def _rms_rotary(x: torch.Tensor, weight: torch.Tensor, eps: float, rotary: Rotary | None) -> torch.Tensor:
    normed = functional.rms_norm(x.float(), x.shape[-1:], weight.float(), eps)
    if rotary is None:
        return normed.type_as(x)
    cosines, sines = rotary
    heads = normed.unflatten(-1, (-1, cosines.shape[-1]))
    even, odd = heads[..., 0::2], heads[..., 1::2]
    cosine, sine = cosines[..., 0::2], sines[..., 1::2]
    turned = torch.stack([even * cosine - odd * sine, even * sine + odd * cosine], dim=-1)
    return turned.reshape(x.shape).type_as(x)


def _channel_norm_silu(x: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
    normed = functional.normalize(x.float(), dim=1) * x.shape[1] ** 0.5 * gamma
    return functional.silu(normed).type_as(x)


PLAIN = Elementwise(
    "torch",
    _modulated_norm,
    _affine_norm,
    _gated_add,
    _rms_rotary,
    quantize_rows,
    quantize_heads,
    _channel_norm_silu,
)


def trial_results(ops: Elementwise, device: torch.device) -> list[torch.Tensor]:
    """What each pass makes of a few numbers in bfloat16: up to rounding the same from implementations that work."""
    numbers = torch.Generator("cpu").manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=numbers).to(device)

    x, branch = drawn(1, 41, 256).bfloat16(), drawn(1, 41, 256).bfloat16()
    scale, shift, weight = drawn(1, 1, 256), drawn(1, 1, 256), drawn(256)
    rotary = (drawn(1, 41, 1, 64), drawn(1, 41, 1, 64))
    rows, row_scales = ops.quantize(x[0])
    heads, head_scales = ops.quantize_heads(x.unflatten(-1, (4, 64)), centred=True)
    return [
        ops.modulated_norm(x, scale, shift, 1e-6),
        ops.affine_norm(x, weight, weight, 1e-6),
        ops.gated_add(x, branch, scale),
        ops.rms_rotary(x, weight, 1e-6, rotary),
        rows.float() * row_scales,
        heads.float() * head_scales[:, None, :, None],
        ops.channel_norm_silu(x.unflatten(1, (41, 1, 1)), drawn(41, 1, 1, 1)),
    ]
