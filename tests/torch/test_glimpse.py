"""Moving previews from latents."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from filmgate.engines.diffusers.glimpse import Glimpse


def scene() -> np.ndarray:
    rows, columns = np.mgrid[0:64, 0:96]
    return np.stack([columns * 2, rows * 3, 255 - columns * 2], axis=-1).astype(np.uint8)


def latents_of(picture: np.ndarray) -> torch.Tensor:
    """As a VAE might: eight times smaller, a mixture of the colours in each channel."""
    mixing = torch.randn(16, 3, generator=torch.Generator().manual_seed(1))
    small = torch.from_numpy(picture).reshape(8, 8, 12, 8, 3).float().mean((1, 3)) / 255
    return (small @ mixing.T).permute(2, 0, 1)[None, :, None]


def test_the_colours_of_the_picture_come_back(tmp_path: Path) -> None:
    glimpse = Glimpse(latents_of(scene()), scene())

    glimpse.write(latents_of(scene()).repeat(1, 1, 5, 1, 1), tmp_path / "preview.webp")

    with Image.open(tmp_path / "preview.webp") as shown:
        first = np.asarray(shown.convert("RGB").resize((96, 64)), float)
    assert np.abs(first - scene()).mean() < 12


def test_a_preview_moves_with_its_latents(tmp_path: Path) -> None:
    picture = scene()
    frames = torch.cat([latents_of(np.roll(picture, 8 * shift, axis=1)) for shift in range(4)], dim=2)

    Glimpse(latents_of(picture), picture).write(frames, tmp_path / "preview.webp")

    with Image.open(tmp_path / "preview.webp") as shown:
        assert shown.n_frames == 4


def test_a_picture_of_one_colour_gives_a_preview_too(tmp_path: Path) -> None:
    picture = np.full((64, 96, 3), 90, np.uint8)

    Glimpse(latents_of(picture), picture).write(latents_of(picture), tmp_path / "preview.webp")

    with Image.open(tmp_path / "preview.webp") as shown:
        assert np.abs(np.asarray(shown.convert("RGB"), float) - 90).mean() < 6
