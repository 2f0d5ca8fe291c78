"""Arrays of pixels: their types, and the few operations on them that OpenCV lacks.

A Layer is H×W×4 uint8 RGBA with premultiplied alpha, a Plane H×W float32, a Mask H×W bool.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from filmgate.encoding.picture import Picture

__all__ = [
    "Layer",
    "Mask",
    "Plane",
    "blur",
    "grey",
    "guided_filter",
    "lay_over",
    "push_pull",
    "resize_plane",
    "sample",
]

Layer = NDArray[np.uint8]
Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]


def resize_plane(plane: Plane, width: int, height: int, interpolation: int = cv2.INTER_LINEAR) -> Plane:
    return np.asarray(cv2.resize(plane, (width, height), interpolation=interpolation), np.float32)


def blur(plane: Plane, sigma_px: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), max(sigma_px, 0.1)), np.float32)


def grey(picture: Picture) -> Plane:
    """Luma in 0..1."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32) / np.float32(255)


def sample(plane: Plane, x: Plane, y: Plane) -> Plane:
    """The plane's values at the pixel positions (x, y), bilinear; positions outside take the nearest edge."""
    found = cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)


def lay_over(under: Picture, layer: Layer) -> None:
    """The premultiplied layer over the picture, in place."""
    rest = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(layer, 3)), cv2.COLOR_GRAY2RGB)
    shown = cv2.multiply(under, rest, scale=1 / 255)
    cv2.add(shown, cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB), dst=under)


def guided_filter(guide: Plane, plane: Plane, radius_px: int, softness: float) -> Plane:
    """`plane` redrawn along the edges of `guide` (He, Sun and Tang, "Fast guided filter", 2015; quarter resolution)."""
    height, width = plane.shape
    small = (max(1, width // 4), max(1, height // 4))
    coarse_guide = resize_plane(guide, *small, cv2.INTER_AREA)
    coarse_plane = resize_plane(plane, *small, cv2.INTER_AREA)
    side = 2 * max(1, radius_px // 4) + 1

    def mean(values: Plane) -> Plane:
        return np.asarray(cv2.blur(values, (side, side)), np.float32)

    guide_mean, plane_mean = mean(coarse_guide), mean(coarse_plane)
    variance = mean(coarse_guide * coarse_guide) - guide_mean * guide_mean
    covariance = mean(coarse_guide * coarse_plane) - guide_mean * plane_mean
    slope = np.asarray(covariance / (variance + softness), np.float32)
    offset = plane_mean - slope * guide_mean
    return resize_plane(mean(slope), width, height) * guide + resize_plane(mean(offset), width, height)


def push_pull(values: NDArray[np.float32], known: Plane) -> NDArray[np.float32]:
    """`values` (H×W or H×W×C) with everything where `known` is 0 filled smoothly from what is known around it."""
    levels = []
    value, weight = values * _like(known, values), known
    while min(value.shape[:2]) > 2:
        levels.append((value, weight))
        size = (max(1, value.shape[1] // 2), max(1, value.shape[0] // 2))
        halved = np.asarray(cv2.resize(value, size, interpolation=cv2.INTER_AREA), np.float32)
        halved_weight = resize_plane(weight, *size, cv2.INTER_AREA)
        # A cell that is a quarter known already counts as known: knowledge spreads one cell per level.
        full = np.minimum(halved_weight * 4, 1)
        gain = np.asarray(full / np.maximum(halved_weight, 1e-6), np.float32)
        value = halved * _like(gain, halved)
        weight = full
    filled = value / _like(np.maximum(weight, 1e-6), value)
    for value, weight in reversed(levels):
        size = (value.shape[1], value.shape[0])
        up = np.asarray(cv2.resize(filled, size, interpolation=cv2.INTER_LINEAR), np.float32)
        filled = value + up * _like(1 - weight, value)
    return filled


def _like(plane: Plane, values: NDArray[np.float32]) -> NDArray[np.float32]:
    return plane if values.ndim == 2 else plane[..., None]
