"""What a job will take, from its arithmetic: the products of a diffusion transformer are its cost.

A forward pass over N tokens takes 2·N·P operations for P weights and 4·L·N²·d for the self-attention of L layers of
width d. The rates below are rough, one for each kind of device: what a queue has measured is always better.
"""

import torch

from filmgate.domain.ports import Estimate
from filmgate.engines.diffusers.setup import Setup

__all__ = ["estimate"]

_LAYERS_TIMES_WIDTH = {"wan": 40 * 5120, "qwen-edit": 60 * 3072}
_FLOP_PER_S = {"cuda": 350e12, "cpu": 0.1e12}
"""What the libraries reach, not what the device could."""
_PATCH_PX = 16
_ACTIVATION_BYTES_PER_TOKEN = 250_000
_FIXED_S = 2.0


def estimate(setup: Setup, device: torch.device) -> Estimate:
    """Seconds and peak bytes of a job whose weights are loaded."""
    weights = setup.installed.weights
    width, height = setup.size
    per_frame = (width // _PATCH_PX) * (height // _PATCH_PX)
    frames = [1] if setup.plan is None else [(segment.frames - 1) // 4 + 1 for segment in setup.plan.segments]
    passes = setup.schedule.steps * (2 if setup.schedule.guidance[0] > 1 else 1)
    tokens = [count * per_frame for count in frames]
    experts = len(weights.guidance)
    operations = sum(
        2 * count * weights.parameters / experts + 4 * _LAYERS_TIMES_WIDTH[weights.kind] * count**2 for count in tokens
    )
    seconds = _FIXED_S + passes * operations / _FLOP_PER_S[device.type]
    return Estimate(seconds, weights.memory_bytes + max(tokens) * _ACTIVATION_BYTES_PER_TOKEN)
