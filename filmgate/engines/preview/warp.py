"""The inverse warp: from the pixels of an output frame back to positions on the canvas.

Disparity is known where a point comes from, not where it is seen, so the inverse of the pose's formula is found by
iteration: start at the seen position, look up the disparity there, step back, and once more. Disparities are smooth;
two steps are below a pixel.
"""

from math import cos, sin

import numpy as np
from numpy.typing import NDArray

from filmgate.engines.preview.camera import Pose
from filmgate.engines.preview.pixels import Plane, sample
from filmgate.engines.preview.scene import Box, Canvas

__all__ = ["covers", "seen_at", "sources", "viewed"]

ITERATIONS = 2
BORDER_POINTS = 33


def viewed(pose: Pose, canvas: Canvas, x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Output positions, in pixels from the frame's centre, taken through roll and view."""
    turn_x, turn_y = np.float32(cos(pose.roll)), np.float32(sin(pose.roll))
    scale, view = np.float32(pose.view.scale), pose.view
    seen_x = (turn_x * x + turn_y * y) * scale + np.float32(view.centre_x * canvas.frame_width)
    seen_y = (turn_x * y - turn_y * x) * scale + np.float32(view.centre_y * canvas.frame_height)
    return np.asarray(seen_x, np.float32), np.asarray(seen_y, np.float32)


def sources(pose: Pose, canvas: Canvas, disparity: Plane, x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Where on the canvas (pixels from its centre) the viewed positions come from, for a layer of this disparity."""
    width, height = np.float32(canvas.frame_width), np.float32(canvas.frame_height)
    focus_x, focus_y = np.float32(pose.focus_x) * width, np.float32(pose.focus_y) * height
    start_x = x - focus_x - np.float32(pose.pan_x) * width
    start_y = y - focus_y - np.float32(pose.pan_y) * height
    shift_x, shift_y = np.float32(pose.shift_x) * width, np.float32(pose.shift_y) * height
    pivot, zoom, approach = np.float32(pose.pivot), np.float32(pose.zoom), np.float32(pose.approach)
    to_grid = np.float32(disparity.shape[1] / canvas.width)
    middle_x, middle_y = np.float32(disparity.shape[1] / 2 - 0.5), np.float32(disparity.shape[0] / 2 - 0.5)
    found_x, found_y = x, y
    for _ in range(ITERATIONS):
        depth = sample(disparity, found_x * to_grid + middle_x, found_y * to_grid + middle_y)
        scale = zoom * (1 + approach * depth)
        found_x = (start_x - shift_x * (depth - pivot)) / scale + focus_x
        found_y = (start_y - shift_y * (depth - pivot)) / scale + focus_y
    return found_x, found_y


def seen_at(pose: Pose, canvas: Canvas, points: NDArray[np.float32], disparity: float) -> NDArray[np.float32]:
    """Where points of the canvas (n × 2, pixels from its centre) of one disparity are in the frame, in its pixels."""
    size = np.array([canvas.frame_width, canvas.frame_height], np.float32)
    focus = np.array([pose.focus_x, pose.focus_y], np.float32) * size
    travelled = np.array([pose.pan_x, pose.pan_y]) + np.array([pose.shift_x, pose.shift_y]) * (disparity - pose.pivot)
    placed = (points - focus) * (pose.zoom * (1 + pose.approach * disparity)) + focus + travelled * size
    x, y = ((placed - np.array([pose.view.centre_x, pose.view.centre_y]) * size) / pose.view.scale).T
    turn_x, turn_y = cos(pose.roll), sin(pose.roll)
    seen = np.stack([turn_x * x - turn_y * y, turn_y * x + turn_x * y], axis=1)
    return np.asarray(seen + size / 2 - 0.5, np.float32)


def covers(pose: Pose, canvas: Canvas, layer: Plane, *, spare: float = 0.0, box: Box | None = None) -> bool:
    """Whether a layer (its disparity on the grid) fills the output frame at this pose out to its edges.

    `spare` is a share of the frame to be left over. With `box` (the layer's, in canvas pixels) only those sides count
    on which it reaches the canvas's edge.
    """
    half_x, half_y = np.float32(canvas.frame_width / 2), np.float32(canvas.frame_height / 2)
    along = np.linspace(-1, 1, BORDER_POINTS, dtype=np.float32)
    side = np.ones_like(along)
    border_x = np.concatenate([along, along, side, -side])[:, None] * half_x
    border_y = np.concatenate([side, -side, along, along])[:, None] * half_y
    x, y = sources(pose, canvas, layer, *viewed(pose, canvas, border_x, border_y))
    limit_x = canvas.width / 2 - 1 - spare * canvas.frame_width
    limit_y = canvas.height / 2 - 1 - spare * canvas.frame_height
    reached = box or Box(0, 0, canvas.width, canvas.height)
    return not (
        (reached.left <= 0 and float(x.min()) < -limit_x)
        or (reached.top <= 0 and float(y.min()) < -limit_y)
        or (reached.right >= canvas.width and float(x.max()) > limit_x)
        or (reached.bottom >= canvas.height and float(y.max()) > limit_y)
    )
