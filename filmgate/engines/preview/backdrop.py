"""What stands behind cut-out subjects: a given picture, or a set painted from a few colours.

A painted set is out of focus on purpose: a wall or sky, a floor or ground, one key light and a few lights in the blur
read as a photograph with a shallow depth of field, where sharp drawing would read as clip art.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from filmgate.encoding.picture import Picture, resize_picture, scale_picture
from filmgate.engines.preview.chance import generator
from filmgate.engines.preview.pixels import Plane, blur, resize_plane

__all__ = ["Backdrop", "cover", "painted_set", "picture_backdrop", "side_by_side"]

Colour = tuple[int, int, int]
Kind = Literal["indoor", "outdoor"]

PICTURE_BASE = 0.945
"""Feet stand this far down a given picture: what is so near its bottom edge is ground in almost every photograph."""
SEAM_SHARE = 0.006
WATER = 0.13
"""How much of the height a sea takes."""


@dataclass(frozen=True, slots=True)
class Backdrop:
    """The picture behind; where feet stand (a share of the height); where the light comes from (-1 left … 1 right)."""

    picture: Picture
    base: float
    light: float
    painted: bool


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a set: at the top, at the horizon or the wall's foot, and of the ground near the camera."""

    top: Colour
    middle: Colour
    ground: Colour
    kind: Kind = "outdoor"
    lights: int = 0
    lamp_size: float = 1.0
    skyline: float = 0.0
    """Height of blurred shapes on the horizon, as a share of the picture's height."""
    water: Colour | None = None
    """The sea between horizon and ground."""


SETS: Mapping[str, Palette] = {
    "studio": Palette((44, 36, 52), (92, 66, 62), (58, 42, 42), "indoor", lights=22),
    "room": Palette((150, 132, 116), (176, 152, 126), (104, 78, 60), "indoor", lights=8),
    "stage": Palette((22, 16, 44), (80, 40, 96), (40, 26, 48), "indoor", lights=26),
    "night": Palette((8, 12, 34), (40, 48, 84), (22, 24, 36), lights=34, skyline=0.16),
    "city": Palette((96, 112, 146), (198, 188, 178), (84, 80, 84), lights=16, skyline=0.26),
    "street": Palette((120, 128, 146), (206, 190, 170), (92, 86, 84), lights=20, skyline=0.30),
    "beach": Palette((92, 164, 222), (206, 230, 236), (226, 202, 158), water=(52, 132, 160)),
    "desert": Palette((104, 166, 220), (240, 214, 178), (206, 156, 104), skyline=0.05),
    "forest": Palette((150, 178, 140), (112, 142, 88), (66, 82, 46), lights=10, skyline=0.34),
    "garden": Palette((164, 200, 222), (150, 178, 112), (96, 130, 66), lights=12, skyline=0.20),
    "field": Palette((128, 184, 232), (222, 232, 220), (126, 150, 74), skyline=0.05),
    "mountain": Palette((110, 160, 214), (206, 218, 230), (116, 122, 104), skyline=0.24),
    "snow": Palette((168, 194, 222), (224, 232, 242), (236, 240, 248), skyline=0.12),
    "sunset": Palette((66, 58, 112), (250, 160, 96), (92, 62, 70), lights=6, skyline=0.06),
    "sky": Palette((84, 148, 222), (206, 228, 246), (232, 240, 248)),
    "space": Palette((6, 6, 20), (38, 22, 66), (22, 18, 40), lights=240, lamp_size=0.08),
    "underwater": Palette((24, 132, 170), (10, 84, 128), (8, 52, 84), lights=18),
}
FLOOR_LINE = {"indoor": 0.76, "outdoor": 0.62}
LAMPS: tuple[Colour, ...] = ((255, 196, 128), (255, 170, 104), (134, 184, 255), (255, 226, 190))


def cover(picture: Picture, width: int, height: int, focus: tuple[float, float] = (0.5, 0.5)) -> Picture:
    """The picture cropped to exactly this size, never distorted; as much of it as fits, `focus` near the middle.

    `focus` is a point of the picture in shares of its sides.
    """
    source_height, source_width = picture.shape[:2]
    scale = max(width / source_width, height / source_height)
    crop_width, crop_height = min(source_width, width / scale), min(source_height, height / scale)
    left = min(max(focus[0] * source_width - crop_width / 2, 0.0), source_width - crop_width)
    top = min(max(focus[1] * source_height - crop_height / 2, 0.0), source_height - crop_height)
    if scale <= 1:
        rows = slice(round(top), max(round(top + crop_height), round(top) + 1))
        columns = slice(round(left), max(round(left + crop_width), round(left) + 1))
        return resize_picture(np.ascontiguousarray(picture[rows, columns]), width, height, cv2.INTER_AREA)
    move = np.array([[1 / scale, 0, left], [0, 1 / scale, top]], np.float32)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    grown = cv2.warpAffine(picture, move, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(grown, np.uint8)


def picture_backdrop(picture: Picture, width: int, height: int) -> Backdrop:
    """A given picture as the place where the others are."""
    fitted = cover(picture, width, height)
    columns = fitted[: height // 2].mean(axis=(0, 2)).astype(np.float32)
    across = np.linspace(-1, 1, width, dtype=np.float32)
    bright = (columns - float(columns.min())) ** 2 + 1e-3
    light = float((across * bright).sum() / bright.sum())
    return Backdrop(fitted, PICTURE_BASE, max(-1.0, min(1.0, 2 * light)), painted=False)


def side_by_side(pictures: Sequence[Picture], width: int, height: int) -> Picture:
    """All pictures in upright panels from left to right, with a thin light seam between them."""
    seam = max(2, round(width * SEAM_SHARE))
    edges = [round(number * (width + seam) / len(pictures)) for number in range(len(pictures) + 1)]
    panels = np.full((height, width, 3), 244, np.uint8)
    for picture, left, right in zip(pictures, edges, edges[1:], strict=False):
        panels[:, left : right - seam] = cover(picture, right - seam - left, height)
    return panels


def painted_set(scene: str | None, pictures: Sequence[Picture], width: int, height: int, seed: int) -> Backdrop:
    """A set for a scene word; without one, in the colours of the pictures, each lighting its own side."""
    if scene is not None and scene in SETS:
        palettes = [SETS[scene]]
    else:
        palettes = [borrowed_palette(picture) for picture in pictures]
    first = palettes[0]
    random = generator(seed, "set")
    key_x = float(random.uniform(0.36, 0.64))
    horizon = FLOOR_LINE[first.kind] + float(random.uniform(-0.012, 0.012))
    canvas = gradient(palettes, width, height, horizon)
    if first.skyline > 0:
        draw_skyline(canvas, first, horizon, seed)
    if first.water is not None:
        draw_water(canvas, first.water, horizon)
    light = key_light(width, height, key_x)[..., None]
    canvas *= 0.72 + 0.5 * light if first.kind == "indoor" else 0.86 + 0.22 * light
    if first.lights > 0:
        canvas += lamps(first, width, height, horizon, seed)
    # A trace of noise keeps wide gradients from banding.
    canvas += random.normal(0, 1.2, (height, width, 1)).astype(np.float32)
    picture = np.asarray(canvas.clip(0, 255), np.uint8)
    return Backdrop(picture, 0.915, 2 * key_x - 1, painted=True)


def borrowed_palette(picture: Picture) -> Palette:
    """An indoor set in the colours of a picture, calmer than they are there."""
    small = scale_picture(picture, 16, 16).astype(np.float32)
    border = np.concatenate([small[:6, :3].reshape(-1, 3), small[:6, -3:].reshape(-1, 3), small[:2].reshape(-1, 3)])
    wall, floor = np.median(border, axis=0), small[12:].reshape(-1, 3).mean(axis=0)
    wall = 0.72 * wall + 0.28 * wall.mean()
    floor = 0.6 * floor + 0.4 * floor.mean()
    lightness = float(wall.mean())
    wall *= min(max(lightness, 60.0), 170.0) / max(lightness, 1.0)
    floor *= min(max(float(floor.mean()), 36.0), 110.0) / max(float(floor.mean()), 1.0)
    return Palette(colour(wall * 0.8), colour(wall), colour(floor), "indoor", lights=10)


def colour(values: Plane) -> Colour:
    red, green, blue = (round(min(max(float(value), 0.0), 255.0)) for value in values)
    return red, green, blue


def gradient(palettes: Sequence[Palette], width: int, height: int, horizon: float) -> Plane:
    """Wall and floor, or sky and ground; several palettes run into each other from left to right."""
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    softness = 0.012 if palettes[0].kind == "indoor" else 0.02
    ground_share = (1 + np.tanh((down - horizon) / (2 * softness))) / 2
    columns = []
    for palette in palettes:
        top, middle, ground = (np.asarray(part, np.float32) for part in (palette.top, palette.middle, palette.ground))
        upper = top + (middle - top) * (down / horizon).clip(0, 1) ** 1.4
        near = ((down - horizon) / (1 - horizon)).clip(0, 1)
        far = 0.55 * ground + 0.45 * middle if palette.kind == "outdoor" else 0.82 * ground
        lower = far + (ground - far) * near**0.7
        columns.append(upper * (1 - ground_share) + lower * ground_share)
    strip = np.stack(columns, axis=1).astype(np.float32)
    if len(columns) == 1:
        return np.ascontiguousarray(np.repeat(strip, width, axis=1))
    # Few columns are enough for so soft a change, and blurring them costs nothing.
    few = cv2.resize(strip, (48, height), interpolation=cv2.INTER_LINEAR)
    mixed = cv2.GaussianBlur(few, (0, 0), sigmaX=5, sigmaY=0.1)
    return np.asarray(cv2.resize(mixed, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def key_light(width: int, height: int, centre_x: float) -> Plane:
    x = np.linspace(0, 1, width, dtype=np.float32)[None]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    return np.asarray(np.exp(-(((x - centre_x) / 0.46) ** 2 + ((y - 0.40) / 0.52) ** 2)), np.float32)


def draw_skyline(canvas: Plane, palette: Palette, horizon: float, seed: int) -> None:
    """Two rows of blurred shapes on the horizon, the nearer one darker."""
    height, width = canvas.shape[:2]
    random = generator(seed, "skyline")
    middle, ground = np.asarray(palette.middle, np.float32), np.asarray(palette.ground, np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    for row, (shade, tall) in enumerate(((0.72, 1.0), (0.5, 0.62))):
        heights = random.uniform(0.35, 1.0, 14 + 8 * row).astype(np.float32)[None]
        ridge = cv2.resize(heights, (width, 1), interpolation=cv2.INTER_LINEAR)
        top = (horizon - palette.skyline * tall * np.asarray(ridge, np.float32)) * height
        mask = ((rows > top) & (rows < (horizon + 0.02) * height)).astype(np.float32)
        mask = blur(mask, height / 55)[..., None] * 0.85
        canvas += mask * (shade * (0.5 * middle + 0.5 * ground) - canvas)


def draw_water(canvas: Plane, water: Colour, horizon: float) -> None:
    """A band of sea below the horizon, paler where it breaks on the shore."""
    down = np.linspace(0, 1, canvas.shape[0], dtype=np.float32)[:, None]
    depth = (down - horizon + WATER / 2) / WATER
    inside = (np.tanh(depth / 0.06) - np.tanh((depth - 1) / 0.12)) / 2
    surf = np.exp(-(((depth - 0.95) / 0.10) ** 2))
    colours = np.asarray(water, np.float32) * (0.85 + 0.4 * depth.clip(0, 1))
    canvas += (inside * 0.9)[..., None] * (colours[:, None] - canvas)
    canvas += (surf * 0.35)[..., None] * (245 - canvas)


def lamps(palette: Palette, width: int, height: int, horizon: float, seed: int) -> Plane:
    """Lights far out of focus: soft discs, brighter at their rim, as a lens draws them; tiny ones are stars."""
    random = generator(seed, "lamps")
    small_width, small_height = max(8, width // 3), max(8, height // 3)
    glow = np.zeros((small_height, small_width, 3), np.float32)
    lowest = horizon * 0.92 if palette.lamp_size >= 0.5 else 0.98
    for _ in range(palette.lights):
        x, y = int(random.uniform(0, small_width)), int(random.uniform(0.03, lowest) * small_height)
        radius = int(random.uniform(0.010, 0.034) * palette.lamp_size * small_height)
        lamp = np.asarray(LAMPS[int(random.integers(len(LAMPS)))], np.float32)
        lamp = lamp * float(random.uniform(0.10, 0.30)) / max(palette.lamp_size, 0.3)
        if radius < 2:
            glow[min(y, small_height - 1), min(x, small_width - 1)] += 2 * lamp
            continue
        reach = radius + 2
        disc = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
        cv2.circle(disc, (reach, reach), radius, 0.8, -1, cv2.LINE_AA)
        cv2.circle(disc, (reach, reach), radius, 1.0, 1, cv2.LINE_AA)
        top, left = max(0, y - reach), max(0, x - reach)
        bottom, right = min(small_height, y + reach + 1), min(small_width, x + reach + 1)
        part = disc[top - y + reach : bottom - y + reach, left - x + reach : right - x + reach]
        glow[top:bottom, left:right] += part[..., None] * lamp
    soft = cv2.GaussianBlur(glow, (0, 0), max(0.6, small_height / 260))
    return np.stack([resize_plane(np.ascontiguousarray(soft[..., band]), width, height) for band in range(3)], axis=-1)
