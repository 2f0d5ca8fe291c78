"""A drawing board for small things, and the stamp that places them on a frame. Colours are RGB, 0..255.

A Sprite is a Layer of SIDE × SIDE pixels, drawn once and large; `stamp` places it at any size and angle.
"""

from collections.abc import Sequence
from math import cos, pi, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.pixels import Layer, Plane, lay_over

__all__ = ["SIDE", "Colour", "Point", "Sketch", "Sprite", "grid", "stamp"]

Sprite = Layer
Colour = tuple[int, int, int]
Point = tuple[float, float]

SIDE = 192
FINE = 4
"""Sketches are drawn this much larger and shrunk: smooth edges."""


class Sketch:
    """A drawing board from -1 to 1 in x (right) and y (down), transparent at first."""

    def __init__(self) -> None:
        self._side = SIDE * FINE
        self._colour = np.zeros((self._side, self._side, 3), np.uint8)
        self._alpha = np.zeros((self._side, self._side), np.uint8)

    def polygon(self, points: Sequence[Point], colour: Colour, opacity: float = 1.0) -> "Sketch":
        mask = np.zeros_like(self._alpha)
        cv2.fillPoly(mask, [self._placed(points)], 255)
        return self._painted(mask, colour, opacity)

    def ellipse(
        self, x: float, y: float, wide: float, tall: float, colour: Colour, *, angle: float = 0, opacity: float = 1.0
    ) -> "Sketch":
        return self.polygon(oval(x, y, wide, tall, angle), colour, opacity)

    def line(self, points: Sequence[Point], thickness: float, colour: Colour, opacity: float = 1.0) -> "Sketch":
        mask = np.zeros_like(self._alpha)
        cv2.polylines(mask, [self._placed(points)], False, 255, max(1, round(thickness * self._side / 2)))
        return self._painted(mask, colour, opacity)

    def sprite(self, shade: float = 0.0, glow: float = 0.0) -> Sprite:
        """The drawing, lit from the upper left by `shade` (0..1), with a halo of its own colour by `glow` (0..1)."""
        size = (SIDE, SIDE)
        alpha = np.asarray(cv2.resize(self._alpha, size, interpolation=cv2.INTER_AREA), np.float32) / 255
        weighted = self._colour.astype(np.float32) * (self._alpha[..., None] / np.float32(255))
        own = np.asarray(cv2.resize(weighted, size, interpolation=cv2.INTER_AREA), np.float32)
        u, v = grid()
        dark = np.asarray(1 - shade * (0.5 + 0.35 * u + 0.5 * v).clip(0, 1), np.float32)
        own = own * dark[..., None]
        layer = np.dstack([own, 255 * alpha]).astype(np.float32)
        if glow > 0:
            halo = np.asarray(cv2.GaussianBlur(layer, (0, 0), SIDE / 16), np.float32) * glow
            layer = np.asarray(layer + halo * (1 - alpha)[..., None], np.float32)
        return np.asarray(layer.clip(0, 255).round(), np.uint8)

    def _placed(self, points: Sequence[Point]) -> NDArray[np.int32]:
        return ((np.array(points, np.float64) + 1) * (self._side / 2)).round().astype(np.int32)

    def _painted(self, mask: NDArray[np.uint8], colour: Colour, opacity: float) -> "Sketch":
        inside = mask > 0
        before = self._colour[inside].astype(np.float32)
        under = self._alpha[inside, None].astype(np.float32) / 255 * (1 - opacity)
        full = opacity + under
        mixed = (np.array(colour, np.float32) * opacity + before * under) / np.maximum(full, 1e-3)
        self._colour[inside] = mixed.round()
        self._alpha[inside] = (255 * full[:, 0]).round()
        return self


def stamp(
    frame: Picture,
    drawn: Sprite,
    x: float,
    y: float,
    size: float,
    *,
    angle: float = 0.0,
    squeeze: float = 1.0,
    opacity: float = 1.0,
) -> None:
    """The sprite on the frame, in place: its middle at (x, y) in frame pixels, `size` pixels wide, turned by radians.

    `squeeze` scales it across its own x axis: a thing that tumbles shows its edge.
    """
    reach = 0.72 * size + 2
    height, width = frame.shape[:2]
    left, right = max(0, int(x - reach)), min(width, int(x + reach) + 1)
    top, bottom = max(0, int(y - reach)), min(height, int(y + reach) + 1)
    if left >= right or top >= bottom or size < 1 or opacity <= 0:
        return
    scale, turn_x, turn_y = size / SIDE, cos(angle), sin(angle)
    wide = scale * (squeeze if abs(squeeze) > 0.06 else 0.06)
    matrix = np.array([[turn_x * wide, -turn_y * scale, 0], [turn_y * wide, turn_x * scale, 0]], np.float64)
    matrix[:, 2] = np.array([x - left, y - top]) - matrix[:, :2] @ np.array([SIDE / 2 - 0.5, SIDE / 2 - 0.5])
    source = shrunk(drawn, scale)
    matrix[:, :2] *= SIDE / source.shape[0]
    flags = cv2.INTER_LINEAR
    placed = np.asarray(cv2.warpAffine(source, matrix, (right - left, bottom - top), flags=flags), np.uint8)
    if opacity < 1:
        placed = np.asarray(cv2.convertScaleAbs(placed, alpha=opacity), np.uint8)
    window = frame[top:bottom, left:right]
    shown = np.ascontiguousarray(window)
    lay_over(shown, placed)
    window[:] = shown


def shrunk(drawn: Sprite, scale: float) -> Sprite:
    """A copy near the wanted size, so that a small one does not glitter."""
    factor = 1
    while factor < 8 and scale * factor < 0.5:
        factor *= 2
    if factor == 1:
        return drawn
    side = SIDE // factor
    return np.asarray(cv2.resize(drawn, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def grid() -> tuple[Plane, Plane]:
    along = ((np.arange(SIDE, dtype=np.float32) + 0.5) / (SIDE / 2)) - 1
    u, v = np.meshgrid(along, along)
    return u, v


def oval(x: float, y: float, wide: float, tall: float, angle: float = 0.0, points: int = 72) -> list[Point]:
    around = [2 * pi * number / points for number in range(points)]
    return [
        (
            x + wide * cos(a) * cos(angle) - tall * sin(a) * sin(angle),
            y + wide * cos(a) * sin(angle) + tall * sin(a) * cos(angle),
        )
        for a in around
    ]
