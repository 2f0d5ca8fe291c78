"""The plate: the scene without its subject, and with its surroundings imagined beyond the frame."""

import cv2
import numpy as np

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.nets import Nets
from filmgate.engines.preview.pixels import Mask, Plane
from filmgate.engines.preview.scene import Canvas

__all__ = ["fill", "margin_px", "outpaint", "ring_hole", "subject_hole", "surround"]

SEAM_SIGMA_PX = 2.0
FRINGE = 0.05
"""Pixels that hold more of the subject than this are imagined anew in the plate."""
MARGIN_SHARE = 0.014


def fill(picture: Picture, hole: Mask, nets: Nets) -> Picture:
    """The picture (H×W×3 uint8 RGB) with the hole (H×W bool, True = unknown) imagined.

    Known pixels stay as given but for a soft seam a few pixels wide around the hole.
    """
    if not hole.any():
        return picture.copy()
    drawn = nets.inpaint(picture, hole)
    solid = hole.astype(np.float32)
    share = np.maximum(np.asarray(cv2.GaussianBlur(solid, (0, 0), SEAM_SIGMA_PX), np.float32), solid)
    return mix(picture, drawn, share)


def mix(first: Picture, second: Picture, share: Plane) -> Picture:
    """`share` (0..1) of the second, the rest of the first."""
    return np.asarray(cv2.blendLinear(first, second, 1 - share, share), np.uint8)


def surround(picture: Picture, canvas: Canvas) -> Picture:
    """The picture on its canvas, mirrored into the ring."""
    x, y = canvas.ring_x, canvas.ring_y
    return np.asarray(cv2.copyMakeBorder(picture, y, y, x, x, cv2.BORDER_REFLECT_101), np.uint8)


def outpaint(picture: Picture, canvas: Canvas, nets: Nets) -> Picture:
    """The picture on its canvas with the ring imagined: what the frame cuts goes on beyond it."""
    return fill(surround(picture, canvas), ring_hole(canvas), nets)


def ring_hole(canvas: Canvas) -> Mask:
    hole = np.ones((canvas.height, canvas.width), np.bool_)
    hole[canvas.frame] = False
    return hole


def subject_hole(alpha: Plane, canvas: Canvas) -> Mask:
    """Where the plate must be imagined: the subject (alpha on the canvas) with a margin for what the matte missed."""
    side = 2 * margin_px(canvas) + 1
    return cv2.dilate((alpha > FRINGE).astype(np.uint8), np.ones((side, side), np.uint8)) > 0


def margin_px(canvas: Canvas) -> int:
    """How far around the matte hair and blurred edges of the subject may reach."""
    return max(3, round(MARGIN_SHARE * canvas.frame_width))
