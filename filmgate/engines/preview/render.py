"""Frames of a scene: warp the plate, warp the subject, lay one over the other, finish.

Positions are computed on a grid of a quarter of the frame's resolution and enlarged; pixels are looked up once. The
look (grain, vignette, the glow of a given sound), the subject's breathing and its talk come in within the first second:
frame 0 is the input picture.
"""

from dataclasses import dataclass
from math import pi, sin

import cv2
import numpy as np

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.camera import Pose
from filmgate.engines.preview.chance import generator
from filmgate.engines.preview.mouth import Mouth, find_mouth, open_mouth
from filmgate.engines.preview.pixels import Layer, Plane, blur, lay_over
from filmgate.engines.preview.scene import Scene, Subject
from filmgate.engines.preview.templates.effect import Effect
from filmgate.engines.preview.warp import seen_at, sources, viewed

__all__ = ["Look", "Renderer"]

STEP = 4
RAMP_S = 1.2
GRAIN_LEVELS = 42.0
GRAIN_SPARE_PX = 64
VIGNETTE = 0.22
BREATH_S = 3.6
LIPS_RAMP_S = 0.25
GLOW = 0.045
"""How much brighter a strike of a given sound makes the frame."""


@dataclass(frozen=True, slots=True)
class Look:
    """How finished frames look: grain and sharpening 0..1, and whether the subject breathes."""

    grain: float
    sharpen: float
    breathing: bool


class Renderer:
    """Draws the frames of one clip. Deterministic for a scene, a look, a seed and an effect; not thread-safe."""

    def __init__(self, scene: Scene, look: Look, seed: int, effect: Effect | None = None) -> None:
        self._scene = scene
        self._look = look
        self._seed = seed
        self._effect = effect
        width, height = scene.canvas.frame_width, scene.canvas.frame_height
        self._x, self._y = frame_grid(width, height)
        self._vignette = vignette(width, height)
        self._grain = grain(width, height, seed) if look.grain > 0 else None
        self._grain_at = generator(seed, "grain position")
        self._mouth = find_mouth(scene)
        self._breath_phase = float(generator(seed, "breath").uniform(0, 2 * pi))

    def frame(self, pose: Pose, time_s: float, *, glow: float = 0.0, lips: float = 0.0) -> Picture:
        """The frame of this pose at this time, as RGB of the frame's size.

        `glow` (0..1) is how much a strike of a given sound lights it, `lips` (0..1) how far a talking mouth is open.
        """
        scene = self._scene
        x, y = viewed(pose, scene.canvas, self._x, self._y)
        plate_x, plate_y = sources(pose, scene.canvas, scene.plate_disparity, x, y)
        frame = self._look_up(scene.plate, *self._held(plate_x, plate_y), (slice(None), slice(None)))
        if self._effect is not None:
            self._effect.draw_behind(frame, time_s)
        if scene.subject is not None:
            subject_x, subject_y = sources(pose, scene.canvas, scene.subject.disparity, x, y)
            self._lay_subject(frame, scene.subject, subject_x, subject_y, time_s)
        if self._mouth is not None and lips > 0:
            self._talk(frame, self._mouth, pose, time_s, lips * min(1.0, time_s / LIPS_RAMP_S))
        if self._effect is not None:
            self._effect.draw_front(frame, time_s)
        return self._finish(frame, min(1.0, time_s / RAMP_S), glow)

    def _lay_subject(self, frame: Picture, subject: Subject, x: Plane, y: Plane, time_s: float) -> None:
        if self._look.breathing:
            x, y = self._breathe(subject, x, y, time_s)
        pixels = subject.layer
        if self._effect is not None:
            x, y = self._effect.place(x, y, time_s)
            pixels = self._effect.layer(time_s)
        window = self._window(subject, x, y)
        if window is None:
            return
        layer = self._look_up(pixels, x, y, window)
        lay_over(frame[window], layer)

    def _talk(self, frame: Picture, mouth: Mouth, pose: Pose, time_s: float, lips: float) -> None:
        points, subject = mouth.points, self._scene.subject
        if self._look.breathing and mouth.on_subject and subject is not None:
            # Breathing tells where a point comes from; small as it is, where it goes lies as far on the other side.
            x, y = self._breathe(subject, points[:, 0], points[:, 1], time_s)
            points = 2 * points - np.stack([x, y], axis=1)
        open_mouth(frame, mouth, seen_at(pose, self._scene.canvas, points, mouth.disparity), lips)

    def _held(self, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        """The positions, at most at the canvas's edge: a shaking hand may reach a pixel further."""
        half_x, half_y = (self._scene.canvas.width - 1) / 2, (self._scene.canvas.height - 1) / 2
        return x.clip(-half_x, half_x), y.clip(-half_y, half_y)

    def _look_up(self, pixels: Picture | Layer, x: Plane, y: Plane, window: tuple[slice, slice]) -> Picture:
        """The canvas's pixels at the grid positions, for one window of the frame; nothing outside the canvas."""
        canvas = self._scene.canvas
        map_x = enlarged(x, canvas.frame_width, canvas.frame_height)[window]
        map_y = enlarged(y, canvas.frame_width, canvas.frame_height)[window]
        map_x = map_x + np.float32(canvas.width / 2 - 0.5)
        map_y = map_y + np.float32(canvas.height / 2 - 0.5)
        # Only with a constant border does OpenCV take its fast path (a third of the time of the others).
        found = cv2.remap(pixels, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(found, np.uint8)

    def _window(self, subject: Subject, x: Plane, y: Plane) -> tuple[slice, slice] | None:
        """The rows and columns of the frame where the subject can be seen."""
        canvas = self._scene.canvas
        box = subject.box.shifted(-canvas.width / 2, -canvas.height / 2)
        inside = (x > box.left - 8) & (x < box.right + 8) & (y > box.top - 8) & (y < box.bottom + 8)
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if not len(rows):
            return None
        # The grid begins one step before the frame, and a cell reaches half a step further.
        return (
            slice(max(0, (int(rows[0]) - 2) * STEP), min(canvas.frame_height, (int(rows[-1]) + 1) * STEP)),
            slice(max(0, (int(columns[0]) - 2) * STEP), min(canvas.frame_width, (int(columns[-1]) + 1) * STEP)),
        )

    def _breathe(self, subject: Subject, x: Plane, y: Plane, time_s: float) -> tuple[Plane, Plane]:
        """The subject leaning and swelling by less than a percent around its base."""
        canvas = self._scene.canvas
        box = subject.box.shifted(-canvas.width / 2, -canvas.height / 2)
        ramp = min(1.0, time_s / RAMP_S)
        phase = 2 * pi * time_s / BREATH_S
        swell, lean = sin(phase) * ramp, sin(phase / 2 + self._breath_phase) * ramp
        above = ((box.bottom - y) / box.height).clip(0, 1.3).astype(np.float32)
        chest = np.sin(np.float32(pi) * above.clip(0, 1))
        leaned = x - np.float32(0.006 * box.height * lean) * above ** np.float32(1.5)
        middle = np.float32(box.centre_x)
        wide = middle + (leaned - middle) / (1 + np.float32(0.004 * swell) * chest)
        tall = np.float32(box.bottom) + (y - np.float32(box.bottom)) / np.float32(1 + 0.006 * swell)
        return np.asarray(wide, np.float32), np.asarray(tall, np.float32)

    def _finish(self, frame: Picture, ramp: float, glow: float) -> Picture:
        if self._look.sharpen > 0 and ramp > 0:
            amount = 0.6 * self._look.sharpen * ramp
            soft = cv2.GaussianBlur(frame, (0, 0), 1.2)
            frame = np.asarray(cv2.addWeighted(frame, 1 + amount, soft, -amount, 0), np.uint8)
        if ramp == 0:
            return frame
        shade = self._vignette
        if ramp < 1:
            shade = np.asarray(cv2.addWeighted(shade, ramp, shade, 0, 255 * (1 - ramp)), np.uint8)
        frame = np.asarray(cv2.multiply(frame, shade, scale=(1 + GLOW * glow * ramp) / 255), np.uint8)
        if self._grain is not None:
            left, top = (int(value) for value in self._grain_at.integers(0, GRAIN_SPARE_PX, 2))
            height, width = frame.shape[:2]
            amount = self._look.grain * ramp
            speckle = self._grain[top : top + height, left : left + width]
            frame = np.asarray(cv2.addWeighted(frame, 1, speckle, amount, -128 * amount), np.uint8)
        return frame


def frame_grid(width: int, height: int) -> tuple[Plane, Plane]:
    """Output positions every STEP pixels, in pixels from the centre, with one step beyond the frame on each side."""
    columns = (np.arange(-1, width // STEP + 1, dtype=np.float32) + 0.5) * STEP - width / 2
    rows = (np.arange(-1, height // STEP + 1, dtype=np.float32) + 0.5) * STEP - height / 2
    x, y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    return x, y


def enlarged(grid: Plane, width: int, height: int) -> Plane:
    """A plane of the frame's size from the grid with its extra step, which keeps the frame's edges exact."""
    large = cv2.resize(grid, (grid.shape[1] * STEP, grid.shape[0] * STEP), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)[STEP : STEP + height, STEP : STEP + width]


def vignette(width: int, height: int) -> Picture:
    """How much light reaches each pixel, 255 in the middle."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    light = 1 - VIGNETTE * ((x * x + y * y) / 2) ** 1.3
    return np.asarray(np.repeat((255 * light).round().clip(0, 255)[..., None], 3, axis=2), np.uint8)


def grain(width: int, height: int, seed: int) -> Picture:
    """Film grain around 128, a little larger than the frame so that each frame sees another part of it."""
    size = (height + GRAIN_SPARE_PX, width + GRAIN_SPARE_PX)
    speckle = blur(generator(seed, "grain").standard_normal(size, np.float32), 0.6)
    single = (128 + GRAIN_LEVELS * speckle).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.merge([single] * 3), np.uint8)
