"""From what a VAE decodes to pictures, and the refusal of what is none."""

from typing import Any

import numpy as np
import torch

from filmgate.domain.errors import EngineFailure
from filmgate.encoding.picture import Picture

__all__ = ["denormalised", "judged", "require_numbers"]


def denormalised(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """Latents as the VAE takes them, from the even scale of sampling; rounded in the order of the library."""
    shape = (1, vae.config.z_dim, 1, 1, 1)
    mean = torch.tensor(vae.config.latents_mean).view(*shape).to(latents)
    inverse = 1.0 / torch.tensor(vae.config.latents_std).view(*shape).to(latents)
    return latents / inverse + mean


def require_numbers(values: torch.Tensor) -> None:
    """Raises EngineFailure (`frames_invalid`) when one of the values is no finite number."""
    if not bool(torch.isfinite(values).all()):
        raise _no_picture("it is not made of numbers")


def judged(video: torch.Tensor) -> Picture:
    """Frames × height × width × 3 uint8 RGB of a decoded 1 × 3 × frames × height × width, -1 to 1.

    Raises EngineFailure (`frames_invalid`) for what is no picture: values that are no numbers, or all the same.
    """
    require_numbers(video)
    frames = ((video[0] / 2 + 0.5).clamp(0, 1).float() * 255).round().to(torch.uint8)
    pictures: Picture = np.ascontiguousarray(frames.permute(1, 2, 3, 0).cpu().numpy())
    if int(pictures.max()) == int(pictures.min()):
        raise _no_picture("every pixel of it is the same")
    return pictures


def _no_picture(fault: str) -> EngineFailure:
    return EngineFailure(
        f"What the model made is no picture: {fault}. Send the request again with another seed.",
        code="frames_invalid",
        retryable=True,
    )
