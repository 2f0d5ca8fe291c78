"""Low-rank adapters (LoRA) on a transformer for the length of one job: on before its first step, off after its last."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from filmgate.domain.errors import EngineFailure

__all__ = ["Adapter", "attached", "fused"]


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter's files, one for each expert of the model in their order; a lone file is for all of them."""

    name: str
    files: tuple[Path, ...]
    strength: float = 1.0

    def file_for(self, expert: int) -> Path:
        return self.files[min(expert, len(self.files) - 1)]


@contextmanager
def attached(pipeline: Any, adapters: Sequence[Adapter], expert: int) -> Iterator[None]:
    """The pipeline's transformer acts with the adapters inside the block, and exactly as before after it.

    Raises EngineFailure (`lora_unfit`) when a file does not fit the transformer.
    """
    if not adapters:
        yield
        return
    names = [f"adapter_{place}" for place in range(len(adapters))]
    try:
        for name, adapter in zip(names, adapters, strict=True):
            _load(pipeline, adapter, expert, name)
        pipeline.set_adapters(names, [adapter.strength for adapter in adapters])
        yield
    finally:
        pipeline.unload_lora_weights()


def fused(pipeline: Any, adapter: Adapter, expert: int) -> nn.Module:
    """The pipeline's transformer with the adapter added to its weights for good."""
    _load(pipeline, adapter, expert, "fused")
    pipeline.fuse_lora(lora_scale=adapter.strength)
    pipeline.unload_lora_weights()
    transformer: nn.Module = pipeline.transformer
    return transformer


def _load(pipeline: Any, adapter: Adapter, expert: int, name: str) -> None:
    path = adapter.file_for(expert)
    try:
        pipeline.load_lora_weights(
            str(path.parent), weight_name=path.name, adapter_name=name, local_files_only=True, use_safetensors=True
        )
    except (torch.OutOfMemoryError, torch.AcceleratorError):
        raise
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise _unfit(adapter, path, type(error).__name__) from error
    if name not in getattr(pipeline.transformer, "peft_config", {}):
        # The library only logs that it found nothing for this transformer in the file.
        raise _unfit(adapter, path, "it has nothing for this transformer")


def _unfit(adapter: Adapter, path: Path, fault: str) -> EngineFailure:
    return EngineFailure(
        f"The adapter {adapter.name} ({path.name}) does not fit this model's weights ({fault}).", code="lora_unfit"
    )
