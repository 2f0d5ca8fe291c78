"""The subject as a layer of its own: its matte and its pure colours, carried on beyond the frame where it is cut."""

import cv2
import numpy as np

from filmgate.encoding.picture import Picture, resize_picture
from filmgate.engines.preview.matte import Matte
from filmgate.engines.preview.pixels import Layer, Plane, grey, guided_filter, push_pull, resize_plane
from filmgate.engines.preview.plate import FRINGE, margin_px
from filmgate.engines.preview.scene import Box, Canvas

__all__ = ["canvas_alpha", "cut_layer", "layer_box", "with_fringe"]

SURE = 0.95
INDISTINCT = 3 * 20.0**2
"""Squared colour distance below which subject and plate cannot be told apart."""


def canvas_alpha(matte: Matte, surrounded: Picture, canvas: Canvas) -> Plane:
    """The matte on the canvas; where the frame cuts the subject it goes on into the ring, along what is seen there.

    So nothing dark or empty shows at a cut edge when the camera looks past it.
    """
    x, y = canvas.ring_x, canvas.ring_y
    extruded = np.asarray(cv2.copyMakeBorder(matte.alpha, y, y, x, x, cv2.BORDER_REPLICATE), np.float32)
    radius = max(8, canvas.frame_width // 60)
    alpha = guided_filter(grey(surrounded), extruded, radius, 1e-3).clip(0, 1)
    alpha[canvas.frame] = matte.alpha
    return alpha


def with_fringe(alpha: Plane, whole: Picture, plate: Picture, canvas: Canvas) -> Plane:
    """The alpha with the hair and blurred edges that the matte missed: what still differs from the plate around it.

    There the plate is imagined, the subject's own colour is known from inside, and a pixel's place between the two is
    its opacity. It fades out over the margin, so that a wrong guess of the plate never shows as an outline.
    """
    height, width = alpha.shape
    small = (max(1, width // 4), max(1, height // 4))
    sure = (resize_plane(alpha, *small, cv2.INTER_AREA) > SURE).astype(np.float32)
    inner = push_pull(resize_picture(whole, *small).astype(np.float32), sure)
    own = np.asarray(cv2.resize(inner, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    behind = plate.astype(np.float32)
    across = own - behind
    along = ((whole - behind) * across).sum(axis=2)
    opacity = (along / ((across * across).sum(axis=2) + INDISTINCT)).clip(0, 1)
    return np.maximum(alpha, np.asarray(opacity * nearby(alpha, margin_px(canvas)), np.float32))


def nearby(alpha: Plane, margin: int) -> Plane:
    """1 on the matte, falling to 0 over the margin around it."""
    side = (2 * margin + 1, 2 * margin + 1)
    grown = cv2.dilate((alpha > FRINGE).astype(np.float32), np.ones(side, np.uint8))
    return (2 * np.asarray(cv2.blur(grown, side), np.float32) - 1).clip(0, 1)


def cut_layer(whole: Picture, plate: Picture, alpha: Plane) -> Layer:
    """The subject's own colours, un-mixed from the plate where it is soft; premultiplied RGBA.

    Laid over the plate it gives the picture back wherever that is possible at all.
    """
    opacity = alpha[..., None]
    own = (whole - (1 - opacity) * plate).clip(0, 255 * opacity)
    return np.asarray(np.dstack([own, opacity * 255]).round(), np.uint8)


def layer_box(matte: Matte, canvas: Canvas) -> Box:
    """The subject's box in canvas pixels, out to the canvas's edge on the sides where the frame cuts it."""
    if matte.box is None:
        raise ValueError("a matte without subject has no box")
    left, top, right, bottom = matte.box
    return Box(
        0 if left <= 1 else left + canvas.ring_x,
        0 if top <= 1 else top + canvas.ring_y,
        canvas.width if right >= canvas.frame_width - 1 else right + canvas.ring_x,
        canvas.height if bottom >= canvas.frame_height - 1 else bottom + canvas.ring_y,
    )
