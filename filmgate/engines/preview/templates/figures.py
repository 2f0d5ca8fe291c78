"""Motion of bodies, whatever they are: swaying, hopping, twisting, leaning, by how high above the base a point is."""

from dataclasses import dataclass
from math import cos, exp, pi, sin

import numpy as np

from filmgate.engines.preview.pixels import Plane
from filmgate.engines.preview.templates.recipe import Warp
from filmgate.engines.preview.templates.stage import Stage, ramp
from filmgate.engines.preview.templates.toys import height_of, plane, yawed

__all__ = ["Figure", "beat", "converge", "danced", "heartbeat", "hover", "swing", "swum"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A periodic motion. Amounts are shares of the subject's height, angles in radians; `period_s` is one full swing.

    `sway` moves the top sideways, `hips` the middle, `hop` lifts all of it, `crouch`
    flattens between hops, `twist` narrows shoulders and hips in turn, `wave` runs along the height, `step` walks
    sideways, `yaw` turns the card.
    """

    period_s: float
    sway: float = 0.0
    hips: float = 0.0
    hop: float = 0.0
    crouch: float = 0.0
    twist: float = 0.0
    wave: float = 0.0
    step: float = 0.0
    yaw: float = 0.0


def danced(figure: Figure) -> Warp:
    """The figure as a warp, on the beat and at rest at time 0."""

    def warp(stage: Stage, time_s: float, gain: float, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        strength = gain * ramp(time_s, 0, 0.7)
        swing_at = 2 * pi * time_s * stage.tempo / figure.period_s
        side, tall = stage.lead * sin(swing_at) * strength, stage.box.height
        up = abs(sin(swing_at)) * strength
        if figure.yaw:
            x, y = yawed(stage, figure.yaw * side, x, y)
        above = height_of(stage, y).clip(-0.2, 1.4)
        moved = figure.sway * side * above.clip(0, 2) ** 1.4 + figure.step * side
        moved = moved + figure.hips * side * np.sin(np.float32(2 * pi) * above.clip(0, 1))
        if figure.wave:
            travelling = np.sin(np.float32(2 * pi) * above - np.float32(swing_at)) + sin(swing_at)
            moved = moved + figure.wave * strength * stage.lead * travelling * (above + 0.15).clip(0, 1)
        found_x = x - np.asarray(moved * tall, np.float32)
        if figure.twist:
            wide = 1 + np.float32(figure.twist * side) * np.cos(np.float32(1.5 * pi) * above)
            found_x = stage.box.centre_x + (found_x - stage.box.centre_x) / wide
        flat = 1 - figure.crouch * (strength - up)
        found_y = y + np.float32(up * min(figure.hop * tall, stage.headroom))
        return plane(found_x), plane(stage.box.bottom + (found_y - stage.box.bottom) / flat)

    return warp


def swing(degrees: float, period_s: float, *, hold: float = 0.0) -> Warp:
    """Leaning about the base to the lead's side; `hold` (0..1) is how much of it stays rather than swings."""

    def warp(stage: Stage, time_s: float, gain: float, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        swung = hold * ramp(time_s, 0.2, 2.0) + (1 - hold) * sin(2 * pi * time_s * stage.tempo / period_s)
        angle = gain * stage.lead * degrees * pi / 180 * swung * ramp(time_s, 0, 0.8)
        across, down = x - stage.box.centre_x, y - stage.box.bottom
        turned_x, turned_y = across * cos(angle) + down * sin(angle), down * cos(angle) - across * sin(angle)
        return plane(stage.box.centre_x + turned_x), plane(stage.box.bottom + turned_y)

    return warp


def hover(rise: float, side: float, period_s: float, *, start_s: float = 0.3, size: float = 1.0) -> Warp:
    """Rising by a share of the frame's height and floating there, sideways and up and down; ending at `size`."""

    def warp(stage: Stage, time_s: float, gain: float, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        up = ramp(time_s, start_s, 2.6)
        angle = 2 * pi * time_s * stage.tempo / period_s
        bob = 0.12 * abs(rise) * sin(2 * angle) * ramp(time_s, 1.0, 1.5)
        scale = 1 + (size - 1) * up * gain
        drift = stage.lead * side * stage.unit * sin(angle) * ramp(time_s, 0, 1.2) * gain
        lift = min((rise * up + bob) * stage.height, stage.headroom) * gain
        box = stage.box
        found_x = box.centre_x + (x - box.centre_x - drift) / scale
        return plane(found_x), plane(box.centre_y + (y - box.centre_y + lift) / scale)

    return warp


def beat(time_s: float, period_s: float) -> float:
    """The two strokes of a heart: 0 between beats, 1 at the first stroke, lower at the second."""
    since = time_s % period_s
    first, second = exp(-(((since - 0.16) / 0.08) ** 2)), exp(-(((since - 0.42) / 0.10) ** 2))
    return first + 0.6 * second


def heartbeat(swell: float, period_s: float) -> Warp:
    """The chest swelling with every beat."""

    def warp(stage: Stage, time_s: float, gain: float, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        strength = gain * swell * beat(time_s * stage.tempo, period_s) * ramp(time_s, 0, 0.5)
        box = stage.box
        at_x, at_y = box.centre_x, box.top + 0.5 * box.height
        out = ((x - at_x) / (0.6 * box.width)) ** 2 + ((y - at_y) / (0.6 * box.height)) ** 2
        scale = 1 + np.float32(strength) * np.exp(-out)
        return plane(at_x + (x - at_x) / scale), plane(at_y + (y - at_y) / scale)

    return warp


def swum(bell: float, sinuous: float, period_s: float) -> Warp:
    """Under water: a wave running down the body, and a bell that closes fast and opens slowly."""

    def warp(stage: Stage, time_s: float, gain: float, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        strength, box = gain * ramp(time_s, 0, 1.2), stage.box
        angle = 2 * pi * time_s * stage.tempo / period_s
        above = height_of(stage, y).clip(-0.3, 1.3)
        run = np.sin(np.float32(angle) + np.float32(4.2) * above) * (np.float32(1.25) - above)
        swell = bell * sin(angle + 0.7 * cos(angle)) * strength
        wide = 1 + np.float32(swell) * np.cos(np.float32(pi) * (1 - above).clip(0, 1) * np.float32(0.9))
        found_x = box.centre_x + (x - sinuous * strength * stage.lead * box.height * run - box.centre_x) / wide
        tall = 1 - 0.5 * max(swell, -stage.headroom / box.height)
        return plane(found_x), plane(box.centre_y + (y - box.centre_y) / tall)

    return warp


def converge(amount: float, period_s: float, *, hold: float = 0.0, squeeze: float = 0.0) -> Warp:
    """Two people leaning together above the middle between them; a single subject narrowed as by two arms."""

    def warp(stage: Stage, time_s: float, gain: float, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        pulse = (1 - cos(2 * pi * time_s * stage.tempo / period_s)) / 2
        strength = gain * (hold * ramp(time_s, 0.2, 2.0) + (1 - hold) * pulse) * ramp(time_s, 0, 0.6)
        box, above = stage.box, height_of(stage, y).clip(0, 1.2)
        side = np.tanh((x - np.float32(stage.apart)) / np.float32(0.22 * box.width))
        found_x = x + np.float32(amount * strength * box.width) * side * above
        tall = 1 + min(squeeze, stage.headroom / box.height) * strength
        return plane(found_x), plane(box.bottom + (y - box.bottom) / tall)

    return warp
