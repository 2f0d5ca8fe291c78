"""A tiny Qwen-Image-Edit."""

from pathlib import Path
from typing import Any

from diffusers import AutoencoderKLQwenImage, FlowMatchEulerDiscreteScheduler, QwenImageTransformer2DModel
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2VLImageProcessorPil

from filmgate.engines.diffusers.weights.tiny.values import drawn
from filmgate.engines.diffusers.weights.tiny.words import EDIT_MARKS, EDIT_TOKENS, save_edit_tokenizer

__all__ = ["BLOCKS", "WIDTH", "make_qwen_edit"]

WIDTH, BLOCKS = 32, 2
_HEADS = 2
_TEXT_WIDTH = 32


def make_qwen_edit(folder: Path, seed: int) -> dict[str, Any]:
    """Writes the parts; the set's `model_index.json`."""
    save_edit_tokenizer(folder / "tokenizer")
    save_edit_tokenizer(folder / "processor")
    Qwen2VLImageProcessorPil().save_pretrained(folder / "processor")
    encoder = drawn(seed + 1, lambda: Qwen2_5_VLForConditionalGeneration(_encoder_config()))
    encoder.save_pretrained(folder / "text_encoder")
    vae = drawn(seed + 2, lambda: AutoencoderKLQwenImage(base_dim=8, dim_mult=[1, 1, 1, 1], num_res_blocks=1))
    vae.save_pretrained(folder / "vae")
    transformer = drawn(
        seed + 4,
        lambda: QwenImageTransformer2DModel(
            num_layers=BLOCKS,
            attention_head_dim=WIDTH // _HEADS,
            num_attention_heads=_HEADS,
            joint_attention_dim=_TEXT_WIDTH,
            axes_dims_rope=(4, 6, 6),
            zero_cond_t=True,
        ),
    )
    transformer.save_pretrained(folder / "transformer")
    scheduler = FlowMatchEulerDiscreteScheduler(
        base_image_seq_len=256,
        max_image_seq_len=8192,
        base_shift=0.5,
        max_shift=0.9,
        shift_terminal=0.02,
        use_dynamic_shifting=True,
    )
    scheduler.save_pretrained(folder / "scheduler")
    return {
        "_class_name": "QwenImageEditPlusPipeline",
        "processor": ["transformers", "Qwen2VLProcessor"],
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "text_encoder": ["transformers", "Qwen2_5_VLForConditionalGeneration"],
        "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
        "transformer": ["diffusers", "QwenImageTransformer2DModel"],
        "vae": ["diffusers", "AutoencoderKLQwenImage"],
    }


def _encoder_config() -> Qwen2_5_VLConfig:
    places = {
        "vision_start_token_id": EDIT_MARKS.index("<|vision_start|>"),
        "vision_end_token_id": EDIT_MARKS.index("<|vision_end|>"),
        "vision_token_id": EDIT_MARKS.index("<|vision_pad|>"),
        "image_token_id": EDIT_MARKS.index("<|image_pad|>"),
        "video_token_id": EDIT_MARKS.index("<|video_pad|>"),
    }
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": EDIT_TOKENS,
            "hidden_size": _TEXT_WIDTH,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "rope_parameters": {"rope_type": "default", "mrope_section": [2, 1, 1], "rope_theta": 1_000_000.0},
            "bos_token_id": EDIT_MARKS.index("<|endoftext|>"),
            "eos_token_id": EDIT_MARKS.index("<|im_end|>"),
        },
        vision_config={
            "depth": 2,
            "hidden_size": 16,
            "num_heads": 2,
            "intermediate_size": 32,
            "out_hidden_size": _TEXT_WIDTH,
            "fullatt_block_indexes": [1],
        },
        **places,
    )
