"""Small models built from the library's own classes, with random weights of the size that trained ones have."""

from collections.abc import Callable
from typing import Any

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from torch import nn

__all__ = ["STYLES", "TransformerInput", "small_transformer", "small_vae", "transformer_input"]

STYLES = ("picture", "experts", "token-times")
"""As Wan 2.1 (sees the picture through CLIP), as Wan 2.2 14B, as Wan 2.2 5B (each token has a time of its own)."""
TransformerInput = dict[str, Any]
_HEADS, _HEAD_WIDTH, _TEXT_WIDTH, _PICTURE_WIDTH, _CHANNELS = 2, 24, 32, 16, 16


def small_transformer(style: str, *, layers: int = 2) -> Any:
    extra = {"image_dim": _PICTURE_WIDTH, "added_kv_proj_dim": _HEADS * _HEAD_WIDTH} if style == "picture" else {}
    return _drawn(
        lambda: WanTransformer3DModel(
            num_attention_heads=_HEADS,
            attention_head_dim=_HEAD_WIDTH,
            in_channels=_CHANNELS,
            out_channels=_CHANNELS,
            text_dim=_TEXT_WIDTH,
            freq_dim=32,
            ffn_dim=96,
            num_layers=layers,
            cross_attn_norm=True,
            **extra,
        )
    )


def transformer_input(style: str, *, seed: int = 1) -> TransformerInput:
    """Three latent frames of 8 × 12, which are 72 tokens."""
    numbers = torch.Generator().manual_seed(seed)
    given: TransformerInput = {
        "hidden_states": torch.randn(1, _CHANNELS, 3, 8, 12, generator=numbers),
        "timestep": torch.tensor([700.0]),
        "encoder_hidden_states": torch.randn(1, 512, _TEXT_WIDTH, generator=numbers),
        "return_dict": False,
    }
    if style == "picture":
        given["encoder_hidden_states_image"] = torch.randn(1, 257, _PICTURE_WIDTH, generator=numbers)
    if style == "token-times":
        given["timestep"] = torch.tensor([0.0] * 24 + [700.0] * 48)[None]
    return given


def small_vae(*, residual: bool) -> Any:
    """As Wan 2.1's, or the patched one of the 5B with its shortcuts."""
    patched = {
        "in_channels": 12,
        "out_channels": 12,
        "patch_size": 2,
        "is_residual": True,
        "scale_factor_spatial": 16,
        "decoder_base_dim": 12,
    }
    return _drawn(
        lambda: AutoencoderKLWan(
            base_dim=8,
            z_dim=4,
            dim_mult=[1, 2, 2, 2],
            num_res_blocks=1,
            temperal_downsample=[False, True, True],
            latents_mean=[0.0] * 4,
            latents_std=[1.0] * 4,
            **(patched if residual else {}),
        )
    )


def _drawn(build: Callable[[], nn.Module]) -> Any:
    """The model with the same weights each time; biases and norms too, which the library starts at 0 and 1."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build()
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1 or "gamma" in name:
                parameter.data += 0.1 * torch.randn_like(parameter)
    return model.eval().requires_grad_(requires_grad=False)
