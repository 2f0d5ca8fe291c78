"""What the operator decides for this engine; the names are those of the settings."""

from dataclasses import dataclass
from pathlib import Path

from filmgate.engines.diffusers.retime import Interpolation

__all__ = ["Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """Memory in gigabytes (10⁹ bytes), 0 for all that is there; `checkpoint_steps` 0 for no checkpoints."""

    weights: Path
    device: str = "auto"
    profile: str = "exact"
    substitutes: bool = True
    device_memory_gb: float = 0.0
    host_memory_gb: float = 0.0
    frame_interpolation: Interpolation = "flow"
    checkpoint_steps: int = 5
