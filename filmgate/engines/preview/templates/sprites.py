"""The things that templates draw: hearts, petals, banknotes, bubbles, caps, each as one sprite."""

from math import cos, pi, sin

import numpy as np

from filmgate.engines.preview.templates.sketch import Colour, Point, Sketch, Sprite, grid

__all__ = [
    "banknote",
    "bubble",
    "cap",
    "cherry",
    "cloud",
    "coin",
    "confetti",
    "drop",
    "finger",
    "heart",
    "jellyfish",
    "lips",
    "note",
    "petal",
    "shard",
    "soft_dot",
    "sparkle",
    "sprinkle",
]

WHITE: Colour = (255, 255, 255)


def heart_outline(size: float = 1.0) -> list[Point]:
    around = np.linspace(0, 2 * pi, 120)
    x = 16 * np.sin(around) ** 3 / 17.5
    y = -(13 * np.cos(around) - 5 * np.cos(2 * around) - 2 * np.cos(3 * around) - np.cos(4 * around) + 2.5) / 17.5
    return [(float(a) * size, float(b) * size) for a, b in zip(x, y, strict=True)]


def lighter(colour: Colour) -> Colour:
    return min(255, colour[0] + 70), min(255, colour[1] + 70), min(255, colour[2] + 70)


def heart(colour: Colour) -> Sprite:
    light = lighter(colour)
    return Sketch().polygon(heart_outline(0.86), colour).ellipse(-0.36, -0.36, 0.2, 0.12, light, angle=-0.7).sprite(0.3)


def petal(colour: Colour, shade: float = 0.55) -> Sprite:
    outline = [(0.62 * sin(a) * (1 + 0.25 * cos(a)), -0.8 * cos(a)) for a in np.linspace(0, 2 * pi, 80)]
    deep: Colour = (int(colour[0] * 0.7), int(colour[1] * 0.7), int(colour[2] * 0.7))
    return Sketch().polygon(outline, colour).line([(0, 0.7), (0.06, 0.1), (0, -0.5)], 0.05, deep, 0.6).sprite(shade)


def shard(colour: Colour) -> Sprite:
    """A petal cut from crystal: four facets."""
    pale, deep = lighter(colour), (int(colour[0] * 0.72), int(colour[1] * 0.78), int(colour[2] * 0.9))
    top, left, right, low, heart_of_it = (0.0, -0.85), (-0.55, -0.2), (0.55, -0.2), (0.0, 0.8), (0.05, -0.1)
    sketch = Sketch().polygon([top, left, heart_of_it], pale, 0.92).polygon([top, heart_of_it, right], colour, 0.9)
    sketch.polygon([left, low, heart_of_it], colour, 0.85).polygon([right, heart_of_it, low], deep, 0.9)
    edges = sketch.line([top, left, low, right, top], 0.02, WHITE, 0.8)
    return (
        edges.line([top, heart_of_it, low], 0.015, WHITE, 0.7)
        .line([left, heart_of_it, right], 0.015, WHITE, 0.7)
        .sprite()
    )


def banknote() -> Sprite:
    green, pale, deep = (104, 158, 112), (214, 230, 206), (44, 96, 62)
    sketch = Sketch().polygon([(-1, -0.45), (1, -0.45), (1, 0.45), (-1, 0.45)], pale)
    sketch.polygon([(-0.93, -0.38), (0.93, -0.38), (0.93, 0.38), (-0.93, 0.38)], green)
    sketch.ellipse(0, 0, 0.3, 0.33, pale).ellipse(0, 0, 0.24, 0.27, deep)
    sketch.ellipse(0, -0.08, 0.09, 0.1, pale).ellipse(0, 0.16, 0.16, 0.09, pale)
    for side in (-1, 1):
        sketch.ellipse(side * 0.68, 0, 0.13, 0.2, pale).ellipse(side * 0.68, 0, 0.08, 0.14, deep)
        sketch.line([(side * 0.48, -0.25), (side * 0.88, -0.25)], 0.035, pale)
        sketch.line([(side * 0.48, 0.25), (side * 0.88, 0.25)], 0.035, pale)
    return sketch.sprite(0.18)


def coin() -> Sprite:
    gold, light, deep = (236, 186, 52), (255, 226, 120), (176, 122, 20)
    sketch = Sketch().ellipse(0, 0, 0.9, 0.9, deep).ellipse(0, 0, 0.84, 0.84, gold)
    sketch.ellipse(0, 0, 0.62, 0.62, deep).ellipse(0, 0, 0.58, 0.58, gold)
    return sketch.polygon(star_outline(5, 0.42, 0.18), light).sprite(0.35)


def star_outline(points: int, outer: float, inner: float) -> list[Point]:
    return [
        (
            (outer if n % 2 == 0 else inner) * sin(pi * n / points),
            -(outer if n % 2 == 0 else inner) * cos(pi * n / points),
        )
        for n in range(2 * points)
    ]


def bubble() -> Sprite:
    u, v = grid()
    radius = np.sqrt(u * u + v * v) / 0.9
    rim = np.exp(-(((radius - 0.93) / 0.07) ** 2)) * 0.75 + (radius < 0.95) * (0.08 + 0.14 * radius**3)
    glint = np.exp(-(((u + 0.38) / 0.16) ** 2 + ((v + 0.42) / 0.11) ** 2))
    glint = glint + 0.4 * np.exp(-(((u - 0.42) / 0.1) ** 2 + ((v - 0.45) / 0.1) ** 2))
    alpha = (rim + 0.9 * glint).clip(0, 0.95)
    colour = np.dstack([alpha * 225, alpha * 245, alpha * 255, alpha * 255])
    return np.asarray(colour.round(), np.uint8)


def soft_dot(colour: Colour, core: float = 0.25) -> Sprite:
    u, v = grid()
    radius = np.sqrt(u * u + v * v)
    light = (np.exp(-((radius / core) ** 2)) + 0.35 * np.exp(-((radius / 0.45) ** 2))) * (1 - radius).clip(0, 1)
    alpha = light.clip(0, 1)
    return np.asarray(np.dstack([alpha * value for value in (*colour, 255)]).round(), np.uint8)


def sparkle(colour: Colour) -> Sprite:
    u, v = grid()
    rays = np.exp(-np.abs(u) / 0.22 - np.abs(v) / 0.025) + np.exp(-np.abs(v) / 0.22 - np.abs(u) / 0.025)
    alpha = (rays + np.exp(-((u * u + v * v) / 0.012))).clip(0, 1) * (1 - np.maximum(np.abs(u), np.abs(v)))
    return np.asarray(np.dstack([alpha * value for value in (*colour, 255)]).round(), np.uint8)


def cap() -> Sprite:
    board, side, gold = (34, 36, 52), (22, 23, 36), (240, 196, 70)
    sketch = Sketch().polygon([(-0.52, 0.05), (0.52, 0.05), (0.5, 0.5), (0.25, 0.6), (-0.25, 0.6), (-0.5, 0.5)], side)
    sketch.polygon([(-0.98, -0.08), (0, -0.42), (0.98, -0.08), (0, 0.26)], board)
    sketch.line([(-0.98, -0.08), (0, 0.26), (0.98, -0.08)], 0.025, (90, 94, 120))
    sketch.line([(0, -0.08), (0.66, 0.08), (0.68, 0.5)], 0.045, gold)
    return sketch.polygon([(0.61, 0.46), (0.75, 0.46), (0.8, 0.8), (0.56, 0.8)], gold).sprite(0.2)


def confetti(colour: Colour) -> Sprite:
    return Sketch().polygon([(-0.5, -0.8), (0.5, -0.8), (0.5, 0.8), (-0.5, 0.8)], colour).sprite(0.3)


def note(colour: Colour) -> Sprite:
    sketch = (
        Sketch().ellipse(-0.45, 0.6, 0.27, 0.2, colour, angle=-0.35).ellipse(0.45, 0.45, 0.27, 0.2, colour, angle=-0.35)
    )
    sketch.line([(-0.22, 0.55), (-0.22, -0.55)], 0.09, colour).line([(0.68, 0.4), (0.68, -0.72)], 0.09, colour)
    return sketch.polygon([(-0.26, -0.6), (0.72, -0.8), (0.72, -0.55), (-0.26, -0.35)], colour).sprite(0.2, glow=0.5)


def lips() -> Sprite:
    red, deep = (214, 34, 72), (150, 14, 44)
    upper = [(-0.9, 0.02), (-0.5, -0.3), (-0.2, -0.42), (0, -0.3), (0.2, -0.42), (0.5, -0.3), (0.9, 0.02), (0, 0.06)]
    lower = [(-0.9, 0.02), (-0.45, 0.38), (0, 0.5), (0.45, 0.38), (0.9, 0.02), (0, 0.1)]
    sketch = Sketch().polygon(upper, red).polygon(lower, red).line([(-0.85, 0.03), (0, 0.1), (0.85, 0.03)], 0.05, deep)
    for crease in (-0.5, -0.25, 0.0, 0.25, 0.5):
        sketch.line([(crease, 0.16), (crease * 0.9, 0.34)], 0.018, deep, 0.5)
    return sketch.sprite(0.2)


def jellyfish(colour: Colour) -> Sprite:
    pale = lighter(colour)
    sketch = Sketch()
    for number in range(9):
        start = -0.44 + 0.11 * number
        line = [
            (start + 0.07 * sin(5 * t + number), -0.15 + t * (0.7 + 0.3 * ((number * 5) % 3) / 2))
            for t in np.linspace(0, 1, 24)
        ]
        sketch.line(line, 0.02 + 0.02 * (number % 3 == 0), pale, 0.55)
    bell = [(0.62 * sin(a), -0.2 - 0.62 * cos(a)) for a in np.linspace(-pi / 2, pi / 2, 50)]
    scallops = [(0.62 - 1.24 * t, -0.2 + 0.06 * abs(sin(6 * pi * t)) + 0.02) for t in np.linspace(0, 1, 60)]
    sketch.polygon([*bell, *scallops], colour, 0.62)
    sketch.ellipse(0, -0.4, 0.34, 0.26, pale, opacity=0.35).ellipse(
        -0.2, -0.58, 0.16, 0.08, WHITE, angle=-0.5, opacity=0.5
    )
    return sketch.sprite(0.1, glow=0.9)


def cherry() -> Sprite:
    sketch = Sketch().line([(0.05, -0.1), (0.2, -0.55), (0.45, -0.85)], 0.06, (70, 110, 40))
    return sketch.ellipse(0, 0.3, 0.52, 0.5, (200, 18, 44)).ellipse(-0.2, 0.1, 0.14, 0.1, (255, 170, 180)).sprite(0.35)


def sprinkle(colour: Colour) -> Sprite:
    return Sketch().ellipse(0, 0, 0.22, 0.8, colour).ellipse(-0.06, -0.2, 0.06, 0.3, WHITE, opacity=0.5).sprite(0.2)


def cloud() -> Sprite:
    u, v = grid()
    puffs = ((-0.45, 0.12, 0.3), (-0.1, -0.12, 0.38), (0.3, 0.0, 0.34), (0.55, 0.18, 0.22), (0.0, 0.2, 0.4))
    density = np.zeros_like(u)
    for x, y, size in puffs:
        density = density + np.exp(-(((u - x) / size) ** 2 + ((v - y) / (0.62 * size)) ** 2) * 1.6)
    alpha = (density * 1.0).clip(0, 0.92) * ((1 - np.maximum(np.abs(u), np.abs(v))) * 4).clip(0, 1)
    light = 250 - 26 * (0.5 + v).clip(0, 1)
    return np.asarray(np.dstack([alpha * light, alpha * (light + 2), alpha * 255, alpha * 255]).clip(0, 255), np.uint8)


def drop(colour: Colour) -> Sprite:
    outline = [(0.42 * sin(a) * (1 - cos(a)) / 1.3, -0.85 * cos(a)) for a in np.linspace(0, 2 * pi, 60)]
    return Sketch().polygon(outline, colour).ellipse(-0.12, 0.3, 0.07, 0.16, WHITE, opacity=0.7).sprite(0.2)


def finger() -> Sprite:
    """Pointing to the left: its tip is at the left end, in the middle of the height."""
    skin, deep, nail = (238, 190, 160), (206, 148, 118), (250, 214, 200)
    tip = [(-0.82 - 0.14 * cos(a), 0.14 * sin(a)) for a in np.linspace(-pi / 2, pi / 2, 30)]
    sketch = Sketch().polygon([*tip, (0.2, 0.17), (0.2, -0.17)], skin)
    sketch.ellipse(0.5, 0.16, 0.42, 0.44, skin).polygon([(0.45, -0.26), (1, -0.2), (1, 0.5), (0.5, 0.6)], skin)
    sketch.polygon([(0.84, -0.3), (1, -0.3), (1, 0.62), (0.84, 0.62)], (70, 96, 160))
    sketch.line([(0.55, -0.2), (0.2, -0.1), (0.02, 0.02)], 0.2, skin).line(
        [(0.5, -0.06), (0.2, 0.02), (0.06, 0.1)], 0.02, deep
    )
    for knuckle in (0.22, 0.42, 0.6):
        sketch.ellipse(0.2, knuckle - 0.04, 0.16, 0.1, skin).line(
            [(0.1, knuckle + 0.06), (0.5, knuckle + 0.06)], 0.02, deep
        )
    sketch.line([(-0.3, -0.12), (-0.28, -0.02)], 0.015, deep).line([(-0.1, -0.13), (-0.08, 0.0)], 0.015, deep)
    return sketch.ellipse(-0.82, -0.07, 0.1, 0.05, nail).sprite(0.25)
