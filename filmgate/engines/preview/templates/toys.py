"""Motion of the toy-like templates: the subject squashed, poked, blown up, molten, turned like a card."""

from math import cos, exp, pi, sin

import numpy as np

from filmgate.engines.preview.pixels import Plane
from filmgate.engines.preview.templates.stage import Stage, ramp

__all__ = ["POKES", "drip", "inflate", "melt", "poke", "poke_depth", "poke_spot", "squish", "turn", "windblown"]

SQUISH_S = 1.15
TURN_S = 2.2
POKES = (0.5, 1.55, 2.6, 3.65)
POKE_RADIUS = 0.17
POKE_DEPTH = 0.085


def squish(stage: Stage, time_s: float, gain: float, x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Pressed flat like a soft toy, and springing back beyond its height."""
    angle = 2 * pi * time_s * stage.tempo / SQUISH_S
    press = (1 - cos(angle)) / 2
    spring = 0.10 * sin(angle) * (1 - press)
    tall = 1 - gain * ramp(time_s, 0, 0.5) * (0.42 * press - spring)
    wide = tall**-0.7
    belly = (1 + np.cos(np.float32(pi) * (height_of(stage, y) / tall - 0.4).clip(-0.6, 1))) / 2
    return about_x(stage, x, plane(1 + (wide - 1) * (0.55 + 0.45 * belly))), above_base(stage, y, tall)


def inflate(stage: Stage, time_s: float, gain: float, x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Blown up like a balloon in puffs, its middle most, and swaying once it is full."""
    puffs = time_s + 0.16 * sin(2 * pi * time_s / 0.8)
    full = ramp(puffs, 0.1, 3.4) * gain
    sway = 0.05 * full * sin(2 * pi * time_s / 1.7 + stage.phase)
    box = stage.box
    across = (x - box.centre_x) - sway * (box.bottom - y)
    taller = min(0.16 * box.height, 1.2 * stage.headroom) / box.height
    rise = min(0.05 * box.height, max(0.0, stage.headroom - 0.5 * taller * box.height))
    down = y - box.centre_y + full * rise
    across, down = across / np.float32(1 + 0.34 * full), down / np.float32(1 + taller * full)
    out = ((across / (box.width / 2)) ** 2 + (down / (box.height / 2)) ** 2).clip(0, 1)
    lens = 1 - np.float32(0.30 * full) * (1 - out)
    return plane(box.centre_x + across * lens), plane(box.centre_y + down * lens)


def melt(stage: Stage, time_s: float, gain: float, x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Sinking into itself, column by column, while the base runs out into a puddle."""
    done = gain * ramp(time_s, 0.2, 0.92 * stage.duration_s)
    run = 0.5 + 0.5 * waves(stage, x, 3.1)
    lead_time = done + 0.55 * done * (1 - done) * run
    tall = 1 - 0.74 * plane(lead_time).clip(0, 1)
    height = height_of(stage, y) / tall
    foot = np.exp(-((height / np.float32(0.42)) ** 2))
    wide = 1 + np.float32(0.75 * done) * foot + np.float32(0.12 * done) * (1 - height).clip(0, 1)
    wobble = 0.02 * stage.box.width * done * np.sin(9 * height + 2.2 * time_s + stage.phase)
    return about_x(stage, plane(x + wobble), plane(wide)), plane(stage.box.bottom - height * stage.box.height)


def drip(stage: Stage, time_s: float, gain: float, x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Slumping a little, with the surface running down in tongues."""
    done = gain * ramp(time_s, 1.0, 0.75 * stage.duration_s)
    tongues = (waves(stage, x, 6.5) - 0.1).clip(0, 1) ** 1.5
    low = (1 - height_of(stage, y)).clip(0, 1.3)
    slump = 1 - 0.14 * done
    run = plane(0.17 * done * stage.box.height * tongues * low**2)
    return about_x(stage, x, plane(1 + 0.10 * done * low)), above_base(stage, plane(y - run), slump)


def turn(stage: Stage, time_s: float, gain: float, x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Turning about its own upright axis, nearer edges looming; its back is its mirror image."""
    angle = gain * stage.lead * stage.tempo * 2 * pi * spun(time_s) / TURN_S
    return yawed(stage, angle, x, y)


def spun(time_s: float) -> float:
    """Seconds of full-speed turning after a start from rest."""
    return time_s - 0.5 if time_s > 1 else time_s * time_s / 2


def yawed(stage: Stage, angle: float, x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """The subject as a card turned by `angle` (radians); its far edge is smaller, its near edge never larger."""
    box = stage.box
    far = 1.8 * max(box.width, box.height)
    facing = cos(angle)
    facing = facing if abs(facing) > 0.05 else 0.05 if facing >= 0 else -0.05
    across = x - np.float32(box.centre_x)
    towards = facing - across * np.float32(sin(angle) / far)
    towards = np.where(np.abs(towards) < 0.02, np.float32(0.02), towards)
    found = across / towards
    nearest = 1 + abs(sin(angle)) * box.width / 2 / far
    nearer = (1 + found * np.float32(sin(angle) / far)) * np.float32(nearest)
    return plane(box.centre_x + found), plane(box.centre_y + (y - box.centre_y) * nearer)


def poke_spot(stage: Stage, number: int) -> tuple[float, float, float]:
    """Where the finger of this number touches (x, y), and the direction it comes from (-1: from the left)."""
    side = stage.lead if number % 2 == 0 else -stage.lead
    high = (0.72, 0.45, 0.58, 0.34)[number] + float(stage.chance(f"poke {number}").uniform(-0.06, 0.06))
    y = stage.box.bottom - high * stage.box.height
    left, right = stage.edges(y)
    inset = min(0.06 * stage.unit, 0.3 * (right - left))
    return (left + inset if side < 0 else right - inset), y, side


def poke_depth(time_s: float, number: int) -> float:
    """How deep the dent is: in quickly, held, then quivering like jelly."""
    since = time_s - POKES[number]
    if since < 0:
        return 0.0
    if since < 0.35:
        return ramp(since, 0, 0.2)
    return exp(-4.2 * (since - 0.35)) * cos(2 * pi * 3.2 * (since - 0.35))


def poke(stage: Stage, time_s: float, gain: float, x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Dented where the finger touches, and quivering afterwards."""
    radius = POKE_RADIUS * max(stage.box.height, 0.5 * stage.unit)
    found_x, found_y = x, y
    for number in range(len(POKES)):
        depth = gain * poke_depth(time_s, number) * min(POKE_DEPTH * stage.unit, 0.24 * stage.box.width)
        if depth == 0:
            continue
        at_x, at_y, side = poke_spot(stage, number)
        near = np.exp(-(((x - at_x) ** 2 + (y - at_y) ** 2) / np.float32(radius**2)))
        found_x = plane(found_x + np.float32(side * depth) * near)
        found_y = plane(found_y + np.float32(0.25 * depth) * near * (y - at_y) / np.float32(radius))
    return found_x, found_y


def windblown(stage: Stage, time_s: float, gain: float, x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Leaning into the wind that carries it away."""
    lean = gain * stage.lead * (0.07 * ramp(time_s, 0.3, 2.5) + 0.006 * sin(7 * time_s) * ramp(time_s, 0, 1))
    above = height_of(stage, y).clip(0, 1.4)
    return plane(x - lean * stage.box.height * above**2), y


def height_of(stage: Stage, y: Plane) -> Plane:
    """0 at the subject's base, 1 at its top."""
    return plane((stage.box.bottom - y) / stage.box.height)


def above_base(stage: Stage, y: Plane, tall: float) -> Plane:
    return plane(stage.box.bottom + (y - stage.box.bottom) / tall)


def about_x(stage: Stage, x: Plane, wide: Plane | float) -> Plane:
    return plane(stage.box.centre_x + (x - stage.box.centre_x) / wide)


def waves(stage: Stage, x: Plane, count: float) -> Plane:
    """-1..1 along x, smooth and uneven."""
    across = (x - np.float32(stage.box.left)) / np.float32(stage.box.width)
    first = np.sin(np.float32(2 * pi * count) * across + np.float32(stage.phase))
    second = np.sin(np.float32(3.3 * pi * count) * across + np.float32(2.7 * stage.phase))
    return plane((first + 0.6 * second) / 1.6)


def plane(values: object) -> Plane:
    return np.asarray(values, np.float32)
