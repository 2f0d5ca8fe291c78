"""How large, how long and at which rate a finished file is: exact integers from what the request says.

A tier is an area in pixels. The output keeps the picture's aspect as closely as sides that are multiples of 16 allow.
Source: the published API reference of the Wan models and the open Wan code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

__all__ = ["TIER_AREAS_PX", "ImageTarget", "Target", "VideoTarget", "image_size", "next_4n_plus_1", "video_size"]

TIER_AREAS_PX: Mapping[str, int] = {"480P": 832 * 480, "720P": 1280 * 720, "1080P": 1920 * 1080}


@dataclass(frozen=True, slots=True)
class VideoTarget:
    """A clip of exactly `frames` frames at `frame_rate` frames per second; sides in pixels."""

    width: int
    height: int
    frames: int
    frame_rate: int

    @property
    def duration_s(self) -> float:
        return self.frames / self.frame_rate


@dataclass(frozen=True, slots=True)
class ImageTarget:
    """One picture; sides in pixels."""

    width: int
    height: int


Target = VideoTarget | ImageTarget


def video_size(width_px: int, height_px: int, tier: str) -> tuple[int, int]:
    """Width and height of the clip for an input picture of `width_px` × `height_px`, `tier` in any letter case."""
    area = TIER_AREAS_PX[tier.upper()]
    width = 16 * isqrt(area * width_px // (256 * height_px))
    height = 16 * isqrt(area * height_px // (256 * width_px))
    return max(width, 16), max(height, 16)


def image_size(label: str) -> tuple[int, int]:
    """Width and height from a published `image_size` such as `1280*960 (4:3)`; the ratio in brackets is a label."""
    width, _, height = label.split(" ", 1)[0].partition("*")
    return int(width), int(height)


def next_4n_plus_1(frames: int) -> int:
    """The smallest count ≥ `frames` that a Wan VAE can decode (4n + 1); the tail is dropped afterwards."""
    return frames + (1 - frames) % 4
