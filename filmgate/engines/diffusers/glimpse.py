"""A moving preview from latents, without the VAE: a straight line from latent channels to colours.

The line is fitted by least squares to the job's own picture, whose latents are known since it was encoded. So it needs
no table of constants, fits whatever VAE made the latents, and costs a matrix product a frame.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from filmgate.encoding.picture import Picture

__all__ = ["Glimpse"]

_MOST_FRAMES = 24
_FRAME_MS = 200
_WIDTH_PX = 320
_QUALITY = 60


class Glimpse:
    """Turns latents of one picture's clip into a small WebP.

    `encoded` is the picture's latent frame, 1 × channels × 1 × height × width; `picture` the picture itself.
    """

    def __init__(self, encoded: torch.Tensor, picture: Picture) -> None:
        frame = encoded[0, :, 0].float().cpu()
        pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
        colours = functional.adaptive_avg_pool2d(pixels, frame.shape[1:])[0]
        self._line = torch.linalg.lstsq(_with_one(frame), colours.flatten(1).T).solution

    def write(self, latents: torch.Tensor, path: Path) -> None:
        """Writes the clip that the latents promise (1 × channels × frames × height × width) as a moving WebP."""
        frames = [self._colours(frame) for frame in latents[0].unbind(1)[:_MOST_FRAMES]]
        height, width = frames[0].shape[:2]
        size = (_WIDTH_PX, max(1, round(_WIDTH_PX * height / width)))
        first, *others = (Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC) for frame in frames)
        first.save(
            path, format="WEBP", save_all=True, append_images=others, duration=_FRAME_MS, loop=0, quality=_QUALITY
        )

    def _colours(self, frame: torch.Tensor) -> Picture:
        height, width = frame.shape[1:]
        colours = (_with_one(frame.float().cpu()) @ self._line).clamp(0, 1).reshape(height, width, 3)
        return np.asarray((colours * 255).round().to(torch.uint8).numpy(), np.uint8)


def _with_one(frame: torch.Tensor) -> torch.Tensor:
    """Positions × (channels + 1): the latents of each position, and a one for the line's offset."""
    values = frame.flatten(1).T
    return torch.cat([values, torch.ones(len(values), 1)], dim=1)
