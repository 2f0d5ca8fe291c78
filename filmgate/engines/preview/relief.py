"""Disparity for each layer: near enough to the truth to move well, smooth enough never to bend a door frame.

A raw depth map warps straight lines, the main ugliness of naive 2.5D. The disparity of a plane is
linear over the picture, and most backgrounds are mostly planes: so the plate's disparity is a plane with some
curvature, fitted to the depth of the visible background, plus a blurred part of what that misses. The subject is a
card at its median depth, or at that of the ground it stands on, plus a part of its smoothed relief.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from filmgate.engines.preview.pixels import Mask, Plane, blur, push_pull, resize_plane
from filmgate.engines.preview.scene import Box, Canvas

__all__ = ["plate_relief", "subject_relief"]

RELIEF_SHARE = 0.45
CURVATURE_SHARE = 0.5
REST_SHARE = 0.35
FIT_STEP = 4
LEAST_AGREEMENT, FULL_AGREEMENT = 0.55, 0.85
USUAL_SLOPE = (0.1, 0.7)
IN_FRONT = 0.12
"""The subject's disparity exceeds that of the plate behind it by at least this much, or it would not stand out."""
BASE_SHARE = 0.5
"""How much a standing subject keeps to the depth of the ground at its base, so that its feet do not slide."""


def plate_relief(depth: Plane, agreement: float, hole: Mask, canvas: Canvas) -> Plane:
    """Disparity of the plate on the canvas's grid, from the frame's depth on a grid of the same step.

    `agreement` is that of the depth network with itself: the less it is, the more the plate is a plain slope from a far
    top to a near bottom, as most pictures are.
    """
    trust = min(max((agreement - LEAST_AGREEMENT) / (FULL_AGREEMENT - LEAST_AGREEMENT), 0.0), 1.0)
    width, height = canvas.grid_size
    known = resize_plane(1 - hole.astype(np.float32), width, height, cv2.INTER_AREA)
    known = (known > 0.99).astype(np.float32)
    filled = push_pull(on_grid(depth, canvas), known)
    surface = trust * gentle_surface(filled, known) + (1 - trust) * np.linspace(*USUAL_SLOPE, height)[:, None]
    rest = blur(np.asarray(filled - surface, np.float32), width / 12)
    return np.asarray((surface + REST_SHARE * trust * rest).clip(0, 1), np.float32)


def subject_relief(depth: Plane, alpha: Plane, ground: Plane, box: Box, canvas: Canvas) -> tuple[Plane, float]:
    """Disparity of the subject on the grid, and its typical value.

    `depth` is the frame's, `alpha` the subject's on the grid, `ground` the plate's disparity, `box` the subject's in
    canvas pixels.
    """
    measured = on_grid(depth, canvas)
    core = alpha > 0.6
    if not core.any():
        core = alpha >= float(alpha.max())
    median = float(np.median(measured[core]))
    smooth = blur(push_pull(measured, core.astype(np.float32)), canvas.grid_size[0] / 40)
    nearness = max(median, float(ground[core].mean()) + IN_FRONT)
    if box.bottom < canvas.height - canvas.ring_y:
        nearness += BASE_SHARE * (ground_at_base(ground, box, canvas) - nearness)
    relief = nearness + RELIEF_SHARE * (smooth - median)
    return np.asarray(relief.clip(0, 1.15), np.float32), nearness


def ground_at_base(ground: Plane, box: Box, canvas: Canvas) -> float:
    """The plate's disparity where the subject stands."""
    height, width = ground.shape
    row = min(height - 1, int(box.bottom * height / canvas.height))
    left, right = (int(side * width / canvas.width) for side in (box.left, box.right))
    return float(ground[row, left : max(left + 1, right)].mean())


def on_grid(depth: Plane, canvas: Canvas) -> Plane:
    """The frame's depth in its place on the canvas's grid, zero in the ring."""
    width, height = canvas.grid_size
    ring_x, ring_y = round(canvas.ring_x * width / canvas.width), round(canvas.ring_y * height / canvas.height)
    placed = np.zeros((height, width), np.float32)
    inner = resize_plane(depth, max(1, width - 2 * ring_x), max(1, height - 2 * ring_y), cv2.INTER_AREA)
    placed[ring_y : ring_y + inner.shape[0], ring_x : ring_x + inner.shape[1]] = inner
    return placed


def gentle_surface(values: Plane, known: Plane) -> Plane:
    """A surface close to `values` where they are known: a plane, and a part of the curvature that the plane misses."""
    height, width = values.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    few = (slice(None, None, FIT_STEP), slice(None, None, FIT_STEP))
    weight = np.sqrt((known[few] + 0.02) * border_weight(x[few], y[few]))
    surface = np.zeros_like(x)
    for terms, share in (((np.ones_like(x), x, y), 1.0), ((x * y, x * x - 1 / 3, y * y - 1 / 3), CURVATURE_SHARE)):
        basis = np.stack([term[few] * weight for term in terms], axis=-1).reshape(-1, len(terms))
        missing = ((values - surface)[few] * weight).ravel()
        factors = np.linalg.lstsq(basis, missing, rcond=None)[0]
        surface = surface + share * sum(factor * term for factor, term in zip(factors, terms, strict=True))
    return np.asarray(surface, np.float32)


def border_weight(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Less towards the border, where the depth network often sees a nearness that is not there."""
    return np.asarray(1.05 - np.maximum(np.abs(x), np.abs(y)) ** 4)
