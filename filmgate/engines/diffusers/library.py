"""The library's pipelines with only the parts that one stage needs: their methods are used, their loops are not."""

from typing import Any, Literal

__all__ = ["pipeline_with"]

_PARTS = {
    "wan": ("tokenizer", "text_encoder", "vae", "scheduler"),
    "qwen-edit": ("scheduler", "vae", "text_encoder", "tokenizer", "processor", "transformer"),
}
"""What the constructors insist on being told of."""


def pipeline_with(kind: Literal["wan", "qwen-edit"], **parts: Any) -> Any:
    """diffusers' pipeline for weights of this kind; what is not given is absent."""
    from diffusers import QwenImageEditPlusPipeline, WanImageToVideoPipeline

    pipeline = WanImageToVideoPipeline if kind == "wan" else QwenImageEditPlusPipeline
    return pipeline(**{**dict.fromkeys(_PARTS[kind]), **parts})
