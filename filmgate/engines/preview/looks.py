"""Named looks and moods that need no weights, and the finish of a composed picture."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from filmgate.encoding.picture import Picture, resize_picture, scale_picture
from filmgate.engines.preview.chance import generator
from filmgate.engines.preview.pixels import Plane, blur, grey
from filmgate.engines.preview.prompt.arrangement import Look, Mood

__all__ = ["finished", "graded", "sharpened", "stylised"]

VIGNETTE = 0.14
PIXEL_COLUMNS = 128
"""How many cells a picture in pixel art has along its longer side."""


def stylised(picture: Picture, look: Look, seed: int) -> Picture:
    """The picture redrawn in a named look, at the same size."""
    return DRAWN[look](picture, seed)


def graded(picture: Picture, mood: Mood) -> Picture:
    """The picture in the colours of a mood."""
    if mood == "noir":
        light = (grey(picture) * 1.16 - 0.06).clip(0, 1)
        return np.asarray(np.repeat((255 * light)[..., None], 3, axis=2), np.uint8)
    steps = np.linspace(0, 1, 256, dtype=np.float32)
    table = np.stack([curve(steps) for curve in CURVES[mood]], axis=-1)
    return np.asarray(cv2.LUT(picture, (255 * table).clip(0, 255).astype(np.uint8)[None]), np.uint8)


def sharpened(picture: Picture, amount: float) -> Picture:
    soft = cv2.GaussianBlur(picture, (0, 0), 1.3)
    return np.asarray(cv2.addWeighted(picture, 1 + amount, soft, -amount, 0), np.uint8)


def finished(picture: Picture) -> Picture:
    """A slight vignette: it holds a collage together."""
    height, width = picture.shape[:2]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    light = 1 - VIGNETTE * ((x * x + y * y) / 2) ** 1.4
    return np.asarray((picture * light[..., None]).clip(0, 255), np.uint8)


def pencil(picture: Picture, seed: int) -> Picture:
    """Lines where light changes, soft hatching in the dark, on paper."""
    light = grey(picture)
    size = max(picture.shape[:2])
    # Divided by its own surroundings only change is left; the floor keeps the dark from turning into noise.
    lines = ((light + 0.10) / (blur(light, size / 110) + 0.10)).clip(0, 1) ** 1.8
    fine = ((light + 0.06) / (blur(light, size / 460) + 0.06)).clip(0, 1) ** 2.4
    tone = 0.58 + 0.42 * blur(light, size / 300) ** 0.6
    graphite = 1 - (1 - lines * fine * tone) * (0.90 + 0.10 * tooth(picture, seed))
    paper = 0.975 + 0.02 * tooth(picture, seed)
    sheet = (graphite.clip(0.12, 1) * paper)[..., None] * np.array([252, 250, 245], np.float32)
    return np.asarray(sheet.clip(0, 255), np.uint8)


def watercolour(picture: Picture, seed: int) -> Picture:
    """Flat washes with darker rims, on paper whose tooth shows."""
    washed = flat_areas(picture, 14, 32).astype(np.float32)
    light = grey(np.asarray(washed, np.uint8))
    size = max(picture.shape[:2])
    rims = np.abs(light - blur(light, size / 360)).clip(0, 0.12) / 0.12
    wash = washed * (1 - 0.28 * blur(np.asarray(rims, np.float32), 0.8)[..., None])
    pools = 1 + 0.07 * cloudy(picture, seed)[..., None]
    paper = 0.975 + 0.025 * tooth(picture, seed)[..., None]
    bright = 255 - (255 - wash * pools) * 0.86
    return np.asarray((bright * paper).clip(0, 255), np.uint8)


def cartoon(picture: Picture, _seed: int) -> Picture:
    """Few flat colours, livelier than life, inside dark outlines."""
    areas = flat_areas(picture, 12, 30)
    hsv = cv2.cvtColor(areas, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 1] = (hsv[..., 1] * 1.25).clip(0, 255)
    hsv[..., 2] = (np.floor(hsv[..., 2] / 26) * 26 + 16).clip(0, 255)
    colours = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)
    light = grey(np.asarray(cv2.bilateralFilter(picture, 7, 40, 5), np.uint8))
    width_px = max(picture.shape[:2]) / 700
    edge = blur(light, width_px) - 0.985 * blur(light, 1.7 * width_px)
    ink = (1 + np.tanh(190 * (edge - 0.0045).clip(-1, 0))).clip(0, 1)
    return np.asarray(cv2.GaussianBlur(colours, (0, 0), 0.7) * ink[..., None], np.uint8)


def pixel_art(picture: Picture, _seed: int) -> Picture:
    """Large cells in a small palette."""
    height, width = picture.shape[:2]
    cell = max(2, round(max(width, height) / PIXEL_COLUMNS))
    columns, rows = max(1, width // cell), max(1, height // cell)
    small = scale_picture(np.asarray(cv2.convertScaleAbs(picture, alpha=1.08, beta=-6), np.uint8), columns, rows)
    lively = cv2.addWeighted(small, 1.25, cv2.GaussianBlur(small, (0, 0), 2), -0.25, 0)
    stepped = (lively.astype(np.int32) // 32) * 36
    return resize_picture(stepped.clip(0, 255).astype(np.uint8), width, height, cv2.INTER_NEAREST)


def flat_areas(picture: Picture, space: int, colour: int) -> Picture:
    """The picture in areas of one colour each (mean shift at half resolution, its slowest step by far)."""
    height, width = picture.shape[:2]
    half = scale_picture(picture, max(1, width // 2), max(1, height // 2))
    flat = cv2.pyrMeanShiftFiltering(half, space, colour)
    return resize_picture(np.asarray(flat, np.uint8), width, height, cv2.INTER_CUBIC)


def tooth(picture: Picture, seed: int) -> Plane:
    """The grain of paper, about -1..1."""
    noise = generator(seed, "paper").standard_normal(picture.shape[:2], np.float32)
    return np.asarray((blur(noise, 0.9) * 1.6).clip(-1, 1), np.float32)


def cloudy(picture: Picture, seed: int) -> Plane:
    """Large soft blotches, about -1..1."""
    height, width = picture.shape[:2]
    noise = generator(seed, "pools").standard_normal((9, 9), np.float32)
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.float32).clip(-1, 1)


DRAWN: Mapping[Look, Callable[[Picture, int], Picture]] = {
    "pencil": pencil,
    "watercolour": watercolour,
    "cartoon": cartoon,
    "pixel_art": pixel_art,
}

Curve = Callable[[Plane], Plane]

CURVES: Mapping[Mood, tuple[Curve, Curve, Curve]] = {
    "warm": (lambda x: x * 1.06 + 0.01, lambda x: x * 1.0, lambda x: x * 0.87),
    "cold": (lambda x: x * 0.9, lambda x: x * 0.99, lambda x: x * 1.06 + 0.012),
    "vintage": (lambda x: 0.06 + 0.92 * x**0.95, lambda x: 0.05 + 0.88 * x, lambda x: 0.09 + 0.74 * x),
    "night": (lambda x: 0.64 * x**1.45, lambda x: 0.70 * x**1.35, lambda x: 0.88 * x**1.18),
    "neon": (lambda x: 1.16 * x - 0.06, lambda x: 1.0 * x - 0.06, lambda x: 1.2 * x - 0.03),
}
"""Red, green and blue of each mood, from 0..1 to 0..1."""
