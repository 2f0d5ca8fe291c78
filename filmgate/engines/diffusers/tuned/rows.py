"""Numbers in 8 bits (e4m3: 4 bits of exponent, 3 of mantissa) with a scale for every row, or for every head.

A scale maps the largest magnitude of its row to the largest that e4m3 has, so one large value costs the others of its
own row some precision and nobody else's. `value ≈ stored * scale`.
"""

from dataclasses import dataclass

import torch

__all__ = ["E4M3", "E4M3_MAX", "Rows", "quantize_heads", "quantize_rows"]

E4M3 = torch.float8_e4m3fn
E4M3_MAX = 448.0
SMALLEST = 1e-12
"""Of a row's largest magnitude: a row of zeros stays one of zeros."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A quantised tensor: `values` are rows × width in e4m3, `scale` is rows × 1 in float32.

    `shape` and `dtype` are those of the tensor it was.
    """

    values: torch.Tensor
    scale: torch.Tensor
    shape: torch.Size
    dtype: torch.dtype


def quantize_rows(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A rows × width matrix in e4m3, and its scales (rows × 1, float32)."""
    exact = matrix.float()
    scale = exact.abs().amax(dim=-1, keepdim=True).clamp(min=SMALLEST) / E4M3_MAX
    return (exact / scale).clamp(-E4M3_MAX, E4M3_MAX).to(E4M3), scale


def quantize_heads(tokens: torch.Tensor, *, centred: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Batch × tokens × heads × width in e4m3, and a scale for each head (batch × heads, float32).

    `centred` takes each head's mean over the tokens away first. Of keys that changes nothing in attention, since every
    score of one query moves by the same amount, and what is left fits 8 bits better (SageAttention, arXiv 2410.02367).
    """
    exact = tokens.float()
    if centred:
        exact = exact - exact.mean(dim=1, keepdim=True)
    scale = exact.abs().amax(dim=(1, 3)).clamp(min=SMALLEST) / E4M3_MAX
    return (exact / scale[:, None, :, None]).clamp(-E4M3_MAX, E4M3_MAX).to(E4M3), scale
