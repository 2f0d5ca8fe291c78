"""Tiny Wan models, in the three shapes that the real ones have."""

from pathlib import Path
from typing import Any

from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanTransformer3DModel
from torch import nn
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    CLIPVisionModel,
    UMT5Config,
    UMT5EncoderModel,
)

from filmgate.engines.diffusers.weights.tiny.values import drawn
from filmgate.engines.diffusers.weights.tiny.words import PROMPT_TOKENS, save_prompt_tokenizer

__all__ = ["FEED_FORWARD", "LAYERS", "WIDTH", "make_wan_21", "make_wan_22", "make_wan_22_small"]

WIDTH, FEED_FORWARD, LAYERS = 24, 32, 2
_HEADS = 2
_TEXT_WIDTH = 32
_PICTURE_WIDTH = 16
_LATENT_CHANNELS = 16

Index = dict[str, Any]


def make_wan_21(folder: Path, seed: int) -> Index:
    """One transformer that also sees the picture through CLIP. Its `model_index.json`, as with the others here."""
    _save_shared(folder, seed)
    _video_vae(seed).save_pretrained(folder / "vae")
    picture_encoder = drawn(
        seed + 3,
        lambda: CLIPVisionModel(
            CLIPVisionConfig(
                hidden_size=_PICTURE_WIDTH,
                intermediate_size=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                image_size=28,
                patch_size=14,
            )
        ),
    )
    picture_encoder.save_pretrained(folder / "image_encoder")
    CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}).save_pretrained(
        folder / "image_processor"
    )
    transformer = _transformer(seed + 4, 36, image_dim=_PICTURE_WIDTH, added_kv_proj_dim=WIDTH)
    transformer.save_pretrained(folder / "transformer")
    return _index(
        image_encoder=["transformers", "CLIPVisionModel"],
        image_processor=["transformers", "CLIPImageProcessor"],
    )


def make_wan_22(folder: Path, seed: int) -> Index:
    """Two transformers, for the noisy steps and for the rest."""
    _save_shared(folder, seed)
    _video_vae(seed).save_pretrained(folder / "vae")
    _transformer(seed + 4, 36).save_pretrained(folder / "transformer")
    _transformer(seed + 5, 36).save_pretrained(folder / "transformer_2")
    return _index(transformer_2=["diffusers", "WanTransformer3DModel"], boundary_ratio=0.9)


def make_wan_22_small(folder: Path, seed: int) -> Index:
    """One transformer with a time for every token, and a VAE that packs 16 × 16 pixels."""
    _save_shared(folder, seed)
    vae = drawn(
        seed + 2,
        lambda: AutoencoderKLWan(
            base_dim=8,
            decoder_base_dim=8,
            z_dim=_LATENT_CHANNELS,
            dim_mult=[1, 1, 1, 1],
            num_res_blocks=1,
            temperal_downsample=[False, True, True],
            latents_mean=[0.0] * _LATENT_CHANNELS,
            latents_std=[1.0] * _LATENT_CHANNELS,
            is_residual=True,
            in_channels=12,
            out_channels=12,
            patch_size=2,
            scale_factor_spatial=16,
            scale_factor_temporal=4,
        ),
    )
    vae.save_pretrained(folder / "vae")
    _transformer(seed + 4, _LATENT_CHANNELS).save_pretrained(folder / "transformer")
    return _index(expand_timesteps=True)


def _save_shared(folder: Path, seed: int) -> None:
    save_prompt_tokenizer(folder / "tokenizer")
    encoder = drawn(
        seed + 1,
        lambda: UMT5EncoderModel(
            UMT5Config(
                vocab_size=PROMPT_TOKENS,
                d_model=_TEXT_WIDTH,
                d_kv=8,
                d_ff=64,
                num_layers=2,
                num_heads=4,
                feed_forward_proj="gated-gelu",
            )
        ),
    )
    encoder.save_pretrained(folder / "text_encoder")
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    scheduler.save_pretrained(folder / "scheduler")


def _video_vae(seed: int) -> nn.Module:
    return drawn(
        seed + 2,
        lambda: AutoencoderKLWan(
            base_dim=8,
            z_dim=_LATENT_CHANNELS,
            dim_mult=[1, 1, 1, 1],
            num_res_blocks=1,
            temperal_downsample=[False, True, True],
        ),
    )


def _transformer(seed: int, channels: int, **also: Any) -> nn.Module:
    return drawn(
        seed,
        lambda: WanTransformer3DModel(
            num_attention_heads=_HEADS,
            attention_head_dim=WIDTH // _HEADS,
            in_channels=channels,
            out_channels=_LATENT_CHANNELS,
            text_dim=_TEXT_WIDTH,
            freq_dim=32,
            ffn_dim=FEED_FORWARD,
            num_layers=LAYERS,
            cross_attn_norm=True,
            qk_norm="rms_norm_across_heads",
            **also,
        ),
    )


def _index(**also: Any) -> Index:
    return {
        "_class_name": "WanImageToVideoPipeline",
        "boundary_ratio": None,
        "expand_timesteps": False,
        "image_encoder": [None, None],
        "image_processor": [None, None],
        "scheduler": ["diffusers", "UniPCMultistepScheduler"],
        "text_encoder": ["transformers", "UMT5EncoderModel"],
        "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "transformer_2": [None, None],
        "vae": ["diffusers", "AutoencoderKLWan"],
        **also,
    }
