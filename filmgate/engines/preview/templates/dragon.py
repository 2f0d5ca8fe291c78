"""A dragon that flies in, winds around the subject, before it and behind it, and hovers."""

from math import atan2, cos, pi, sin

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.templates.recipe import Drawing, Prop
from filmgate.engines.preview.templates.sketch import Colour, Sketch, Sprite, stamp
from filmgate.engines.preview.templates.stage import Stage

__all__ = ["dragon"]

LINKS = 46
LINK_TURN = 0.105
"""Angle between two links of the body, in radians around the subject."""
CIRCLE_S = 3.1
RED: Colour = (196, 38, 40)
GOLD: Colour = (246, 196, 74)
DARK: Colour = (110, 16, 28)
IVORY: Colour = (252, 244, 220)


def dragon(*, near: bool) -> Prop:
    """The part of the dragon that is before the subject, or the part behind it."""

    def prepare(stage: Stage) -> Drawing:
        body, crown, claw = link(), head(), leg()
        thick = 0.105 * stage.unit

        def draw(frame: Picture, time_s: float) -> None:
            front = 2 * pi * time_s * stage.tempo / CIRCLE_S - 2.6
            for number in range(LINKS - 1, -1, -1):
                at = front - number * LINK_TURN
                x, y, depth = path(stage, at, time_s)
                if (depth > 0) != near:
                    continue
                ahead_x, ahead_y, _ = path(stage, at + 0.04, time_s)
                angle = atan2(ahead_y - y, ahead_x - x)
                size = thick * (1 + 0.22 * depth) * taper(number)
                if number in (9, 10, 24, 25):
                    stamp(frame, claw, x, y + 0.5 * size, 1.5 * size, angle=0.5 * sin(5 * time_s + number))
                upright = 1.0 if cos(angle) >= 0 else -1.0
                if number == 0:
                    turned = angle if upright > 0 else angle + pi
                    stamp(frame, crown, x, y, 3.0 * size, angle=turned, squeeze=upright)
                else:
                    stamp(frame, body, x, y, 1.75 * size, angle=angle if upright > 0 else angle + pi, squeeze=upright)

        return draw

    return prepare


def path(stage: Stage, angle: float, time_s: float) -> tuple[float, float, float]:
    """Frame position and depth (1 nearest, -1 farthest) at an angle around the subject; it comes from outside."""
    box = stage.box
    around = max(angle, -pi / 2)
    reach = min(0.40 * stage.width, max(0.62 * box.width, 0.34 * stage.unit))
    middle = min(max(box.centre_x, -0.12 * stage.width), 0.12 * stage.width) + stage.width / 2
    turned = stage.lead * sin(around)
    high = 0.43 + 0.27 * cos(around) + 0.025 * sin(2.3 * around + 2 * time_s)
    x = middle + reach * turned
    y = stage.height * high
    outside = max(0.0, -pi / 2 - angle)
    x -= stage.lead * outside * 0.42 * stage.width
    y += outside * 0.05 * stage.height
    return x, y, cos(around)


def taper(number: int) -> float:
    """Thin behind the head, thick in the middle, ending in a thin tail."""
    share = number / (LINKS - 1)
    thickest = 0.78 + 0.35 * sin(pi * min(1.0, 1.6 * share))
    return thickest * (1 - share * share) + 0.10


def link() -> Sprite:
    """A piece of body: a fin above, scales, a pale belly."""
    sketch = Sketch().polygon([(-0.4, -0.4), (-0.35, -0.98), (0.12, -0.5), (0.36, -0.86), (0.45, -0.35)], GOLD)
    sketch.ellipse(0, 0, 0.62, 0.6, DARK).ellipse(0, 0.0, 0.58, 0.55, RED)
    sketch.ellipse(0, 0.36, 0.5, 0.2, GOLD).ellipse(0, 0.4, 0.4, 0.12, IVORY)
    for x, y in ((-0.3, -0.2), (0.05, -0.28), (0.36, -0.16), (-0.12, 0.04), (0.24, 0.06)):
        sketch.line([(x - 0.12, y - 0.08), (x, y + 0.06), (x + 0.12, y - 0.08)], 0.045, GOLD, 0.9)
    return sketch.sprite(0.35)


def leg() -> Sprite:
    sketch = Sketch().line([(0, -0.5), (0.2, 0.1), (0.0, 0.45)], 0.26, RED)
    for toe in (-0.3, 0.0, 0.3):
        sketch.line([(0, 0.42), (toe, 0.85)], 0.1, IVORY)
    return sketch.sprite(0.3)


def head() -> Sprite:
    """In profile, looking to the right."""
    sketch = Sketch()
    for rise, far in ((-0.5, -0.75), (-0.15, -0.95), (0.2, -0.85), (0.45, -0.6)):
        sketch.polygon([(-0.1, rise * 0.5 - 0.2), (far, rise - 0.1), (-0.2, rise * 0.5 + 0.25)], GOLD)
    sketch.line([(-0.02, -0.35), (-0.3, -0.65), (-0.62, -0.85)], 0.1, IVORY).line(
        [(-0.36, -0.68), (-0.4, -0.92)], 0.08, IVORY
    )
    sketch.polygon(
        [
            (-0.35, -0.3),
            (0.1, -0.46),
            (0.42, -0.26),
            (0.82, -0.24),
            (0.93, -0.05),
            (0.84, 0.06),
            (0.3, 0.1),
            (0.2, 0.34),
            (-0.3, 0.36),
        ],
        RED,
    )
    sketch.polygon([(0.2, 0.14), (0.76, 0.22), (0.68, 0.36), (0.12, 0.4), (-0.2, 0.34)], DARK)
    sketch.polygon([(0.22, 0.26), (0.7, 0.28), (0.62, 0.42), (0.1, 0.46)], RED)
    for tooth in (0.34, 0.5, 0.66, 0.8):
        sketch.polygon([(tooth - 0.05, 0.07), (tooth + 0.05, 0.06), (tooth, 0.2)], IVORY)
    sketch.ellipse(0.16, -0.18, 0.14, 0.11, IVORY, angle=-0.2).ellipse(0.2, -0.17, 0.06, 0.09, DARK)
    sketch.line([(0.0, -0.34), (0.18, -0.34), (0.32, -0.24)], 0.06, GOLD).ellipse(0.84, -0.14, 0.05, 0.035, DARK)
    sketch.line([(0.86, -0.02), (0.98, 0.2), (0.8, 0.5), (0.6, 0.66)], 0.04, GOLD)
    sketch.polygon([(-0.05, 0.4), (0.3, 0.44), (0.05, 0.8), (-0.2, 0.6)], GOLD)
    return sketch.sprite(0.3)
