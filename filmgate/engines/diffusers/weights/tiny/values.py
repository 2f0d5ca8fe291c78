"""Random values for tiny models, the same ones in every run."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

__all__ = ["drawn"]

Module = TypeVar("Module", bound=nn.Module)


_LOUD, _LOUDNESS = ("to_out.", "to_add_out."), 4.0
"""What attention adds, and how much more it is; or a prompt would hardly show beside the noise."""


def drawn(seed: int, build: Callable[[], Module]) -> Module:
    """The module that `build` makes, every matrix of it normal with deviation 1 / √inputs.

    So activations keep their size from layer to layer and every input shows in the output.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        module = build()
        for name, value in module.named_parameters():
            if value.ndim > 1:
                loudness = _LOUDNESS if any(part in name for part in _LOUD) else 1.0
                value.normal_(std=loudness / value[0].numel() ** 0.5)
    module.eval()
    return module
