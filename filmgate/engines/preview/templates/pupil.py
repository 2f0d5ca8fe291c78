"""The picture seen in an eye: it draws away until the whole of it is the reflection in a pupil."""

from math import pi, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.pixels import Plane, lay_over
from filmgate.engines.preview.templates.recipe import Drawing
from filmgate.engines.preview.templates.stage import Stage, ramp

__all__ = ["seen_in_a_pupil"]

SIDE = 768
"""Of the drawn eye; its iris fills IRIS of half of that, its pupil PUPIL."""
IRIS, PUPIL = 0.62, 0.30
IRISES = ((92, 138, 84), (86, 130, 172), (150, 104, 58), (122, 132, 140))
LAST_PUPIL = 0.17
"""The pupil's radius at the end, as a share of the frame's shorter side."""


def seen_in_a_pupil(stage: Stage) -> Drawing:
    eye = drawn_eye(stage)
    half_diagonal = 0.5 * float(np.hypot(stage.width, stage.height))
    first, last = 1.06 * half_diagonal, LAST_PUPIL * stage.unit

    def draw(frame: Picture, time_s: float) -> None:
        away = ramp(time_s, 0.1, 0.72 * stage.duration_s)
        if away <= 0:
            return
        breath = 1 + 0.06 * sin(2 * pi * time_s / 1.9) * ramp(time_s, 2.2, 1.0)
        radius = first * (last / first) ** away * breath
        within = reflected(frame, stage, radius, away)
        scale = radius / (PUPIL * SIDE / 2)
        middle_x, middle_y = (stage.width - 1) / 2, (stage.height - 1) / 2
        corner = SIDE / 2 - 0.5
        place = np.array([[scale, 0, middle_x - scale * corner], [0, scale, middle_y - scale * corner]])
        size = (stage.width, stage.height)
        # What lies beyond the drawn eye is lid and skin: its own border colour.
        around = cv2.warpAffine(eye, place, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        lay_over(within, np.asarray(around, np.uint8))
        frame[:] = within

    return draw


def reflected(frame: Picture, stage: Stage, radius: float, away: float) -> Picture:
    """The frame shrunk into the pupil and bulging as on a round mirror; it fills the pupil throughout."""
    reach = radius / (0.5 * stage.unit)
    scale = 1 + (min(1.0, 1.12 * reach) - 1) * away
    step = 4
    x = np.arange(0, stage.width + step, step, dtype=np.float32) - np.float32(stage.width / 2)
    y = np.arange(0, stage.height + step, step, dtype=np.float32) - np.float32(stage.height / 2)
    across, down = np.meshgrid(x, y)
    out = ((across**2 + down**2) / np.float32(radius**2)).clip(0, 1)
    bulge = (1 - np.float32(0.35 * away) * (1 - out)) / np.float32(scale)
    maps = [enlarged(plane, stage) for plane in (across * bulge + stage.width / 2, down * bulge + stage.height / 2)]
    seen = cv2.remap(frame, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(seen, np.uint8)


def enlarged(plane: Plane, stage: Stage) -> Plane:
    large = cv2.resize(np.asarray(plane, np.float32), (plane.shape[1] * 4, plane.shape[0] * 4))
    return np.ascontiguousarray(np.asarray(large, np.float32)[2 : stage.height + 2, 2 : stage.width + 2])


def drawn_eye(stage: Stage) -> Picture:
    """Premultiplied RGBA: iris, white, lids and lashes around a clear pupil with a rim and two lights."""
    chance = stage.chance("pupil")
    along = (np.arange(SIDE, dtype=np.float32) + 0.5) / (SIDE / 2) - 1
    u, v = np.meshgrid(along, along)
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    own = np.array(IRISES[int(chance.integers(len(IRISES)))], np.float32)
    fibres = np.zeros_like(radius)
    for count, weight in ((37, 0.5), (71, 0.35), (113, 0.3)):
        bend = 1.5 * np.sin(9 * radius + float(chance.uniform(0, 6)))
        fibres += weight * np.sin(count * angle + bend + float(chance.uniform(0, 6)))
    depth = ((radius - PUPIL) / (IRIS - PUPIL)).clip(0, 1)
    light = (0.75 + 0.22 * fibres + 0.5 * np.exp(-(((depth - 0.25) / 0.18) ** 2))) * (1 - 0.75 * depth**5)
    amber = np.array([196, 138, 64], np.float32) * np.exp(-((depth / 0.22) ** 2))[..., None]
    iris = own * light[..., None] + 0.5 * amber * light[..., None]
    white = np.array([238, 230, 226], np.float32) * (1.04 - 0.38 * np.abs(u) ** 2 - 0.25 * (v < 0) * v * v)[..., None]
    outside = ((radius - IRIS) / 0.025).clip(0, 1)[..., None]
    colour = lidded(iris * (1 - outside) + white * outside, u, v)
    alpha = ((radius - PUPIL + 0.02) / 0.02).clip(0, 1)
    rim = np.exp(-(((radius - PUPIL) / 0.05) ** 2)) * 0.85
    inner = 0.55 * ((radius - 0.55 * PUPIL) / (0.45 * PUPIL)).clip(0, 1) ** 2
    opacity = np.maximum(alpha, inner)
    shown = colour * alpha[..., None] * (1 - rim * (radius >= PUPIL - 0.02))[..., None]
    for x, y, wide, strong in ((-0.14, -0.16, 0.05, 0.95), (0.12, 0.13, 0.03, 0.5)):
        glint = strong * np.exp(-((((u - x) ** 2 + (v - y) ** 2) / wide**2) ** 2))
        shown = shown * (1 - glint)[..., None] + 255 * glint[..., None]
        opacity = opacity * (1 - glint) + glint
    return np.asarray(np.dstack([shown, 255 * opacity]).clip(0, 255).round(), np.uint8)


def lidded(colour: NDArray[np.float32], u: Plane, v: Plane) -> NDArray[np.float32]:
    """Lids above and below the eyeball, their shadow on it, and a fringe of lashes."""
    upper, lower = -0.62 + 0.62 * u * u, 0.62 - 0.62 * u * u
    skin = np.array([206, 156, 130], np.float32) * (0.92 - 0.12 * np.abs(v))[..., None]
    above, below = ((upper - v) / 0.012).clip(0, 1), ((v - lower) / 0.012).clip(0, 1)
    shadow = 1 - 0.55 * np.exp(-(((v - upper).clip(0, 2) / 0.10) ** 2))
    eye = colour * shadow[..., None]
    corner = ((np.abs(u) - 0.95) / 0.03).clip(0, 1)
    lid = np.maximum(np.maximum(above, below), corner)[..., None]
    eye = eye * (1 - lid) + skin * lid
    crease = np.exp(-(((v - upper + 0.17) / 0.018) ** 2)) * 0.45 * (np.abs(u) < 0.97)
    line = np.exp(-(((v - upper) / 0.028) ** 2)) * 0.95
    high = (upper - v) / 0.17
    combed = np.sin(54 * (u + 0.5 * u * high * 0.17))
    lashes = (combed > 0.35 + 0.65 * high) * (high > 0) * (high < 1) * (np.abs(u) < 0.9)
    within = ((0.96 - np.abs(u)) / 0.06).clip(0, 1)
    dark = within[..., None] * np.maximum(np.maximum(crease, line), 0.85 * lashes).clip(0, 1)[..., None]
    return np.asarray(eye * (1 - dark) + np.array([34, 22, 20], np.float32) * dark, np.float32)
