"""Which pixels are the subject: learned saliency, looked at twice, cleaned along the picture's own edges."""

from dataclasses import dataclass

import cv2
import numpy as np

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.nets import Nets
from filmgate.engines.preview.pixels import Mask, Plane, grey, guided_filter

__all__ = ["Matte", "subject_matte"]

CONFIDENT = 0.35
"""Below this raw peak the network saw no subject, only texture."""
SMALLEST, LARGEST = 0.004, 0.75
"""Shares of the picture between which a subject is worth a layer of its own."""
SMALL_BLOB = 0.12
"""Blobs smaller than this share of the largest one are noise of the network."""


@dataclass(frozen=True, slots=True)
class Matte:
    """The subject of one picture.

    `alpha` is H×W float32, 0..1, all zero when there is no subject; `confidence` 0..1; `box` is left, top, right,
    bottom in pixels (right and bottom exclusive), None when there is no subject.
    """

    alpha: Plane
    confidence: float
    box: tuple[int, int, int, int] | None

    @property
    def found(self) -> bool:
        return self.box is not None

    @property
    def is_cut(self) -> bool:
        """Whether the subject goes on beyond an edge of the picture."""
        edges = (self.alpha[0], self.alpha[-1], self.alpha[:, 0], self.alpha[:, -1])
        return any(float(edge.max()) > 0.5 for edge in edges)


def subject_matte(picture: Picture, nets: Nets) -> Matte:
    """The matte of what a viewer would call the subject of this H×W×3 uint8 RGB picture."""
    rough, peak = _look_twice(picture, nets)
    radius = max(8, picture.shape[1] // 110)
    fine = guided_filter(grey(picture), rough, radius, 1e-4)
    alpha = np.clip((fine - 0.15) / 0.7, 0, 1).astype(np.float32)
    share = float((alpha > 0.5).mean())
    if peak < CONFIDENT or not SMALLEST < share < LARGEST:
        return Matte(np.zeros_like(alpha), min(peak, CONFIDENT), None)
    alpha *= _largest_blobs(alpha > 0.4)
    return Matte(alpha, peak, _box(alpha > 0.5))


def _look_twice(picture: Picture, nets: Nets) -> tuple[Plane, float]:
    """Saliency of the whole picture, sharpened by a second look at the subject's surroundings alone."""
    whole, peak = nets.saliency(picture)
    share = float((whole > 0.5).mean())
    if peak < CONFIDENT or not 0.002 < share < LARGEST:
        return whole, peak
    height, width = whole.shape
    left, top, right, bottom = _box(whole > 0.35)
    margin_x, margin_y = int(0.18 * (right - left) + 8), int(0.18 * (bottom - top) + 8)
    left, top = max(0, left - margin_x), max(0, top - margin_y)
    right, bottom = min(width, right + margin_x), min(height, bottom + margin_y)
    if (right - left) * (bottom - top) >= 0.8 * width * height:
        return whole, peak
    near, near_peak = nets.saliency(np.ascontiguousarray(picture[top:bottom, left:right]))
    if near_peak > CONFIDENT:
        inside = whole[top:bottom, left:right]
        whole[top:bottom, left:right] = np.maximum(inside * 0.9, near * 0.95)
    return whole, peak


def _largest_blobs(mask: Mask) -> Plane:
    """1 on and closely around the blobs that matter, else 0."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = np.asarray(stats)[1:, cv2.CC_STAT_AREA]
    kept = [index + 1 for index, area in enumerate(areas) if area > SMALL_BLOB * areas.max()]
    blobs = np.isin(labels, kept).astype(np.uint8)
    return np.asarray(cv2.dilate(blobs, np.ones((9, 9), np.uint8)), np.float32)


def _box(mask: Mask) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
