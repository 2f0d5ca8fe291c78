"""Wan's transformer blocks with their element-wise work fused: the same sums and products in fewer passes."""

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import proxy

import torch
from torch import nn

from filmgate.engines.diffusers.tuned.elementwise import Elementwise, Rotary

__all__ = ["fuse"]


def fuse(transformer: Any, ops: Elementwise) -> Callable[[], None]:
    """Lets the blocks of a WanTransformer3DModel run fused; the function returned undoes it."""
    for block in transformer.blocks:
        # By a weak reference: a block that held itself would keep its memory after everyone else let go of it.
        block.forward = partial(_forward, proxy(block), ops)

    def restore() -> None:
        for block in transformer.blocks:
            # The class's own forward shows again.
            del block.forward

    return restore


def _forward(
    block: Any,
    ops: Elementwise,
    hidden_states: torch.Tensor,
    encoder_hidden_states: torch.Tensor,
    temb: torch.Tensor,
    rotary_emb: Rotary,
) -> torch.Tensor:
    """What WanTransformerBlock.forward computes, with its parameters by its names."""
    shift, scale, gate, shift_2, scale_2, gate_2 = _modulation(block, temb)
    hidden = hidden_states
    attended = block.attn1(ops.modulated_norm(hidden, scale, shift, block.norm1.eps), None, None, rotary_emb)
    hidden = ops.gated_add(hidden, attended, gate)
    hidden = hidden + block.attn2(_context_norm(block, ops, hidden), encoder_hidden_states, None, None)
    normed = ops.modulated_norm(hidden, scale_2, shift_2, block.norm3.eps)
    return ops.gated_add(hidden, block.ffn(normed), gate_2)


def _modulation(block: Any, temb: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Six times batch × 1 × width, or × tokens where every token has a time of its own."""
    table: torch.Tensor = block.scale_shift_table.float()
    if temb.ndim == 3:
        return tuple((table + temb.float()).chunk(6, dim=1))
    return tuple((table.unsqueeze(0) + temb.float()).unbind(2))


def _context_norm(block: Any, ops: Elementwise, hidden: torch.Tensor) -> torch.Tensor:
    if isinstance(block.norm2, nn.Identity):
        return hidden
    return ops.affine_norm(hidden, block.norm2.weight, block.norm2.bias, block.norm2.eps)
