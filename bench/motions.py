"""Clips that are known at every moment: camera moves over photographs, a thing that crosses, and the preview engine.

A clip is a function from seconds to a frame, so the truth at 30 frames a second and the source at 16 are the same film.
"""

from collections.abc import Callable, Mapping
from math import cos, exp, sin
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from filmgate.encoding.picture import Picture, read_picture, resize_picture
from filmgate.engines.preview.analyse import analyse
from filmgate.engines.preview.direction import direct
from filmgate.engines.preview.nets import Nets
from filmgate.engines.preview.plan import plan_prompt
from filmgate.engines.preview.render import Look, Renderer

__all__ = ["MOTIONS", "SECONDS", "SIZE", "Film"]

Film = Callable[[float], Picture]

SIZE = 832, 480
SECONDS = 1.5
RATE = 240
"""Frames per second of which both 16 and 30 are whole parts."""
OUTPUT_RATE = 30
PORTRAIT = Path(__file__).parents[1] / "docs/images/astronaut.jpg"
FACE = slice(20, 260), slice(130, 330)


def view(photo: Picture, x: float, y: float, scale: float = 1.0, roll: float = 0.0) -> Picture:
    """What a camera sees that looks at (x, y) of the photograph; `scale` is its pixels per pixel of the frame."""
    turn = scale * np.array([[cos(roll), -sin(roll)], [sin(roll), cos(roll)]])
    corner = np.array([x, y]) - turn @ (np.array(SIZE) / 2)
    lens = np.column_stack([turn, corner])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(photo, lens, SIZE, flags=flags, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def enlarged(photo: Picture, times: float) -> Picture:
    height, width = photo.shape[:2]
    return resize_picture(photo, round(times * width), round(times * height), cv2.INTER_CUBIC)


def pan(speed_px: float) -> Film:
    """The camera goes to the right, so many pixels from output frame to output frame."""
    photo = enlarged(np.asarray(data.coffee()), 3)
    height, width = photo.shape[:2]
    return lambda time_s: view(photo, 0.3 * width + speed_px * OUTPUT_RATE * time_s, height / 2)


def zoom() -> Film:
    """The camera comes closer and rolls."""
    photo = enlarged(np.asarray(data.rocket()), 3)
    height, width = photo.shape[:2]
    return lambda time_s: view(photo, width / 2, height / 2, 1.4 * exp(-0.3 * time_s), 0.12 * sin(2 * time_s))


def crossing(speed_px: float) -> Film:
    """A face crosses the frame, bobbing and turning, while the camera pans slowly behind it."""
    scene = enlarged(np.asarray(data.rocket()), 2.5)
    face = read_picture(PORTRAIT)[FACE].astype(np.float32)
    height, width = face.shape[:2]
    down, right = np.mgrid[:height, :width].astype(np.float32)
    off_centre = ((right / width - 0.5) ** 2 + (down / height - 0.5) ** 2) * 4
    alpha = np.clip((1 - off_centre) * 12, 0, 1)[..., None]
    cutout = np.dstack([face * alpha, alpha])

    def film(time_s: float) -> Picture:
        behind = view(scene, 0.45 * scene.shape[1] + 60 * time_s, scene.shape[0] / 2, 1.1)
        place = cv2.getRotationMatrix2D((width / 2, height / 2), 17 * sin(3 * time_s), 1.3)
        place[:, 2] += (
            speed_px * OUTPUT_RATE * time_s - width / 2,
            SIZE[1] / 2 - height / 2 + 60 * sin(2.5 * time_s),
        )
        layer = cv2.warpAffine(cutout, place, SIZE, flags=cv2.INTER_LINEAR)
        return np.clip(behind * (1 - layer[..., 3:]) + layer[..., :3] + 0.5, 0, 255).astype(np.uint8)

    return film


def flicker() -> Film:
    """A still camera in candlelight: the brightness wavers, in a pool of light that wanders."""
    photo = enlarged(np.asarray(data.coffee()), 2)
    height, width = photo.shape[:2]
    down, right = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)

    def film(time_s: float) -> Picture:
        x, y = SIZE[0] * (0.5 + 0.2 * sin(4 * time_s)), SIZE[1] * (0.5 + 0.2 * cos(5 * time_s))
        pool = np.exp(-((right - x) ** 2 + (down - y) ** 2) / (2 * 160**2))[..., None]
        light = 0.55 + 0.4 * pool * (1 + 0.3 * sin(19 * time_s))
        return np.clip(view(photo, width / 2, height / 2) * light, 0, 255).astype(np.uint8)

    return film


def preview(prompt: str, picture: Picture) -> Film:
    """What the preview engine makes of it: layers at different depths, a subject that breathes."""
    frames = round(SECONDS * RATE)
    scene = analyse(resize_picture(picture, *SIZE, cv2.INTER_CUBIC), Nets(threads=2), lambda _: None)
    plan = plan_prompt(prompt, negative_prompt="", duration_s=SECONDS, shot_type=None, extend=False, seed=1)
    direction = direct(scene, plan, frames=frames, rate=RATE, seed=1)
    renderer = Renderer(scene, Look(grain=0.0, sharpen=0.0, breathing=True), 1)

    def film(time_s: float) -> Picture:
        index = round(time_s * RATE)
        return renderer.frame(direction.pose(index), index / RATE)

    return film


MOTIONS: Mapping[str, Callable[[], Film]] = {
    "pan, 6 px a frame": lambda: pan(6),
    "pan, 20 px a frame": lambda: pan(20),
    "zoom and roll": zoom,
    "face crossing, 8 px a frame": lambda: crossing(8),
    "face crossing, 24 px a frame": lambda: crossing(24),
    "candlelight, no motion": flicker,
    "preview: orbit, handheld": lambda: preview("Orbit to the right, handheld.", read_picture(PORTRAIT)[:288]),
    "preview: fast push-in and pan": lambda: preview("Fast push-in, fast pan left.", np.asarray(data.coffee())[:346]),
}
