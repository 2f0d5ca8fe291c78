"""Light over the whole frame: tints, water caustics, coloured beams, the spots of a mirror ball, a warm glow.

Light is worked out on a grid of a sixth of the frame and enlarged: it is soft anyway.
"""

from collections.abc import Sequence
from math import cos, pi, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.pixels import Plane
from filmgate.engines.preview.templates.recipe import Drawing, Prop
from filmgate.engines.preview.templates.sketch import Colour
from filmgate.engines.preview.templates.stage import Stage, ramp

__all__ = ["beams", "caustics", "mirror_ball", "tint"]

STEP = 6


def tint(colour: Colour, amount: float, *, over_s: float = 1.6) -> Prop:
    """The frame towards a colour by `amount` (0..1), keeping its lights and shades."""

    def prepare(stage: Stage) -> Drawing:
        del stage
        levels = np.arange(256, dtype=np.float32)
        toned = np.stack([levels * (value / 170) ** 0.9 * 0.8 + value * 0.10 for value in colour], axis=-1)

        def draw(frame: Picture, time_s: float) -> None:
            share = amount * ramp(time_s, 0.1, over_s)
            if share > 0:
                curve = levels[:, None] * (1 - share) + toned * share
                cv2.LUT(frame, curve.clip(0, 255).round().astype(np.uint8)[None], dst=frame)

        return draw

    return prepare


def caustics(colour: Colour, amount: float) -> Prop:
    """The net of light that waves throw, brighter above, and shafts from the surface."""

    def prepare(stage: Stage) -> Drawing:
        x, y = coarse(stage)
        fade = (0.75 - 0.6 * y / stage.height).clip(0.15, 1)

        def draw(frame: Picture, time_s: float) -> None:
            unit, at = stage.unit / 9, 1.1 * time_s + stage.phase
            net = np.zeros_like(x)
            for number in range(3):
                a = 2.1 * number + stage.phase
                bent = np.sin(
                    (x * cos(a) + y * sin(a)) / unit + at * (1 + 0.2 * number) + 1.3 * np.sin(y / unit / 1.7 + at)
                )
                net = net + np.abs(bent)
            lines = (1 - net / 3).clip(0, 1) ** 2.2 * 1.9
            shafts = np.sin((x + 0.45 * y) / (1.9 * unit) + 0.4 * at) * np.sin((x + 0.45 * y) / (0.9 * unit) - 0.3 * at)
            light = (lines + 0.35 * shafts.clip(0, 1)) * fade * np.float32(amount * ramp(time_s, 0.2, 1.5))
            add_light(frame, light, colour)

        return draw

    return prepare


def beams(colours: Sequence[Colour], amount: float, *, period_s: float = 2.4) -> Prop:
    """Stage lights from above that swing across the frame."""

    def prepare(stage: Stage) -> Drawing:
        x, y = coarse(stage)

        def draw(frame: Picture, time_s: float) -> None:
            share = amount * ramp(time_s, 0.2, 1.0)
            for number, colour in enumerate(colours):
                source = stage.width * (number + 0.5) / len(colours)
                angle = 0.5 * sin(2 * pi * time_s * stage.tempo / period_s + 2.1 * number + stage.phase)
                down = y + np.float32(0.08 * stage.height)
                off = (x - source - down * np.float32(angle)) / (0.05 * stage.unit + 0.16 * down)
                light = np.exp(-(off**2)) * (1.15 - 0.8 * y / stage.height).clip(0.1, 1)
                add_light(frame, np.asarray(light * share, np.float32), colour)

        return draw

    return prepare


def mirror_ball(colours: Sequence[Colour], amount: float) -> Prop:
    """Spots of light that travel around the room."""

    def prepare(stage: Stage) -> Drawing:
        chance = stage.chance("mirror ball")
        spots = chance.uniform(0, 1, (26, 3))

        def draw(frame: Picture, time_s: float) -> None:
            share = amount * ramp(time_s, 0.2, 1.0)
            small = np.zeros((stage.height // STEP + 1, stage.width // STEP + 1, 3), np.float32)
            for number, (across, down, size) in enumerate(spots):
                x = (across + 0.11 * stage.lead * time_s * (0.7 + 0.6 * size)) % 1.1 - 0.05
                at = (int(x * small.shape[1] * 16), int(down * small.shape[0] * 16))
                radius = (0.014 + 0.014 * size) * stage.unit / STEP
                axes = (int(radius * 1.3 * 16), int(radius * 16))
                shade = tuple(float(value) * share for value in colours[number % len(colours)])
                cv2.ellipse(small, at, axes, 0, 0, 360, shade, -1, cv2.LINE_8, 4)
            soft = np.asarray(cv2.GaussianBlur(small, (0, 0), max(0.8, 0.006 * stage.unit / STEP)), np.float32)
            brighten(frame, soft)

        return draw

    return prepare


def coarse(stage: Stage) -> tuple[Plane, Plane]:
    """Frame positions of the light's grid."""
    x = np.arange(0, stage.width + STEP, STEP, dtype=np.float32)
    y = np.arange(0, stage.height + STEP, STEP, dtype=np.float32)
    across, down = np.meshgrid(x, y)
    return across, down


def add_light(frame: Picture, light: Plane, colour: Colour) -> None:
    brighten(frame, light[..., None] * np.array(colour, np.float32))


def brighten(frame: Picture, light: NDArray[np.float32]) -> None:
    small = light.clip(0, 255).astype(np.uint8)
    large = cv2.resize(small, (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_LINEAR)
    cv2.add(frame, large, dst=frame)
