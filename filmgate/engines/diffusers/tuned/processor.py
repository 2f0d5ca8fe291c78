"""The attention of Wan's blocks: projections, RMS norm and rotary embedding in one pass each, and the chosen kernel."""

from typing import Any

import torch

from filmgate.engines.diffusers.tuned.attention import Kernel
from filmgate.engines.diffusers.tuned.elementwise import Elementwise, Rotary
from filmgate.engines.diffusers.tuned.linear import shared_rows

__all__ = ["WanAttentionProcessor"]

_TEXT_TOKENS = 512
"""Of the context the last so many tokens are text; what comes before them are the picture's."""


class WanAttentionProcessor:
    """Takes the place of diffusers' WanAttnProcessor; computes the same."""

    def __init__(self, kernel: Kernel, ops: Elementwise) -> None:
        self._kernel = kernel
        self._ops = ops

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        rotary_emb: Rotary | None = None,
    ) -> torch.Tensor:
        """Batch × tokens × width; `encoder_hidden_states` is the context in cross-attention."""
        if attention_mask is not None:
            raise ValueError("the tuned attention of Wan takes no mask")
        if encoder_hidden_states is None:
            seen = self._self_attention(attn, hidden_states, rotary_emb)
        else:
            seen = self._cross_attention(attn, hidden_states, encoder_hidden_states)
        projected: torch.Tensor = attn.to_out[0](seen)
        return projected

    def _self_attention(self, attn: Any, given: torch.Tensor, rotary: Rotary | None) -> torch.Tensor:
        rows = shared_rows(given, (attn.to_q, attn.to_k, attn.to_v))
        query = self._ops.rms_rotary(attn.to_q(rows), attn.norm_q.weight, attn.norm_q.eps, rotary)
        key = self._ops.rms_rotary(attn.to_k(rows), attn.norm_k.weight, attn.norm_k.eps, rotary)
        return self._attend(attn, query, key, attn.to_v(rows))

    def _cross_attention(self, attn: Any, given: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        query = self._ops.rms_rotary(attn.to_q(given), attn.norm_q.weight, attn.norm_q.eps, None)
        if attn.add_k_proj is None:
            return self._attend_context(attn, query, context)
        picture, text = context[:, :-_TEXT_TOKENS], context[:, -_TEXT_TOKENS:]
        key = self._ops.rms_rotary(attn.add_k_proj(picture), attn.norm_added_k.weight, attn.norm_added_k.eps, None)
        return self._attend_context(attn, query, text) + self._attend(attn, query, key, attn.add_v_proj(picture))

    def _attend_context(self, attn: Any, query: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        rows = shared_rows(context, (attn.to_k, attn.to_v))
        key = self._ops.rms_rotary(attn.to_k(rows), attn.norm_k.weight, attn.norm_k.eps, None)
        return self._attend(attn, query, key, attn.to_v(rows))

    def _attend(self, attn: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        heads = (attn.heads, -1)
        seen = self._kernel.attend(query.unflatten(2, heads), key.unflatten(2, heads), value.unflatten(2, heads))
        return seen.flatten(2, 3).type_as(query)
