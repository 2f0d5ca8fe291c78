"""Brings the parts of an installed set of weights from disk: modules, tokenizers, schedulers.

Only classes of diffusers and transformers that the sets name are looked up, and only safetensors are read: a folder of
weights is data and runs nothing.
"""

import importlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from filmgate.domain.errors import EngineFailure
from filmgate.engines.diffusers.catalog import Installed
from filmgate.engines.diffusers.tuned.shards import load_fp8

__all__ = ["load_module", "load_processor", "load_scheduler", "load_tokenizer", "model_index"]

_CLASSES = frozenset(
    {
        "AutoencoderKLQwenImage",
        "AutoencoderKLWan",
        "CLIPVisionModel",
        "CLIPVisionModelWithProjection",
        "FlowMatchEulerDiscreteScheduler",
        "Qwen2_5_VLForConditionalGeneration",
        "QwenImageTransformer2DModel",
        "UMT5EncoderModel",
        "UniPCMultistepScheduler",
        "WanTransformer3DModel",
    }
)
_STORED_IN_8_BITS = frozenset({"QwenImageTransformer2DModel", "WanTransformer3DModel"})
"""The library would read their 8-bit numbers and miss the scales."""


@lru_cache(maxsize=32)
def model_index(folder: Path) -> Mapping[str, Any]:
    """`model_index.json` of a set: which library and class each part is, and the pipeline's own settings."""
    try:
        index: Mapping[str, Any] = json.loads((folder / "model_index.json").read_text())
    except (OSError, ValueError) as error:
        raise _broken(folder, "model_index.json", error) from error
    return index


def load_module(installed: Installed, part: str, dtype: torch.dtype) -> nn.Module:
    """One module in evaluation mode, on the CPU. Raises EngineFailure (`weights_incomplete`) naming the part."""
    kind = _class_of(installed, part)
    try:
        if installed.format == "fp8" and kind.__name__ in _STORED_IN_8_BITS:
            return load_fp8(kind, installed.folder / part, dtype)
        module: nn.Module = kind.from_pretrained(
            installed.folder / part, local_files_only=True, use_safetensors=True, dtype=dtype
        )
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise _broken(installed.folder, part, error) from error
    if kind.__name__ == "Qwen2_5_VLForConditionalGeneration":
        module.register_forward_pre_hook(_mark_picture_tokens, with_kwargs=True)
    return module.eval().requires_grad_(requires_grad=False)


def _mark_picture_tokens(encoder: Any, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Tells the encoder which tokens are patches of a picture, without which it gives them the positions of text.

    diffusers 0.42 does not pass on what transformers 5 asks for here; the model was trained with places in the picture.
    """
    if named.get("mm_token_type_ids") is None and named.get("image_grid_thw") is not None:
        named = {**named, "mm_token_type_ids": (named["input_ids"] == encoder.config.image_token_id).int()}
    return given, named


def load_scheduler(installed: Installed, **changes: Any) -> Any:
    """A scheduler of its own for one clip: schedulers keep state from step to step."""
    kind = _class_of(installed, "scheduler")
    config = kind.load_config(installed.folder / "scheduler", local_files_only=True)
    return kind.from_config({**config, **changes})


def load_tokenizer(installed: Installed) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(installed.folder / "tokenizer", local_files_only=True)
    except (OSError, ValueError) as error:
        raise _broken(installed.folder, "tokenizer", error) from error


def load_processor(installed: Installed) -> Any:
    """The picture processor of a CLIP encoder; the one that needs no torchvision."""
    from transformers import CLIPImageProcessorPil

    return CLIPImageProcessorPil.from_pretrained(installed.folder / "image_processor", local_files_only=True)


def _class_of(installed: Installed, part: str) -> Any:
    library, name = model_index(installed.folder).get(part) or (None, None)
    if library not in ("diffusers", "transformers") or name not in _CLASSES:
        raise EngineFailure(
            f"The weights {installed.weights.name} name {library}.{name} as their {part}, which is not known here; "
            f"get them anew with `filmgate weights pull {installed.weights.name}`.",
            code="weights_incomplete",
        )
    return getattr(importlib.import_module(library), name)


def _broken(folder: Path, part: str, error: Exception) -> EngineFailure:
    first_line = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
    return EngineFailure(
        f"The weights {folder.name} cannot be loaded: {part}: {first_line}. "
        f"Check them with `filmgate weights verify {folder.name}`.",
        code="weights_incomplete",
    )
